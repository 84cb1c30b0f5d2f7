"""The logs of all services read as one: by time, without holes and without doubles."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from portal.audit_reading import SERVICES, Cursor, merge

PAGE = 3


def entry(at, number):
    return SimpleNamespace(at=SimpleNamespace(seconds=at, nanos=0), id=f"{at:06}-{number}")


def ask(log, cursor, service):
    """What a service answers: entries older than the cursor's place, newest first."""
    place = cursor.before(service)
    older = [e for e in log if not place or e.id < place]
    return older[:PAGE], len(older) > PAGE


@given(st.lists(st.lists(st.integers(0, 50), max_size=12), min_size=len(SERVICES), max_size=len(SERVICES)))
def test_paging_shows_every_entry_once_and_newest_first(times):
    logs = {
        service: sorted((entry(at, f"{service}{n}") for n, at in enumerate(one)), key=lambda e: e.id, reverse=True)
        for service, one in zip(SERVICES, times, strict=True)
    }
    shown, cursor = [], Cursor({})
    while cursor is not None:
        cursor = Cursor.parse(str(cursor))
        replies = {service: ask(logs[service], cursor, service) for service in cursor.open_services()}
        entries, cursor = merge(replies, cursor, PAGE)
        shown += entries
    everything = [e.id for log in logs.values() for e in log]
    assert sorted(e.id for e in shown) == sorted(everything)
    assert [e.at.seconds for e in shown] == sorted((e.at.seconds for e in shown), reverse=True)


def test_a_service_that_is_away_keeps_its_place():
    _, after = merge({"roster": ([entry(5, "a")], False)}, Cursor({"grades": "000009-x"}), PAGE)
    assert after is None


def test_an_invented_cursor_is_the_beginning():
    assert Cursor.parse("evil:1,roster:2,,:").places == {"roster": "2"}
