"""What may be asked for in an export, and which school year it is about."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from dataexchange.domain.oneroster.exports import Export, State, Wish, year_to_send

ONE, TWO = UUID(int=1), UUID(int=2)
WISH = Wish("interop-v6", (ONE, TWO), "見本学習eポータル", "年度更新")


def an_export(wish: Wish = WISH, state: State = State.READY, *, kept: bool = True) -> Export:
    return Export(UUID(int=9), wish, state, UUID(int=8), UUID(int=7), datetime(2026, 5, 1, tzinfo=UTC), kept=kept)


def test_profile_recipient_and_purpose_must_be_said():
    assert WISH.problems() == []
    assert [field for field, _ in Wish("v9", (), "", "").problems()] == ["profile", "recipient", "purpose"]


@pytest.mark.parametrize(
    ("base", "why"),
    [
        (an_export(), ""),
        (an_export(Wish("interop-v6", (TWO, ONE), "別の提供先", "別の目的")), ""),
        (an_export(kept=False), "残っていません"),
        (an_export(state=State.REFUSED), "残っていません"),
        (an_export(Wish("interop-v5", (ONE, TWO), "見本", "年度更新")), "同じ形式"),
        (an_export(Wish("interop-v6", (ONE,), "見本", "年度更新")), "同じ学校"),
        (an_export(Wish("interop-v6", (), "見本", "年度更新")), "同じ学校"),
    ],
)
def test_a_delta_is_taken_from_the_same_profile_and_schools(base: Export, why: str):
    told = WISH.why_not_from(base)
    assert bool(told) == bool(why)
    assert why in told


def test_the_school_year_of_today_is_sent_or_the_newest_before_it_has_a_roster():
    assert year_to_send([2025, 2026, 2027], 2026) == 2026
    assert year_to_send([2025], 2026) == 2025
    assert year_to_send([], 2026) is None
