"""Family entries: who comes first from which day, and what is a correction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from roster.domain.family import Contact, FamilyProblem, arrange, end, move
from roster.domain.people import Address
from roster.domain.period import Period

APRIL, TODAY = date(2026, 4, 1), date(2026, 11, 21)


def a_contact(rank: int, label: str = "母の携帯", since: date = APRIL, contact_id: UUID | None = None) -> Contact:
    return Contact(contact_id or uuid4(), rank, label, "090-0000-0000", "", Period(since))


def test_a_change_ends_what_stood_before_the_day_before():
    mother = a_contact(1)
    change = arrange([mother], replace(mother, phone="090-1111-1111"), TODAY)
    assert [(one.phone, one.period) for one in change.ended] == [("090-0000-0000", Period(APRIL, date(2026, 11, 20)))]
    assert [(one.phone, one.period) for one in change.started] == [("090-1111-1111", Period(TODAY))]
    assert change.struck == ()


def test_on_the_day_it_began_a_change_is_a_correction():
    mother = a_contact(1, since=TODAY)
    change = arrange([mother], replace(mother, label="母の勤務先"), TODAY)
    assert (change.ended, change.struck, [one.label for one in change.started]) == ((), (mother,), ["母の勤務先"])


def test_a_new_first_one_moves_the_others_down_and_a_new_last_one_moves_nobody():
    mother, father = a_contact(1), a_contact(2, "父の携帯")
    first = arrange([mother, father], a_contact(1, "祖母", TODAY), TODAY)
    assert [(one.label, one.rank) for one in first.started] == [("祖母", 1), ("母の携帯", 2), ("父の携帯", 3)]
    assert len(first.ended) == 2
    last = arrange([mother, father], a_contact(99, "祖母", TODAY), TODAY)
    assert ([(one.label, one.rank) for one in last.started], last.ended) == ([("祖母", 3)], ())


def test_who_ends_makes_room_for_those_behind():
    mother, father = a_contact(1), a_contact(2, "父の携帯")
    change = end([mother, father], mother.id, date(2026, 11, 20))
    assert [(one.label, one.period.ends_on) for one in change.ended] == [
        ("母の携帯", date(2026, 11, 20)), ("父の携帯", date(2026, 11, 20)),
    ]  # fmt: skip
    assert [(one.label, one.rank, one.period) for one in change.started] == [("父の携帯", 1, Period(TODAY))]


def test_days_before_an_entry_began_are_refused():
    mother = a_contact(1)
    with pytest.raises(FamilyProblem, match="2026年4月1日からの登録"):
        arrange([mother], replace(mother, phone="1"), date(2026, 3, 31))
    with pytest.raises(FamilyProblem, match="2026年4月1日以後"):
        end([mother], mother.id, date(2026, 3, 31))
    with pytest.raises(FamilyProblem, match="2026年4月1日からの住所"):
        move(Address("", "旧町1", Period(APRIL)), Address("", "新町2", Period(date(2026, 3, 31))))


def test_nothing_changed_writes_nothing():
    mother = a_contact(1)
    assert arrange([mother], replace(mother, period=Period(TODAY)), TODAY).started == ()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(-1, 12), st.integers(0, 4))
def test_ranks_stay_one_after_the_other(ranks: list[int], wanted: int, which: int):
    current = [a_contact(rank, str(place)) for place, rank in enumerate(ranks)]
    settled = {one.id: one for one in current}
    changed = replace(current[which % len(current)], rank=wanted)
    for one in arrange(current, changed, TODAY).started:
        settled[one.id] = one
    assert sorted(one.rank for one in settled.values()) == list(range(1, len(current) + 1))


def test_a_move_ends_the_address_before_or_corrects_it():
    old = Address("100-0001", "旧町1", Period(APRIL))
    assert move(old, Address("", "新町2", Period(TODAY))) == (
        replace(old, period=Period(APRIL, date(2026, 11, 20))),
        None,
    )
    assert move(old, Address("", "旧町1-1", Period(APRIL))) == (None, old)
