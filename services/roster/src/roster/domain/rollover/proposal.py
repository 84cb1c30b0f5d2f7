"""A first proposal for クラス替え: even in size, sex, 配慮, former class and 成績の段階; pairs apart or together.

A proposal is where people begin, never a decision: they know the children. The same children give the same proposal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from uuid import UUID

from roster.domain.rollover.plan import APART, TOGETHER, Pair, PlannedPupil

# What a bad place costs; a broken pair outweighs every imbalance, size the rest together.
_PAIR, _SIZE = 1_000_000, 5_000
_SEX, _CARE, _FROM, _BAND = 20, 30, 6, 4
_MOST_SWAPS_TRIED = 6_000  # all of a 学年 of 110 children; a proposal is made while somebody waits


@dataclass(frozen=True, slots=True)
class _Child:
    """Who, and what counts: (kind, value) → weight of having one more of it in a class."""

    id: UUID
    traits: tuple[tuple[tuple[str, str], int], ...]


@dataclass(slots=True)
class _Class:
    members: set[UUID] = field(default_factory=set)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)


def propose(pupils: Sequence[PlannedPupil], class_ids: Sequence[UUID], pairs: Sequence[Pair]) -> dict[UUID, UUID]:
    """Child → class, for the children without one; those who have one stay and are counted.

    Children to be kept together go as one. Greedy by the hardest first, then swaps that help.
    """
    if not class_ids:
        return {}
    classes = {class_id: _Class() for class_id in class_ids}
    known = {pupil.id: pupil for pupil in pupils}
    for pupil in pupils:
        if pupil.class_id in classes:
            _put(classes[pupil.class_id], [_child(pupil)], 1)
    apart = _apart(pairs)
    placed: dict[int, UUID] = {}
    held: set[int] = set()
    units = _units([pupil for pupil in pupils if pupil.class_id is None], pairs)
    for index, unit in enumerate(units):
        fixed = _beside(unit, pairs, known, classes)
        if fixed is not None:
            held.add(index)
        placed[index] = fixed or _cheapest(classes, unit, apart)
        _put(classes[placed[index]], unit, 1)
    _swap(units, placed, classes, apart, held)
    return {child.id: placed[index] for index, unit in enumerate(units) for child in unit}


def _apart(pairs: Iterable[Pair]) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    for pair in pairs:
        if pair.kind == APART:
            found.setdefault(pair.first_id, set()).add(pair.second_id)
            found.setdefault(pair.second_id, set()).add(pair.first_id)
    return found


def _units(free: Sequence[PlannedPupil], pairs: Sequence[Pair]) -> list[list[_Child]]:
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

    return [list(map(_child, unit)) for unit in sorted(grouped.values(), key=hardness)]


def _beside(
    unit: Sequence[_Child], pairs: Sequence[Pair], known: dict[UUID, PlannedPupil], classes: dict[UUID, _Class]
) -> UUID | None:
    """The class of a placed child whom one of the unit shall be with."""
    mine = {child.id for child in unit}
    for pair in pairs:
        if pair.kind == TOGETHER and (pair.first_id in mine) != (pair.second_id in mine):
            other = known.get(pair.second_id if pair.first_id in mine else pair.first_id)
            if other is not None and other.class_id in classes:
                return other.class_id
    return None


def _child(pupil: PlannedPupil) -> _Child:
    traits = [(("sex", pupil.sex), _SEX)]
    if pupil.care:
        traits.append((("care", ""), _CARE))
    if pupil.from_class:
        traits.append((("from", pupil.from_class), _FROM))
    if pupil.band:
        traits.append((("band", str(pupil.band)), _BAND))
    return _Child(pupil.id, tuple(traits))


def _put(place: _Class, unit: Iterable[_Child], by: int) -> None:
    for child in unit:
        (place.members.add if by > 0 else place.members.discard)(child.id)
        for trait, _ in child.traits:
            place.counts[trait] += by


def _cost(place: _Class, unit: Sequence[_Child], apart: dict[UUID, set[UUID]]) -> int:
    """What it costs to have the unit here besides who is here: the more of one kind, the dearer the next."""
    cost = _SIZE * len(place.members) * len(unit)
    for child in unit:
        if child.id in apart:
            cost += _PAIR * len(apart[child.id] & place.members)
        for trait, weight in child.traits:
            cost += weight * place.counts[trait]
    return cost


def _cheapest(classes: dict[UUID, _Class], unit: Sequence[_Child], apart: dict[UUID, set[UUID]]) -> UUID:
    """The first of those where the unit costs least."""
    return min(classes, key=lambda one: _cost(classes[one], unit, apart))


def _swap(
    units: Sequence[list[_Child]], placed: dict[int, UUID], classes: dict[UUID, _Class],
    apart: dict[UUID, set[UUID]], held: set[int],
) -> None:  # fmt: skip
    """Two units of one size change places where both together cost less there."""
    tried = 0
    for one, other in combinations([index for index in range(len(units)) if index not in held], 2):
        here, there = placed[one], placed[other]
        first, second = units[one], units[other]
        if here == there or len(first) != len(second):
            continue
        if len(first) == 1 and first[0].traits == second[0].traits and not apart.keys() & {first[0].id, second[0].id}:
            continue  # nothing would change
        tried += 1
        if tried > _MOST_SWAPS_TRIED:
            return
        _put(classes[here], first, -1)
        _put(classes[there], second, -1)
        stay = _cost(classes[here], first, apart) + _cost(classes[there], second, apart)
        swap = _cost(classes[there], first, apart) + _cost(classes[here], second, apart)
        if swap < stay:
            placed[one], placed[other] = there, here
        _put(classes[placed[one]], first, 1)
        _put(classes[placed[other]], second, 1)
