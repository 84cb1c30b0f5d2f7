"""クラス替えの釣り合い: what the classes of one 学年 look like beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from roster.domain.rollover.plan import APART, TOGETHER, Pair, PlannedPupil


@dataclass(frozen=True, slots=True)
class Balance:
    """One class. `band_tenths`: ten times the mean of the typed 成績の段階, 0 where none is typed."""

    size: int = 0
    boys: int = 0
    girls: int = 0
    care: int = 0
    banded: int = 0
    band_sum: int = 0

    @property
    def band_tenths(self) -> int:
        """Ten times the mean, rounded to the nearest."""
        return (20 * self.band_sum + self.banded) // (2 * self.banded) if self.banded else 0


def balance(pupils: Iterable[PlannedPupil]) -> dict[UUID, Balance]:
    """Class → its sums."""
    of_class: dict[UUID, list[PlannedPupil]] = {}
    for pupil in pupils:
        if pupil.class_id is not None:
            of_class.setdefault(pupil.class_id, []).append(pupil)
    return {
        class_id: Balance(
            len(members),
            sum(each.sex == "male" for each in members),
            sum(each.sex == "female" for each in members),
            sum(bool(each.care) for each in members),
            sum(bool(each.band) for each in members),
            sum(each.band for each in members),
        )
        for class_id, members in of_class.items()
    }


def broken(pairs: Sequence[Pair], placed: Mapping[UUID, UUID | None]) -> list[Pair]:
    """Pairs whose wish the present places do not meet. A child without a class breaks nothing yet."""
    found = []
    for pair in pairs:
        one, other = placed.get(pair.first_id), placed.get(pair.second_id)
        if one is None or other is None:
            continue
        if (pair.kind == APART and one == other) or (pair.kind == TOGETHER and one != other):
            found.append(pair)
    return found
