"""Events made in bulk read exactly like those made one by one."""

from datetime import UTC, date, datetime
from uuid import uuid4

from komu.roster.v1 import events_pb2
from roster import events
from roster.domain.people import EnrolmentState
from roster.domain.period import Period
from servicekit.ids import uuid7


def test_the_mould_fills_to_the_same_event():
    event_id, actor = uuid7(), uuid4()
    state = EnrolmentState(uuid4(), uuid4(), uuid4(), Period(date(2026, 4, 1)), "admitted", "", 1)
    now = datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC)
    mould = events.enrolment_began("aozora", now, actor, "admitted")
    values = [str(event_id), str(state.id), str(state.pupil_id), str(state.school_id), "2026-04-01", ""]
    payload = b"".join(piece + value.encode() for piece, value in zip(mould.pieces, values, strict=True))

    single = events.enrolment_changed(state)
    single.meta.id, single.meta.tenant, single.meta.actor_id = str(event_id), "aozora", str(actor)
    single.meta.occurred_at.FromDatetime(now)
    assert events_pb2.EnrolmentChanged.FromString(payload) == single
    assert mould.subject == "roster.v1.enrolment_changed.aozora"
