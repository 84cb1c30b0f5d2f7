"""Pupils: class lists, search, the pupil's own page, names."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.names import Name, NameSets
from roster.domain.people import Pupil
from roster.domain.period import Period
from roster.policy import PupilFacts
from roster.store import rows
from roster.store.rows import NAMES, PUPIL

# Today's place of a child: the roll it stands on, and the homeroom there.
_PLACE = """
    LEFT JOIN LATERAL (
        SELECT e.school_id, e.school_grade, e.starts_on, e.ends_on FROM enrolments e WHERE e.pupil_id = p.id
        ORDER BY e.ends_on IS NULL DESC, e.starts_on DESC LIMIT 1) e ON true
    LEFT JOIN LATERAL (
        SELECT m.class_id, m.number, c.name, c.kind, c.school_grade FROM class_members m
        JOIN classes c ON c.id = m.class_id AND c.school_id = e.school_id AND c.kind <> 'course'
        WHERE m.pupil_id = p.id AND m.starts_on <= :on AND (m.ends_on IS NULL OR m.ends_on >= :on)
        ORDER BY c.kind DESC, m.starts_on DESC LIMIT 1) m ON true"""
_PLACED = (
    f"{PUPIL}, e.school_id AS of_school, m.class_id, "
    # 特別支援学級 has children of several 学年: there the roll says it, not the class.
    "coalesce(CASE WHEN m.kind = 'special_needs' THEN nullif(e.school_grade, '') END, "
    "m.school_grade, e.school_grade, '') AS school_grade, "
    "m.name AS class_name, coalesce(m.number, 0) AS number, "
    "coalesce(e.starts_on <= :on AND (e.ends_on IS NULL OR e.ends_on >= :on), false) AS enrolled"
)


def _placed(row: Any, *, official: bool = False) -> Pupil:
    return rows.pupil(
        row, school_id=row.of_school, class_id=row.class_id, school_grade=row.school_grade, number=row.number,
        enrolled=row.enrolled, official=official,
    )  # fmt: skip


# The places of a whole page at once: `_PLACE` child by child costs half as much again.
_PLACES_OF_PAGE = f"""
    , rolls AS (
        SELECT DISTINCT ON (e.pupil_id) e.pupil_id, e.school_id, e.school_grade, e.starts_on, e.ends_on
        FROM page JOIN enrolments e ON e.pupil_id = page.id
        ORDER BY e.pupil_id, e.ends_on IS NULL DESC, e.starts_on DESC),
    sits AS (
        SELECT DISTINCT ON (m.pupil_id) m.pupil_id, m.class_id, m.number, c.name, c.kind, c.school_grade
        FROM rolls e JOIN class_members m ON m.pupil_id = e.pupil_id AND m.starts_on <= :on
             AND (m.ends_on IS NULL OR m.ends_on >= :on)
        JOIN classes c ON c.id = m.class_id AND c.school_id = e.school_id AND c.kind <> 'course'
        ORDER BY m.pupil_id, c.kind DESC, m.starts_on DESC)
    SELECT {_PLACED} FROM page JOIN persons p ON p.id = page.id
    LEFT JOIN rolls e ON e.pupil_id = p.id LEFT JOIN sits m ON m.pupil_id = p.id ORDER BY p.sort_key, p.id"""
_ON_ROLL = "(x.ends_on IS NULL OR x.ends_on >= :on)"


async def search(
    tx: Transaction, *, key: str, number: int | None, school_ids: Collection[UUID] | None, include_left: bool,
    after: tuple[str, UUID] | None, on: date, limit: int,
) -> list[Pupil]:  # fmt: skip
    """Pupils of those schools in 五十音 order whose name in any form, today's or a former one, contains the key.

    Of schools: from their rolls, some hundred children of perhaps 500,000. Of the whole board: along the index in
    五十音 order, which holds the key too; a trigram index is of no use behind row security: LIKE is not leakproof.
    """
    where = ["p.kind = 'pupil'"]
    parameters: dict[str, Any] = {"on": on, "limit": limit}
    source = "persons p"
    current = "" if include_left else f" AND {_ON_ROLL}"
    if school_ids is not None:
        source = f"""(SELECT DISTINCT x.pupil_id FROM enrolments x WHERE x.school_id = ANY(:schools){current}) r
            JOIN persons p ON p.id = r.pupil_id"""
        parameters["schools"] = list(school_ids)
    elif not include_left:
        where.append(f"EXISTS (SELECT FROM enrolments x WHERE x.pupil_id = p.id{current})")
    if key:
        where.append("position(:key IN p.search_text) > 0")
        parameters["key"] = key
    if number is not None:
        where.append("""EXISTS (SELECT FROM class_members n JOIN classes c ON c.id = n.class_id AND c.kind <> 'course'
            WHERE n.pupil_id = p.id AND n.number = :number AND n.starts_on <= :on
              AND (n.ends_on IS NULL OR n.ends_on >= :on))""")
        parameters["number"] = number
    if after is not None:
        where.append("(p.sort_key, p.id) > (:after_key, :after_id)")
        parameters |= {"after_key": after[0], "after_id": after[1]}
    query = f"""WITH page AS MATERIALIZED (
            SELECT p.id FROM {source} WHERE {" AND ".join(where)} ORDER BY p.sort_key, p.id LIMIT :limit)
        {_PLACES_OF_PAGE}"""
    return [_placed(row) for row in await tx.execute(text(query), parameters)]


async def by_ids(tx: Transaction, ids: Sequence[UUID], on: date, *, official: bool) -> list[Pupil]:
    """Pupils with today's place, in the order of 学級, 出席番号 and 五十音."""
    query = f"""SELECT {_PLACED} FROM persons p {_PLACE} WHERE p.id = ANY(:ids) AND p.kind = 'pupil'
        ORDER BY coalesce(m.name, ''), coalesce(m.number, 0), p.sort_key, p.id"""
    return [_placed(row, official=official) for row in await tx.execute(text(query), {"ids": list(ids), "on": on})]


