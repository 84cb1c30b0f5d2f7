"""The whole register of a board for projections that are built anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from servicekit.db import Transaction

from roster.domain.names import NameSets
from roster.domain.people import Board
from roster.store import aggregates, me, pupils, schools


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


async def people(tx: Transaction, ids: Sequence[UUID]) -> tuple[Board | None, list[tuple[UUID, str, NameSets]]]:
    """The board, and display names and kana of its people."""
    _, board = await me.person_and_board(tx, UUID(int=0))
    return board, await pupils.people_names(tx, ids, None)
