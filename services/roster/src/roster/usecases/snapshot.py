"""The whole register of a board for projections that are built anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from servicekit.db import Transaction

from roster.store import aggregates, schools


async def snapshot(tx: Transaction, school_year: int) -> AsyncIterator[tuple[str, Sequence[Any]]]:
    """Aggregates in batches, as of one moment: (school | class | staff | enrolment, states). Year 0 = every year."""
    await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    async for kind, ids in aggregates.all_ids(tx, school_year):
        match kind:
            case "school":
                yield kind, await schools.schools(tx, ids, closed=True)
            case "class":
                yield kind, await aggregates.class_rosters(tx, ids)
            case "staff":
                yield kind, await aggregates.staff(tx, ids)
            case _:
                yield kind, await aggregates.enrolments(tx, ids)
