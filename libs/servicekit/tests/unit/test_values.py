"""The kit's pure parts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from komu.roster.v1 import events_pb2
from servicekit.audit.chain import GENESIS, canonical, link
from servicekit.auth import Actor, Decision
from servicekit.calls import Calls
from servicekit.clock import FixedClock, day_in_jst
from servicekit.errors import Refused, StepUpRequired, Unseen
from servicekit.events import consumer, subject_of
from servicekit.events.envelope import headers_of, stamp
from servicekit.ids import uuid7
from servicekit.json import dumps_text
from servicekit.told import changed_only

NOW = datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC)


def test_ids_sort_by_the_time_they_were_made():
    ids = [uuid7() for _ in range(2000)]
    assert ids == sorted(ids)
    assert {i.version for i in ids} == {7}


def test_the_day_in_japan_begins_nine_hours_before_that_of_utc():
    assert day_in_jst(datetime(2026, 3, 31, 14, 59, tzinfo=UTC)).isoformat() == "2026-03-31"
    assert day_in_jst(datetime(2026, 3, 31, 15, 0, tzinfo=UTC)).isoformat() == "2026-04-01"
    clock = FixedClock(NOW)
    assert clock.advance(timedelta(minutes=1)) == clock() == NOW + timedelta(minutes=1)


def test_a_decision_is_enforced_as_it_says():
    Decision.allow().enforce()
    assert Decision.allow()
    with pytest.raises(Refused, match="担任"):
        Decision.deny("担任だけができます。").enforce()
    with pytest.raises(Unseen):
        Decision.unseen().enforce()


@pytest.mark.parametrize(("information_class", "minutes", "enough"), [
    (1, 14, True), (1, 16, False), (2, 59, True), (2, 61, False), (3, 10_000, True), (4, 10_000, True), (1, -5, False),
])
def test_the_second_factor_must_be_as_fresh_as_the_class_asks(information_class, minutes, enough):
    actor = Actor("t", uuid4(), frozenset(), {2: NOW - timedelta(minutes=minutes)})
    if enough:
        actor.require_level(information_class, NOW)
    else:
        with pytest.raises(StepUpRequired):
            actor.require_level(information_class, NOW)


@pytest.mark.parametrize(("name", "subject"), [
    ("komu.roster.v1.ClassRosterChanged", "roster.v1.class_roster_changed"),
    ("komu.dataexchange.v1.TransferAccepted", "dataexchange.v1.transfer_accepted"),
    ("komu.learning.v2.LTILaunched", "learning.v2.lti_launched"),
])
def test_subjects_follow_from_the_name_of_the_message(name, subject):
    assert subject_of(name) == subject


def test_an_event_without_an_aggregate_or_with_a_foreign_subject_is_refused():
    with pytest.raises(ValueError, match="aggregate_id"):
        stamp(events_pb2.ClassRosterChanged(), "t", NOW, "")
    with pytest.raises(ValueError, match="not komu"):
        subject_of("google.protobuf.Timestamp")
    with pytest.raises(ValueError, match="class_roster_changed"):
        consumer(subject="roster.v1.school_changed.*", message=events_pb2.ClassRosterChanged)


def test_the_envelope_completes_meta_and_speaks_cloud_events():
    event = events_pb2.ClassRosterChanged()
    event.meta.aggregate_id = "a"
    actor = str(uuid4())
    sent = stamp(event, "aozora", NOW, actor)
    assert (event.meta.id, event.meta.tenant, event.meta.actor_id) == (str(sent.event_id), "aozora", actor)
    assert event.meta.occurred_at.ToDatetime(UTC) == NOW
    headers = headers_of(sent, "roster", NOW)
    assert headers["Nats-Msg-Id"] == headers["ce-id"] == str(sent.event_id)
    assert headers["ce-source"] == "/komu/roster"


def test_only_differences_are_told():
    assert changed_only({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": None}) == ({"b": 2}, {"b": 3, "c": None})
    assert changed_only(None, {"a": 1}) == (None, {"a": 1})
    assert changed_only([1], [2]) == ([1], [2])


def test_json_of_what_use_cases_hand_over():
    from dataclasses import dataclass
    from datetime import date

    @dataclass
    class Note:
        id: UUID
        day: date
        tags: frozenset[str]

    note = Note(UUID(int=1), date(2026, 4, 1), frozenset("ba"))
    assert dumps_text(note) == '{"id":"00000000-0000-0000-0000-000000000001","day":"2026-04-01","tags":["a","b"]}'


def _row(**changes):
    return {
        "tenant_id": "t", "id": UUID(int=1), "at": NOW, "actor_id": None, "session_id": None, "action": "a",
        "object_id": "o", "subject_id": None, "information_class": 3, "before": None, "after": {"n": 2**60},
        "trace_id": None, **changes,
    }


_VALUES = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.dictionaries(st.text(max_size=5), _VALUES))
def test_any_json_can_be_sealed_and_any_change_shows(after):
    sealed = link(GENESIS, _row(after=after))
    assert sealed == link(GENESIS, _row(after=dict(reversed(after.items()))))
    assert sealed != link(GENESIS, _row(after={**after, "more": 1}))
    assert sealed != link(sealed, _row(after=after))
    rfc8785.dumps({"x": canonical(_row(after=after)).decode()})


def test_who_may_call_what(tmp_path):
    file = tmp_path / "calls.yaml"
    file.write_text('calls: {roster: {portal: ["*"], grades: [Snapshot]}}\nevents: {roster: [grades]}')
    calls = Calls.read(file)
    assert calls.callers_of("roster", "GetPupil", with_token=True) == {"portal"}
    assert calls.callers_of("roster", "GetPupil", with_token=False) == frozenset()
    assert calls.callers_of("roster", "Snapshot", with_token=False) == {"grades"}
    assert calls.callers_of("nobody", "X", with_token=True) == frozenset()
    file.write_text("calls: []")
    with pytest.raises(ValueError, match="not a list of calls"):
        Calls.read(file)