async def facts(tx: Transaction, ids: Sequence[UUID], on: date) -> dict[UUID, PupilFacts]:
    """What policies need to know about pupils: schools whose roll they stand or stood on, and today's class."""
    query = f"""SELECT p.id, p.protected_address, m.class_id, coalesce(m.name, '') AS class_name,
            ARRAY(SELECT x.school_id FROM enrolments x WHERE x.pupil_id = p.id) AS school_ids
        FROM persons p {_PLACE} WHERE p.id = ANY(:ids) AND p.kind = 'pupil'"""
    return {
        row.id: PupilFacts(row.id, frozenset(row.school_ids), row.class_id, row.class_name, row.protected_address)
        for row in await tx.execute(text(query), {"ids": list(ids), "on": on})
    }


async def member_ids(tx: Transaction, class_id: UUID) -> list[UUID]:
    """Everybody who is or was in the class, by 出席番号."""
    query = text("""SELECT pupil_id FROM class_members WHERE class_id = :id
        AND (ends_on IS NULL OR ends_on >= starts_on) GROUP BY pupil_id ORDER BY min(number), pupil_id""")
    return [row.pupil_id for row in await tx.execute(query, {"id": class_id})]


async def people_names(
    tx: Transaction, ids: Collection[UUID], school_ids: Collection[UUID] | None
) -> list[tuple[UUID, str, NameSets]]:
    """Display names and kana: of staff of the whole board, and of pupils who are or were at those schools."""
    where = ""
    parameters: dict[str, Any] = {"ids": list(ids)}
    if school_ids is not None:
        where = """AND (p.kind = 'staff' OR EXISTS (SELECT FROM enrolments e WHERE e.pupil_id = p.id
            AND e.school_id = ANY(:schools)))"""
        parameters["schools"] = list(school_ids)
    query = f"SELECT p.id, p.kind, {NAMES} FROM persons p WHERE p.id = ANY(:ids) {where} ORDER BY p.sort_key"
    return [(row.id, row.kind, rows.names(row)) for row in await tx.execute(text(query), parameters)]


async def candidates(
    tx: Transaction, pupil_id: UUID | None, kana_text: str, display_text: str, birth_on: date | None, on: date
) -> list[Pupil]:
    """Children who may be the one arriving: same UUID, else same kana or display name; same birth date first."""
    query = f"""SELECT {_PLACED} FROM persons p {_PLACE} WHERE p.kind = 'pupil' AND (p.id = :id
            OR (:kana <> '' AND position(:kana IN p.search_text) > 0)
            OR (:display <> '' AND position(:display IN p.search_text) > 0))
        ORDER BY p.id = :id DESC, p.birth_on IS NOT DISTINCT FROM CAST(:birth AS date) DESC, p.sort_key, p.id
        LIMIT 20"""
    found = await tx.execute(
        text(query), {"id": pupil_id, "kana": kana_text, "display": display_text, "birth": birth_on, "on": on}
    )
    return [_placed(row) for row in found]


