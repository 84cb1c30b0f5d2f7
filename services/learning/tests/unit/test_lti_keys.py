"""Keys are published before they sign, and kept until nothing they signed is alive."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning.domain.lti.keys import (
    LEAD,
    LONGEST_TOKEN,
    MARGIN,
    ROTATE_AFTER,
    PlatformKey,
    due,
    first_use,
    published,
    signing,
    spent,
)
from learning.domain.lti.sealing import Sealer
from servicekit.errors import Unavailable

START = datetime(2026, 4, 1, tzinfo=UTC)


def key(name: str, at: datetime, signs_from: datetime | None = None) -> PlatformKey:
    return PlatformKey(name, {}, at, signs_from or at)


def test_the_first_key_signs_at_once_and_any_other_a_day_later():
    assert due([], START)
    assert first_use([], START) == START
    first = key("a", START)
    assert first_use([first], START) == START + LEAD
    assert not due([first], START)


def test_a_successor_is_published_in_time():
    first = key("a", START)
    assert not due([first], START + ROTATE_AFTER - LEAD - timedelta(seconds=1))
    at = START + ROTATE_AFTER - LEAD
    assert due([first], at)
    second = key("b", at, first_use([first], at))
    both = [first, second]
    assert not due(both, at)
    assert signing(both, at) == first
    assert signing(both, START + ROTATE_AFTER) == second
    assert published(both, START + ROTATE_AFTER) == [second, first]
    over = START + ROTATE_AFTER + LONGEST_TOKEN + MARGIN
    assert spent(both, over) == [first]
    assert published(both, over) == [second]


@given(st.lists(st.integers(0, 400), max_size=12), st.integers(0, 500))
def test_what_signed_lately_can_always_be_checked(days: list[int], today: int):
    """Whatever the keys: the key that signed an hour ago is in the set, and the one that signs is, too."""
    keys = [key(str(number), START, START + timedelta(days=day)) for number, day in enumerate(sorted(set(days)))]
    now = START + timedelta(days=today)
    shown = published(keys, now)
    for at in (now, now - LONGEST_TOKEN):
        assert (found := signing(keys, at)) is None or found in shown


def test_without_the_sealing_key_nothing_is_opened():
    one, other = "A" * 43 + "=", "B" * 42 + "A="
    sealed = Sealer(one).seal({"kid": "a"})
    assert Sealer(f"{other},{one}").open(sealed) == {"kid": "a"}
    for keys in (other, ""):
        with pytest.raises(Unavailable):
            Sealer(keys).open(sealed)
