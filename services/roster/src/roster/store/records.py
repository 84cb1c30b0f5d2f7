"""A pupil's whole record: names, addresses, guardians, classes; and the year lines of 様式1."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.names import DatedName, Name
from roster.domain.people import Address, DatedStaff, Guardian, Placement
from roster.domain.period import Period
from roster.store import rows
from roster.store.rows import CLASS, NAMES


async def dated_names(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, list[DatedName]]:
    """Every name a person has or had, in each set, oldest first. The days of a name from the first import are open."""
    found: dict[UUID, list[DatedName]] = {}
    for row in await tx.execute(
        text("""SELECT person_id, kind, family, given, middle, starts_on, ends_on FROM former_names
                WHERE person_id = ANY(:ids) ORDER BY person_id, kind, starts_on"""),
        {"ids": list(ids)},
    ):
        name = Name(row.family, row.given, row.middle)
        found.setdefault(row.person_id, []).append(DatedName(row.kind, name, Period(row.starts_on, row.ends_on)))
    query = f"SELECT p.id, {NAMES}, p.named_on, p.official_on, p.alias_on FROM persons p WHERE p.id = ANY(:ids)"
    for row in await tx.execute(text(query), {"ids": list(ids)}):
        sets = rows.names(row, official=True)
        for kind, current, since in (
            ("official", sets.official, row.official_on),
            ("display", sets.display, row.named_on),
            ("kana", sets.kana, row.named_on),
            ("alias", sets.alias, row.alias_on),
        ):
            if current:
                found.setdefault(row.id, []).append(DatedName(kind, current, Period(since or row.named_on)))
    return found


async def addresses(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, list[Address]]:
    """現住所, oldest first."""
    found: dict[UUID, list[Address]] = {}
    for row in await tx.execute(
        text("SELECT * FROM addresses WHERE person_id = ANY(:ids) ORDER BY person_id, starts_on"), {"ids": list(ids)}
    ):
        found.setdefault(row.person_id, []).append(
            Address(row.postal_code, row.text, Period(row.starts_on, row.ends_on))
        )
    return found


async def guardians(tx: Transaction, pupil_ids: Sequence[UUID]) -> dict[UUID, list[Guardian]]:
    """保護者 of today by rank."""
    return await _guardians(tx, pupil_ids, "p.ends_on IS NULL ORDER BY p.pupil_id, p.rank, p.id")


async def former_guardians(tx: Transaction, pupil_ids: Sequence[UUID]) -> dict[UUID, list[Guardian]]:
    """保護者 who stood on 様式1 before, oldest first."""
    return await _guardians(
        tx, pupil_ids, "p.rank = 1 AND p.ends_on IS NOT NULL ORDER BY p.pupil_id, p.ends_on, p.starts_on, p.id"
    )


async def _guardians(tx: Transaction, pupil_ids: Sequence[UUID], which: str) -> dict[UUID, list[Guardian]]:
    query = f"""SELECT p.pupil_id, p.id, {NAMES}, p.rank, p.relationship, p.phone, p.address, p.starts_on, p.ends_on
        FROM (SELECT g.*, NULL AS alias_family, NULL AS alias_given, NULL AS alias_middle FROM guardians g) p
        WHERE p.pupil_id = ANY(:ids) AND {which}"""
    found: dict[UUID, list[Guardian]] = {}
    for row in await tx.execute(text(query), {"ids": list(pupil_ids)}):
        found.setdefault(row.pupil_id, []).append(
            Guardian(
                row.id, rows.names(row, official=True), row.relationship, row.rank, row.phone, row.address,
                Period(row.starts_on, row.ends_on) if row.ends_on else None,
            )
        )  # fmt: skip
    return found


async def placements(tx: Transaction, pupil_ids: Sequence[UUID]) -> dict[UUID, list[Placement]]:
    """Classes a child is or was in, oldest first."""
    query = f"""SELECT {CLASS}, m.pupil_id, m.number, m.starts_on, m.ends_on
        FROM class_members m JOIN classes c ON c.id = m.class_id
        WHERE m.pupil_id = ANY(:ids) AND (m.ends_on IS NULL OR m.ends_on >= m.starts_on)
        ORDER BY m.pupil_id, c.school_year, c.kind = 'course', m.starts_on, c.name"""
    found: dict[UUID, list[Placement]] = {}
    for row in await tx.execute(text(query), {"ids": list(pupil_ids)}):
        found.setdefault(row.pupil_id, []).append(
            Placement(rows.school_class(row), row.number, Period(row.starts_on, row.ends_on))
        )
    return found


async def family_facts(tx: Transaction, pupil_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """入学前の経歴 and 進学先."""
    query = text("SELECT id, prior_history, next_school, next_school_address FROM persons WHERE id = ANY(:ids)")
    return {row.id: row for row in await tx.execute(query, {"ids": list(pupil_ids)})}


async def principals(tx: Transaction, school_ids: Collection[UUID]) -> Mapping[UUID, list[DatedStaff]]:
    """校長 of each school with their days."""
    query = f"""SELECT a.school_id, a.starts_on, a.ends_on, a.post, {NAMES} FROM appointments a
        JOIN persons p ON p.id = a.staff_id WHERE a.school_id = ANY(:ids) AND a.post = 'principal'
        ORDER BY a.starts_on, p.sort_key"""
    return _dated(await tx.execute(text(query), {"ids": list(school_ids)}), "school_id")


async def homeroom_teachers(tx: Transaction, class_ids: Collection[UUID]) -> Mapping[UUID, list[DatedStaff]]:
    """学級担任者 of each class with their days: a predecessor's period is noted (様式1)."""
    query = f"""SELECT d.class_id, d.starts_on, d.ends_on, {NAMES},
            (SELECT a.post FROM appointments a WHERE a.staff_id = d.staff_id AND a.school_id = d.school_id
             ORDER BY a.starts_on <= d.starts_on DESC, a.starts_on DESC LIMIT 1) AS post
        FROM duties d JOIN persons p ON p.id = d.staff_id WHERE d.class_id = ANY(:ids) AND d.kind = 'homeroom'
        ORDER BY d.starts_on, p.sort_key"""
    return _dated(await tx.execute(text(query), {"ids": list(class_ids)}), "class_id")


def _dated(found: Any, key: str) -> dict[UUID, list[DatedStaff]]:
    staff: dict[UUID, list[DatedStaff]] = {}
    for row in found:
        sets = rows.names(row, official=True)
        staff.setdefault(getattr(row, key), []).append(
            DatedStaff(sets.official or sets.display, Period(row.starts_on, row.ends_on), row.post or "")
        )
    return staff
