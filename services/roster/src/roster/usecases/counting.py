"""異動一覧, 転入簿・転出簿, 居所不明者一覧, and 在籍者数 of any day: read from the dated events, never kept beside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction

from roster import policy
from roster.domain.counting import Count, Listed, ListedPlace
from roster.domain.people import School
from roster.store import counting, schools
from roster.usecases.views import standing_of


async def list_movements(
    tx: Transaction, actor: Actor, school_id: UUID | None, from_on: date | None, to_on: date | None,
    kinds: Collection[str], last_only: bool, after: ListedPlace | None, limit: int,
) -> tuple[list[Listed], bool]:  # fmt: skip
    """Standing events by day, and whether there are more. Where a protected child is, is told to its school only."""
    standing = await standing_of(tx, actor)
    scope = policy.kept_scope(actor, standing)
    wanted = None if scope.whole_board else scope.school_ids
    if school_id is not None:
        if not scope.covers(school_id):
            policy.may_keep_register(actor, standing, school_id, "異動一覧").enforce()
        wanted = frozenset({school_id})
    found = await counting.movements(tx, wanted, from_on, to_on, kinds, last_only, after, day_in_jst(tx.now), limit + 1)
    shown = [
        one.veiled()
        if one.pupil.protected_address and not policy.sees_protected_address(standing, [one.event.school_id])
        else one
        for one in found[:limit]
    ]
    return shown, len(found) > limit


async def count_enrolled(
    tx: Transaction, actor: Actor, school_id: UUID | None, on: date | None
) -> tuple[date, list[Count], list[School]]:
    """Children on the roll on a day, and the schools counted."""
    standing = await standing_of(tx, actor)
    scope = policy.scope(actor, standing)
    wanted = None if scope.whole_board else scope.school_ids
    if school_id is not None:
        policy.may_see_school(actor, standing, school_id).enforce()
        wanted = frozenset({school_id})
    day = on or day_in_jst(tx.now)
    return day, await counting.enrolled(tx, wanted, day), await schools.schools(tx, wanted, closed=True)
