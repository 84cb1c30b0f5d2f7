"""出席番号: 五十音, sexes together or apart, gaps of who left."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from roster.domain.numbering import Numbering, NumberingProblem, Seat, renumber
from roster.domain.period import Period

APRIL, TODAY = date(2026, 4, 1), date(2026, 11, 21)


def a_seat(which: int, number: int, key: str, sex: str = "male", ends_on: date | None = None) -> Seat:
    return Seat(UUID(int=which), number, Period(APRIL, ends_on), key, sex)


CLASS = [
    a_seat(1, 1, "ヤマ", "female"), a_seat(2, 2, "アベ"), a_seat(3, 3, "イトウ", "male", date(2026, 7, 31)),
    a_seat(4, 4, "カトウ", "female"), a_seat(5, 5, "ワダ"),
]  # fmt: skip


def numbers(**how: object) -> dict[int, int]:
    return {key.int: number for key, number in renumber(CLASS, Numbering(**how), TODAY).items()}


def test_together_in_order_with_the_gap_of_who_left_kept():
    assert numbers() == {2: 1, 4: 2, 1: 4, 5: 5}
    assert numbers(keep_gaps=False) == {2: 1, 4: 2, 1: 3, 5: 4}


def test_sexes_apart_and_the_second_from_a_number_of_its_own():
    assert numbers(order="boys_first", second_from=51) == {2: 1, 5: 2, 4: 51, 1: 52}
    assert numbers(order="girls_first", keep_gaps=False) == {4: 1, 1: 2, 2: 3, 5: 4}


def test_what_cannot_be_numbered_is_said():
    with pytest.raises(NumberingProblem, match="3番以後"):
        numbers(order="boys_first", second_from=2)
    with pytest.raises(NumberingProblem, match="性別が登録されていない児童生徒が1人"):
        renumber([*CLASS, a_seat(6, 6, "ア", "")], Numbering("boys_first"), TODAY)
    with pytest.raises(NumberingProblem, match="99番を超え"):
        numbers(order="boys_first", second_from=99)


@given(st.lists(st.tuples(st.text("アカサ", min_size=1), st.booleans()), max_size=40), st.booleans())
def test_no_number_is_given_twice(children: list[tuple[str, bool]], keep_gaps: bool):
    seats = [
        a_seat(place, place, key, ends_on=date(2026, 7, 31) if left else None)
        for place, (key, left) in enumerate(children, 1)
    ]
    found = renumber(seats, Numbering(keep_gaps=keep_gaps), TODAY)
    assert len(set(found.values())) == len(found) == sum(not left for _, left in children)
    if keep_gaps:
        assert not set(found.values()) & {seat.number for seat in seats if seat.pupil_id not in found}
