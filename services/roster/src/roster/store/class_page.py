"""All that a page about one class begins with, in one round trip: the class, who asks, who is in it, who teaches it.

The hottest reading of the service: the roll, the marks and every form of a class open with it.
"""

# Statements are put together from constants of this package; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.duty import Duty
from roster.domain.names import Name, NameSets
from roster.domain.people import ClassList, Pupil, RosterEntry, School, SchoolClass
from roster.domain.period import Period
from roster.domain.standing import Standing
from roster.store import rows
from roster.store.aggregates import own_school_grades
from roster.store.rows import CLASS, NAMES

_DOOR = text(f"""
    SELECT {CLASS}, s.code AS school_code, s.name AS school_name, s.kind AS school_kind, s.address AS school_address,
           s.version AS school_version,
           ARRAY(SELECT a.post FROM appointments a WHERE a.staff_id = :person AND a.school_id = c.school_id
                 AND a.starts_on <= :on AND (a.ends_on IS NULL OR a.ends_on >= :on)) AS posts
    FROM classes c JOIN schools s ON s.id = c.school_id WHERE c.id = :id AND c.withdrawn_on IS NULL""")

# Only what a class list shows, unpacked by position.
_LIST = """
    SELECT p.id, p.display_family, p.display_given, p.display_middle, p.kana_family, p.kana_given, p.kana_middle,
           p.sex, p.birth_on, p.protected_address, p.version, m.number, m.starts_on, m.ends_on,
           EXISTS (SELECT FROM enrolments e WHERE e.pupil_id = p.id AND e.school_id = c.school_id
                   AND e.starts_on <= :on AND (e.ends_on IS NULL OR e.ends_on >= :on)) AS enrolled
    FROM classes c JOIN class_members m ON m.class_id = c.id JOIN persons p ON p.id = m.pupil_id
    WHERE c.id = :class AND (m.ends_on IS NULL OR m.ends_on >= m.starts_on) {days}
    ORDER BY m.number = 0, m.number, p.sort_key, p.id, m.starts_on"""
_ON_DAY = text(_LIST.format(days="AND m.starts_on <= :on AND (m.ends_on IS NULL OR m.ends_on >= :on)"))
_WHOLE_YEAR = text(_LIST.format(days=""))

_WHO_TEACHES = text(f"""
    SELECT * FROM (
        SELECT d.id AS duty_id, d.kind, d.staff_id, d.school_id, d.class_id, d.subject, d.school_grade, d.starts_on,
               d.ends_on, p.id, {NAMES},
               (SELECT a.post FROM appointments a WHERE a.staff_id = p.id AND a.starts_on <= :on
                ORDER BY (a.ends_on IS NULL OR a.ends_on >= :on) DESC, a.starts_on DESC LIMIT 1) AS post
        FROM duties d JOIN persons p ON p.id = d.staff_id
        WHERE d.class_id = :id
        UNION ALL
        SELECT NULL, a.post, a.staff_id, a.school_id, c.id, '', '', a.starts_on, a.ends_on, p.id, {NAMES}, a.post
        FROM classes c JOIN appointments a ON a.school_id = c.school_id JOIN persons p ON p.id = a.staff_id
        WHERE c.id = :id AND a.post IN ('principal', 'vice_principal')
          AND a.starts_on < make_date(c.school_year + 1, 4, 1)
          AND (a.ends_on IS NULL OR a.ends_on >= make_date(c.school_year, 4, 1))) x
    ORDER BY duty_id IS NULL, kind, subject, CASE WHEN duty_id IS NOT NULL THEN starts_on END, starts_on DESC""")


async def class_page(
    tx: Transaction, class_id: UUID, person_id: UUID, on: date, today: date, *, whole_year: bool
) -> tuple[ClassList, Standing] | None:
    """A class with its members of the day (or of its whole year), and what the person is at its school today; or None.

    Pupils by 出席番号, the unnumbered last. Duties over the class's whole year; the names of those who hold them, then
    校長 and 教頭 of that year: after a change in mid-year the 校長 in office comes before the predecessor.
    """
    door, members, teaching = await tx.execute_all(
        (_DOOR, {"id": class_id, "person": person_id, "on": today}),
        (_WHOLE_YEAR if whole_year else _ON_DAY, {"class": class_id, "on": on}),
        (_WHO_TEACHES, {"id": class_id, "on": today}),
    )
    row = door.one_or_none()
    if row is None:
        return None
    school = School(
        row.school_id, row.school_code, row.school_name, row.school_kind, row.school_address, row.school_version
    )
    homeroom = rows.school_class(row)
    own = await own_school_grades(tx, [class_id]) if homeroom.kind == "special_needs" else {}
    standing = Standing(person_id, {row.school_id: frozenset(row.posts)} if row.posts else {})
    duties, people = _teaching(teaching)
    names = tuple(rows.staff_name(person) for person in people.values())
    return ClassList(homeroom, school, tuple(_entries(members, homeroom, own)), tuple(duties), names), standing


def _entries(
    members: Iterable[Any], homeroom: SchoolClass, own: dict[tuple[UUID, UUID], str]
) -> Iterable[RosterEntry]:
    school_id, class_id, school_grade = homeroom.school_id, homeroom.id, homeroom.school_grade
    entries: dict[UUID, RosterEntry] = {}
    for (
        pupil_id, family, given, middle, kana_family, kana_given, kana_middle, sex, birth_on, protected, version,
        number, starts_on, ends_on, enrolled,
    ) in members:  # fmt: skip
        period = Period(starts_on, ends_on)
        known = entries.get(pupil_id)
        if known is not None:
            entries[pupil_id] = RosterEntry(known.pupil, (*known.periods, period))
            continue
        names = NameSets(Name(family, given, middle), Name(kana_family, kana_given, kana_middle))
        pupil = Pupil(
            pupil_id, names, sex, birth_on, school_id, class_id, own.get((class_id, pupil_id), school_grade), number,
            enrolled, protected, version,
        )  # fmt: skip
        entries[pupil_id] = RosterEntry(pupil, (period,))
    return entries.values()


def _teaching(found: Iterable[Any]) -> tuple[list[Duty], dict[UUID, Any]]:
    duties: list[Duty] = []
    people: dict[UUID, Any] = {}
    for row in found:
        people.setdefault(row.staff_id, row)
        if row.duty_id is None:
            continue
        duties.append(
            Duty(
                row.duty_id, row.kind, row.staff_id, row.school_id, row.class_id, row.subject, row.school_grade,
                Period(row.starts_on, row.ends_on),
            )
        )  # fmt: skip
    return duties, people
