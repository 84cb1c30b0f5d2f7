"""出席番号を付け直す: looked at before, given to the whole class at once."""

from __future__ import annotations

from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation

from roster import policy
from roster.domain import numbering as rules
from roster.domain.numbering import Numbering, NumberingProblem, Seat
from roster.domain.people import Pupil, SchoolClass
from roster.store import numbering, pupils, schools
from roster.usecases import telling
from roster.usecases.views import standing_of

Numbered = tuple[SchoolClass, list[tuple[Pupil, int, int]]]
"""The class; each child with its number before and after, by the new one."""


async def preview(tx: Transaction, actor: Actor, class_id: UUID, how: Numbering, version: int) -> Numbered:
    """What the same request would do; nothing is written."""
    homeroom, seats, numbers = await _numbers(tx, actor, class_id, how)
    return homeroom, await _told(tx, seats, numbers)


async def number_class(tx: Transaction, actor: Actor, class_id: UUID, how: Numbering, version: int) -> Numbered:
    """Give the numbers. 出席番号 holds for the year: rolls and papers of its earlier months show the new one, too."""
    homeroom, seats, numbers = await _numbers(tx, actor, class_id, how, lock=True)
    told = await _told(tx, seats, numbers)
    if await schools.bump_class(tx, class_id, expected=version) is None:
        raise Conflict(
            "この学級は、ほかの人が変更しました。画面を開き直してください。",
            {"version": str(homeroom.version)}, reason="CHANGED_MEANWHILE",
        )  # fmt: skip
    await numbering.save(tx, class_id, numbers)
    for pupil, before, after in told:
        if before != after:
            tx.audit(
                "class.numbered", class_id, subject_id=pupil.id, before={"number": before}, after={"number": after}
            )
    await telling.class_rosters_changed(tx, {class_id})
    return homeroom, told


async def _numbers(
    tx: Transaction, actor: Actor, class_id: UUID, how: Numbering, *, lock: bool = False
) -> tuple[SchoolClass, list[Seat], dict[UUID, int]]:
    homeroom = await schools.get_class(tx, class_id, lock=lock)
    if homeroom is None:
        raise Unseen("学級が見つかりません。")
    policy.may_keep_register(actor, await standing_of(tx, actor), homeroom.school_id, "出席番号").enforce()
    seats = await numbering.seats(tx, class_id)
    try:
        return homeroom, seats, rules.renumber(seats, how, day_in_jst(tx.now))
    except NumberingProblem as problem:
        raise Invalid(str(problem), [Violation(problem.field, str(problem))]) from problem


async def _told(tx: Transaction, seats: list[Seat], numbers: dict[UUID, int]) -> list[tuple[Pupil, int, int]]:
    was = {seat.pupil_id: seat.number for seat in seats}
    children = await pupils.by_ids(tx, list(numbers), day_in_jst(tx.now), official=False)
    lines = [(child, was[child.id], numbers[child.id]) for child in children]
    return sorted(lines, key=lambda line: line[2])
