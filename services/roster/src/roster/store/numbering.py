"""出席番号 of a class."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.numbering import Seat
from roster.domain.period import Period


async def seats(tx: Transaction, class_id: UUID) -> list[Seat]:
    """Everybody who is or was in the class this year, each once with the last days there."""
    query = text("""SELECT DISTINCT ON (m.pupil_id) m.pupil_id, m.number, m.starts_on, m.ends_on, p.sort_key, p.sex
        FROM class_members m JOIN persons p ON p.id = m.pupil_id
        WHERE m.class_id = :id AND (m.ends_on IS NULL OR m.ends_on >= m.starts_on)
        ORDER BY m.pupil_id, m.starts_on DESC""")
    return [
        Seat(row.pupil_id, row.number, Period(row.starts_on, row.ends_on), row.sort_key, row.sex)
        for row in await tx.execute(query, {"id": class_id})
    ]


async def save(tx: Transaction, class_id: UUID, numbers: Mapping[UUID, int]) -> None:
    """Give the numbers, for the whole of the year."""
    await tx.execute(
        text("""UPDATE class_members m SET number = v.number
            FROM unnest(CAST(:pupils AS uuid[]), CAST(:numbers AS int[])) AS v (pupil_id, number)
            WHERE m.class_id = :class AND m.pupil_id = v.pupil_id AND m.number <> v.number"""),
        {"class": class_id, "pupils": list(numbers), "numbers": list(numbers.values())},
    )
