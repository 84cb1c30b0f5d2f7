"""異動一覧 and 在籍者数, from the dated events."""

# Statements are put together from constants of this module; values are always parameters.
from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from jpschool.school_year import school_year_of
from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.counting import Count, Listed, ListedPlace, years_before
from roster.domain.enrolment import ENTRIES
from roster.store import pupils, rows

# The class an exit was from, or an entry led into, in the school year of that day.
_EVENTS = """
    SELECT v.*, coalesce(m.name, '') AS class_name, coalesce(m.number, 0) AS number
    FROM (SELECT v.* FROM enrolment_events v
          WHERE v.struck_at IS NULL AND v.effective_on IS NOT NULL {where}
          ORDER BY v.effective_on, v.id LIMIT :limit) v
    LEFT JOIN LATERAL (
        SELECT c.name, m.number FROM class_members m JOIN classes c ON c.id = m.class_id
        WHERE m.pupil_id = v.pupil_id AND c.school_id = v.school_id AND c.kind <> 'course'
          AND (m.ends_on IS NULL OR m.ends_on >= greatest(m.starts_on, v.effective_on))
          AND (m.starts_on <= v.effective_on OR v.kind = ANY(:entries))
        ORDER BY m.starts_on <= v.effective_on DESC, c.kind DESC, m.starts_on LIMIT 1) m ON true
    ORDER BY v.effective_on, v.id"""


async def movements(
    tx: Transaction, school_ids: Collection[UUID] | None, from_on: date | None, to_on: date | None,
    kinds: Collection[str], last_only: bool, after: ListedPlace | None, on: date, limit: int,
) -> list[Listed]:  # fmt: skip
    """Standing events of those schools by day; `on`: the day the children's places are told of."""
    where, parameters = "", dict[str, Any](limit=limit, entries=list(ENTRIES))
    for condition, name, value in (
        ("v.school_id = ANY(:schools)", "schools", None if school_ids is None else list(school_ids)),
        ("v.effective_on >= :from", "from", from_on),
        ("v.effective_on <= :to", "to", to_on),
        ("v.kind = ANY(:kinds)", "kinds", list(kinds) or None),
    ):
        if value is not None:
            where += f" AND {condition}"
            parameters[name] = value
    if last_only:
        where += """ AND NOT EXISTS (SELECT FROM enrolments n WHERE n.pupil_id = v.pupil_id
            AND n.starts_on > v.effective_on AND (n.ends_on IS NULL OR n.ends_on >= n.starts_on))"""
    if after is not None:
        where += " AND (v.effective_on, v.id) > (:after_on, :after_id)"
        parameters |= {"after_on": after.effective_on, "after_id": after.event_id}
    found = (await tx.execute(text(_EVENTS.format(where=where)), parameters)).all()
    ids = list({row.pupil_id for row in found})
    children = {one.id: one for one in await pupils.by_ids(tx, ids, on, official=False)}
    guardians = await _guardian_names(tx, ids)
    return [
        Listed(
            children[row.pupil_id], rows.enrolment_event(row), row.class_name, row.number,
            guardians.get(row.pupil_id, ""),
        )
        for row in found
    ]  # fmt: skip


async def _guardian_names(tx: Transaction, pupil_ids: Sequence[UUID]) -> dict[UUID, str]:
    query = text("""SELECT DISTINCT ON (pupil_id) pupil_id, display_family, display_given FROM guardians
        WHERE pupil_id = ANY(:ids) AND ends_on IS NULL ORDER BY pupil_id, rank, id""")
    return {
        row.pupil_id: "\u3000".join(filter(None, (row.display_family, row.display_given)))
        for row in await tx.execute(query, {"ids": list(pupil_ids)})
    }


# The roll tells the 学年 of the school's newest year, or of the year the child left in (`store.aggregates`);
# an ordinary class of a day tells its own. A child in 特別支援学級 and 交流学級 counts in the first.
_COUNTS = """
    WITH newest AS (SELECT school_id, max(school_year) AS school_year FROM classes GROUP BY school_id),
    held AS (
        SELECT DISTINCT ON (m.pupil_id, c.school_id) m.pupil_id, c.school_id, c.id, c.name, c.kind, c.school_grade
        FROM class_members m JOIN classes c ON c.id = m.class_id AND c.kind <> 'course' AND c.school_year = :year
        WHERE m.starts_on <= :on AND (m.ends_on IS NULL OR m.ends_on >= :on) {classes}
        ORDER BY m.pupil_id, c.school_id, c.kind DESC, m.starts_on DESC)
    SELECT e.school_id, h.id AS class_id, coalesce(h.name, '') AS class_name, coalesce(h.kind, '') AS class_kind,
           CASE WHEN h.kind = 'homeroom' AND h.school_grade <> '' THEN h.school_grade ELSE '' END AS of_class,
           e.school_grade AS of_roll,
           greatest(0, least(n.school_year, CAST(extract(year FROM e.ends_on - interval '3 months') AS int)) - :year)
               AS later,
           p.sex, count(*) AS number
    FROM enrolments e JOIN persons p ON p.id = e.pupil_id JOIN schools s ON s.id = e.school_id
    LEFT JOIN newest n ON n.school_id = e.school_id
    LEFT JOIN held h ON h.pupil_id = e.pupil_id AND h.school_id = e.school_id
    WHERE e.starts_on <= :on AND (e.ends_on IS NULL OR e.ends_on >= :on) {rolls}
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, s.code ORDER BY s.code, 4, 5, 3, 8"""


async def enrolled(tx: Transaction, school_ids: Collection[UUID] | None, on: date) -> list[Count]:
    """Children on the roll on a day, by school, class, 学年 and sex."""
    parameters: dict[str, Any] = {"on": on, "year": school_year_of(on)}
    classes = rolls = ""
    if school_ids is not None:
        classes, rolls = "AND c.school_id = ANY(:schools)", "AND e.school_id = ANY(:schools)"
        parameters["schools"] = list(school_ids)
    found = await tx.execute(text(_COUNTS.format(classes=classes, rolls=rolls)), parameters)
    return [
        Count(
            row.school_id, row.class_id, row.class_name, row.class_kind,
            row.of_class or years_before(row.of_roll, row.later or 0), row.sex, row.number,
        )
        for row in found
    ]  # fmt: skip