async def place(tx: Transaction, pupil_id: UUID, class_id: UUID, number: int, period: Period) -> None:
    """Put a child into a class for a period."""
    await tx.execute(
        text("""INSERT INTO class_members (tenant_id, class_id, pupil_id, number, starts_on, ends_on)
            VALUES (:tenant, :class, :pupil, :number, :starts, :ends)
            ON CONFLICT (tenant_id, class_id, pupil_id, starts_on) DO UPDATE
                SET number = excluded.number, ends_on = excluded.ends_on"""),
        {
            "tenant": tx.tenant, "class": class_id, "pupil": pupil_id, "number": number, "starts": period.starts_on,
            "ends": period.ends_on,
        },
    )  # fmt: skip


async def numbers_taken(tx: Transaction, class_id: UUID) -> frozenset[int]:
    """出席番号 of everybody who is or was in the class this year: a number is not given twice."""
    query = text("SELECT DISTINCT number FROM class_members WHERE class_id = :id")
    return frozenset(row.number for row in await tx.execute(query, {"id": class_id}))


async def end_memberships(
    tx: Transaction, pupil_id: UUID, last_day: date, *, school_id: UUID, homerooms_only: bool = False
) -> list[UUID]:
    """End a child's class memberships at a school; tells the classes."""
    only = "AND c.kind <> 'course'" if homerooms_only else ""
    query = f"""UPDATE class_members m SET ends_on = greatest(:last, m.starts_on - 1) FROM classes c
        WHERE c.id = m.class_id AND c.school_id = :school {only} AND m.pupil_id = :pupil
          AND (m.ends_on IS NULL OR m.ends_on > :last) RETURNING m.class_id"""
    found = await tx.execute(text(query), {"pupil": pupil_id, "last": last_day, "school": school_id})
    return [row.class_id for row in found]


async def current_homeroom(tx: Transaction, pupil_id: UUID, school_id: UUID, on: date) -> UUID | None:
    """The class the child is in on that day at that school."""
    query = text("""SELECT m.class_id FROM class_members m JOIN classes c ON c.id = m.class_id
        WHERE m.pupil_id = :pupil AND c.school_id = :school AND c.kind <> 'course' AND m.starts_on <= :on
          AND (m.ends_on IS NULL OR m.ends_on >= :on) ORDER BY c.kind DESC, m.starts_on DESC LIMIT 1""")
    found: UUID | None = (
        await tx.execute(query, {"pupil": pupil_id, "school": school_id, "on": on})
    ).scalar_one_or_none()
    return found


async def enter_person(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Enter a child who came from another board; a child known here keeps its row and gets the newer facts."""
    columns = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    kept = {"id", "tenant_id", "kind", "search_text", "sex", "birth_on"}
    updates = ", ".join(f"{name} = excluded.{name}" for name in values if name not in kept)
    await tx.execute(
        text(f"""INSERT INTO persons ({columns}) VALUES ({marks})
            ON CONFLICT (tenant_id, id) DO UPDATE SET {updates}, gone_on = NULL, version = persons.version + 1,
                sex = coalesce(nullif(excluded.sex, ''), persons.sex),
                birth_on = coalesce(excluded.birth_on, persons.birth_on),
                search_text = persons.search_text || excluded.search_text"""),
        dict(values),
    )


def name_columns(kind: str, name: Name | None) -> dict[str, str | None]:
    """The three columns of one name set."""
    if name is None:
        return {f"{kind}_family": None, f"{kind}_given": None, f"{kind}_middle": None}
    return {f"{kind}_family": name.family, f"{kind}_given": name.given, f"{kind}_middle": name.middle}


async def ever_at(tx: Transaction, school_id: UUID) -> list[UUID]:
    """Everybody who is or was on the roll of a school."""
    query = text("SELECT DISTINCT pupil_id FROM enrolments WHERE school_id = :id")
    return [row.pupil_id for row in await tx.execute(query, {"id": school_id})]
