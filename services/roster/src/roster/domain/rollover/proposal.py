"""A first proposal for クラス替え: even in size, sex, 配慮, former class and 成績の段階; pairs apart or together.

A proposal is where people begin, never a decision: they know the children. The same children give the same proposal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from roster.domain.rollover.plan import APART, TOGETHER, Pair, PlannedPupil

# What a bad place costs; a broken pair outweighs every imbalance, size the rest together.
_PAIR, _SIZE = 1_000_000, 5_000
_SEX, _CARE, _FROM, _BAND = 20, 30, 6, 4
_PASSES = 4


@dataclass(slots=True)
class _Class:
    members: set[UUID] = field(default_factory=set)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)


def propose(pupils: Sequence[PlannedPupil], class_ids: Sequence[UUID], pairs: Sequence[Pair]) -> dict[UUID, UUID]:
    """Child → class, for the children without one; those who have one stay and are counted.

    Children to be kept together go as one. Greedy by the hardest first, then moves and swaps while they help.
    """
    if not class_ids:
        return {}
    classes = {class_id: _Class() for class_id in class_ids}
    known = {pupil.id: pupil for pupil in pupils}
    for pupil in pupils:
        if pupil.class_id in classes:
            _put(classes[pupil.class_id], pupil, 1)
    free = [pupil for pupil in pupils if pupil.class_id is None]
    apart = _apart(pairs)
    placed: dict[int, UUID] = {}
    held: set[int] = set()
    units = _units(free, pairs)
    for index, unit in enumerate(units):
        fixed = _beside(unit, pairs, known, classes)
        if fixed is not None:
            held.add(index)
        placed[index] = fixed or _cheapest(unit, class_ids, classes, apart)
        _put_all(classes[placed[index]], unit, 1)
    for _ in range(_PASSES):
        if not _improve(units, placed, classes, class_ids, apart, held):
            break
    return {pupil.id: placed[index] for index, unit in enumerate(units) for pupil in unit}


def _apart(pairs: Iterable[Pair]) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    for pair in pairs:
        if pair.kind == APART:
            found.setdefault(pair.first_id, set()).add(pair.second_id)
            found.setdefault(pair.second_id, set()).add(pair.first_id)
    return found


def _units(free: Sequence[PlannedPupil], pairs: Sequence[Pair]) -> list[list[PlannedPupil]]:
    """Children who go together, the hardest to place first."""
    root = {pupil.id: pupil.id for pupil in free}

    def find(one: UUID) -> UUID:
        while root[one] != one:
            one = root[one]
        return one

    for pair in pairs:
        if pair.kind == TOGETHER and pair.first_id in root and pair.second_id in root:
            root[find(pair.second_id)] = find(pair.first_id)
    grouped: dict[UUID, list[PlannedPupil]] = {}
    for pupil in sorted(free, key=lambda each: (each.sort_key, str(each.id))):
        grouped.setdefault(find(pupil.id), []).append(pupil)
    named = Counter(one for pair in pairs for one in (pair.first_id, pair.second_id))

    def hardness(unit: list[PlannedPupil]) -> tuple[int, int, int, str, int]:
        first = unit[0]
        return (
            -sum(named[each.id] for each in unit), -len(unit), -sum(bool(each.care) for each in unit), first.sex,
            -first.band,
        )  # fmt: skip

    return sorted(grouped.values(), key=hardness)


def _beside(
    unit: Sequence[PlannedPupil], pairs: Sequence[Pair], known: dict[UUID, PlannedPupil], classes: dict[UUID, _Class]
) -> UUID | None:
    """The class of a placed child whom one of the unit shall be with."""
    mine = {pupil.id for pupil in unit}
    for pair in pairs:
        if pair.kind == TOGETHER and (pair.first_id in mine) != (pair.second_id in mine):
            other = known.get(pair.second_id if pair.first_id in mine else pair.first_id)
            if other is not None and other.class_id in classes:
                return other.class_id
    return None


def _traits(pupil: PlannedPupil) -> list[tuple[str, str, int]]:
    return [
        ("sex", pupil.sex, _SEX),
        *([("care", "", _CARE)] if pupil.care else []),
        *([("from", pupil.from_class, _FROM)] if pupil.from_class else []),
        *([("band", str(pupil.band), _BAND)] if pupil.band else []),
    ]


def _put(place: _Class, pupil: PlannedPupil, by: int) -> None:
    (place.members.add if by > 0 else place.members.discard)(pupil.id)
    for kind, value, _ in _traits(pupil):
        place.counts[kind, value] += by


def _put_all(place: _Class, unit: Iterable[PlannedPupil], by: int) -> None:
    for pupil in unit:
        _put(place, pupil, by)


def _cost(place: _Class, unit: Sequence[PlannedPupil], apart: dict[UUID, set[UUID]]) -> int:
    """What it costs to have the unit here besides who is here: the more of one kind, the dearer the next."""
    cost = _SIZE * len(place.members) * len(unit)
    for pupil in unit:
        cost += _PAIR * len(apart.get(pupil.id, set()) & place.members)
        cost += sum(weight * place.counts[kind, value] for kind, value, weight in _traits(pupil))
    return cost


def _cheapest(
    unit: Sequence[PlannedPupil], class_ids: Sequence[UUID], classes: dict[UUID, _Class], apart: dict[UUID, set[UUID]]
) -> UUID:
    """The first of the cheapest."""
    return min(class_ids, key=lambda one: _cost(classes[one], unit, apart))


def _improve(
    units: Sequence[list[PlannedPupil]], placed: dict[int, UUID], classes: dict[UUID, _Class],
    class_ids: Sequence[UUID], apart: dict[UUID, set[UUID]], held: set[int],
) -> bool:  # fmt: skip
    """Moves units to where they cost less, and swaps two where both together cost less."""
    better = False
    for index, unit in enumerate(units):
        if index in held:
            continue
        here = placed[index]
        _put_all(classes[here], unit, -1)
        best = _cheapest(unit, [here, *class_ids], classes, apart)
        _put_all(classes[best], unit, 1)
        better |= best != here
        placed[index] = best
    for one, first in enumerate(units):
        for other in range(one + 1, len(units)):
            here, there = placed[one], placed[other]
            if here == there or one in held or other in held or len(first) != len(units[other]):
                continue
            _put_all(classes[here], first, -1)
            _put_all(classes[there], units[other], -1)
            stay = _cost(classes[here], first, apart) + _cost(classes[there], units[other], apart)
            swap = _cost(classes[there], first, apart) + _cost(classes[here], units[other], apart)
            if swap < stay:
                placed[one], placed[other] = there, here
                better = True
            _put_all(classes[placed[one]], first, 1)
            _put_all(classes[placed[other]], units[other], 1)
    return better
