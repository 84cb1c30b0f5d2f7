"""年度更新の準備: the rehearsals themselves, their classes and wishes, and what the register says beside them."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from jpschool.school_year import first_day, last_day
from servicekit.db import Transaction

from roster.domain.rollover.check import Surroundings
from roster.domain.rollover.plan import Pair, PlannedClass, Rollover
from roster.store import rows
from roster.store.rows import NAMES

_ROLLOVER = """id, school_id, school_year, state, revision, number_order, certificate_from, certificate_order,
    graduated_on, created_at, created_by, job_id, published_at, published_by, attendance_on"""
_CLASS = "id, school_grade, name, kind, position, homeroom_staff_id, version"


def _rollover(row: Any) -> Rollover:
    return Rollover(
        row.id, row.school_id, row.school_year, row.state, row.revision, row.number_order, row.certificate_from,
        row.certificate_order, row.graduated_on, row.created_at, row.created_by, row.job_id, row.published_at,
        row.published_by, row.attendance_on,
    )  # fmt: skip


def a_class(row: Any) -> PlannedClass:
    """Of a row with the columns of CLASSES."""
    return PlannedClass(row.id, row.school_grade, row.name, row.kind, row.position, row.homeroom_staff_id, row.version)


def a_pair(row: Any) -> Pair:
    """Of a row with the columns of PAIRS."""
    return Pair(row.first_id, row.second_id, row.kind)


# --- rehearsals -----------------------------------------------------------------------------------------------------


async def of_school(tx: Transaction, school_id: UUID) -> list[Rollover]:
    """Newest year first."""
    query = f"SELECT {_ROLLOVER} FROM rollovers WHERE school_id = :school ORDER BY school_year DESC"
    return [_rollover(row) for row in await tx.execute(query, {"school": school_id})]


async def get(tx: Transaction, rollover_id: UUID, *, lock: bool = False) -> Rollover | None:
    """The rehearsal, or None."""
    query = f"SELECT {_ROLLOVER} FROM rollovers WHERE id = :id" + (" FOR UPDATE" if lock else "")
    row = (await tx.execute(query, {"id": rollover_id})).one_or_none()
    return _rollover(row) if row else None


async def insert(tx: Transaction, rollover: Rollover) -> bool:
    """Enter it; False when the school has one for that year."""
    written = await tx.execute(
        """INSERT INTO rollovers (tenant_id, id, school_id, school_year, state, number_order, certificate_from,
               certificate_order, graduated_on, created_at, created_by)
           VALUES (:tenant, :id, :school, :year, :state, :number_order, :from, :order, :graduated, :at, :by)
           ON CONFLICT (tenant_id, school_id, school_year) DO NOTHING RETURNING id""",
        {
            "tenant": tx.tenant, "id": rollover.id, "school": rollover.school_id, "year": rollover.school_year,
            "state": rollover.state, "number_order": rollover.number_order, "from": rollover.certificate_from,
            "order": rollover.certificate_order, "graduated": rollover.graduated_on, "at": rollover.created_at,
            "by": rollover.created_by,
        },
    )  # fmt: skip
    return written.first() is not None


async def discard(tx: Transaction, rollover_id: UUID) -> None:
    """Drop a rehearsal with all that belongs to it."""
    for table in ("rollover_pairs", "rollover_pupils", "rollover_classes", "rollover_ended"):
        await tx.execute(f"DELETE FROM {table} WHERE rollover_id = :id", {"id": rollover_id})
    await tx.execute("DELETE FROM rollovers WHERE id = :id", {"id": rollover_id})


async def next_revision(tx: Transaction, rollover_id: UUID) -> int:
    """Count a change on. The row stays locked: planners of one school change one after the other."""
    return int(
        await tx.scalar(
            "UPDATE rollovers SET revision = revision + 1 WHERE id = :id RETURNING revision", {"id": rollover_id}
        )
    )


async def set_state(
    tx: Transaction, rollover_id: UUID, state: str, *, job_id: UUID | None = None, by: UUID | None = None
) -> None:
    """Move it on, with who did it and when."""
    await tx.execute(
        """UPDATE rollovers SET state = :state, job_id = coalesce(CAST(:job AS uuid), job_id),
               published_at = CASE WHEN :state = 'published' THEN CAST(:now AS timestamptz) ELSE published_at END,
               published_by = CASE WHEN :state = 'published' THEN CAST(:by AS uuid) ELSE published_by END,
               undone_at = CASE WHEN :state = 'undone' THEN CAST(:now AS timestamptz) ELSE undone_at END,
               undone_by = CASE WHEN :state = 'undone' THEN CAST(:by AS uuid) ELSE undone_by END
           WHERE id = :id""",
        {"id": rollover_id, "state": state, "job": job_id, "now": tx.now, "by": by},
    )


async def set_number_order(tx: Transaction, rollover_id: UUID, order: str) -> None:
    """How 出席番号 were given last."""
    await tx.execute("UPDATE rollovers SET number_order = :order WHERE id = :id", {"id": rollover_id, "order": order})


async def set_graduation(tx: Transaction, rollover_id: UUID, begins: int, order: str, on: date) -> None:
    """How 証書番号 run, and the day of 卒業."""
    await tx.execute(
        """UPDATE rollovers SET certificate_from = :begins, certificate_order = :order, graduated_on = :on
           WHERE id = :id""",
        {"id": rollover_id, "begins": begins, "order": order, "on": on},
    )


async def note_attendance(tx: Transaction, class_id: UUID, on: date) -> None:
    """The roll of a class was taken: if a rehearsal made the class, its year has begun to be lived."""
    await tx.execute(
        """UPDATE rollovers r SET attendance_on = :on
           WHERE r.state = 'published' AND (r.attendance_on IS NULL OR r.attendance_on > :on)
             AND r.id = (SELECT rollover_id FROM rollover_classes WHERE id = :class)""",
        {"class": class_id, "on": on},
    )


# --- classes and wishes ---------------------------------------------------------------------------------------------


CLASSES = f"""SELECT {_CLASS} FROM rollover_classes WHERE rollover_id = :id
    ORDER BY kind = 'special_needs', school_grade, position, name"""


async def classes(tx: Transaction, rollover_id: UUID) -> list[PlannedClass]:
    """In printed order; 特別支援学級 last."""
    return list(map(a_class, await tx.execute(CLASSES, {"id": rollover_id})))


async def put_classes(tx: Transaction, rollover_id: UUID, planned: Sequence[PlannedClass]) -> None:
    """Enter or rename classes, all in one statement."""
    await tx.execute(
        """INSERT INTO rollover_classes (tenant_id, rollover_id, id, school_grade, name, kind, position)
           SELECT :tenant, :id, * FROM unnest(CAST(:ids AS uuid[]), CAST(:school_grades AS text[]),
               CAST(:names AS text[]), CAST(:kinds AS text[]), CAST(:positions AS smallint[]))
           ON CONFLICT (tenant_id, rollover_id, id) DO UPDATE SET name = excluded.name, position = excluded.position,
               version = rollover_classes.version + 1""",
        {
            "tenant": tx.tenant, "id": rollover_id, "ids": [each.id for each in planned],
            "school_grades": [each.school_grade for each in planned], "names": [each.name for each in planned],
            "kinds": [each.kind for each in planned], "positions": [each.position for each in planned],
        },
    )  # fmt: skip


async def remove_classes(tx: Transaction, rollover_id: UUID, class_ids: Collection[UUID], revision: int) -> int:
    """Take classes away; their children have none then. Tells how many children that is."""
    p = {"id": rollover_id, "classes": list(class_ids), "revision": revision}
    freed = await tx.execute(
        """UPDATE rollover_pupils SET class_id = NULL, number = 0, version = version + 1, revision = :revision
           WHERE rollover_id = :id AND class_id = ANY(:classes)""",
        p,
    )
    await tx.execute("DELETE FROM rollover_classes WHERE rollover_id = :id AND id = ANY(:classes)",
                     {"id": p["id"], "classes": p["classes"]})  # fmt: skip
    return freed.rowcount


async def set_teacher(tx: Transaction, rollover_id: UUID, class_id: UUID, staff_id: UUID | None, version: int) -> bool:
    """担任 of a planned class; False when somebody else was faster."""
    written = await tx.execute(
        """UPDATE rollover_classes SET homeroom_staff_id = :staff, version = version + 1
           WHERE rollover_id = :id AND id = :class AND version = :version RETURNING id""",
        {"id": rollover_id, "class": class_id, "staff": staff_id, "version": version},
    )
    return written.first() is not None


PAIRS = "SELECT first_id, second_id, kind FROM rollover_pairs WHERE rollover_id = :id ORDER BY first_id, second_id"


async def pairs(tx: Transaction, rollover_id: UUID) -> list[Pair]:
    """Who shall be apart or together."""
    return list(map(a_pair, await tx.execute(PAIRS, {"id": rollover_id})))


async def set_pair(tx: Transaction, rollover_id: UUID, pair: Pair) -> None:
    """Enter, change, or (kind empty) take away a wish."""
    p = {"id": rollover_id, "first": min(pair.first_id, pair.second_id), "second": max(pair.first_id, pair.second_id)}
    if not pair.kind:
        await tx.execute(
            "DELETE FROM rollover_pairs WHERE rollover_id = :id AND first_id = :first AND second_id = :second", p
        )
        return
    await tx.execute(
        """INSERT INTO rollover_pairs (tenant_id, rollover_id, first_id, second_id, kind)
           VALUES (:tenant, :id, :first, :second, :kind)
           ON CONFLICT (tenant_id, rollover_id, first_id, second_id) DO UPDATE SET kind = excluded.kind""",
        p | {"tenant": tx.tenant, "kind": pair.kind},
    )


async def pair_twins(tx: Transaction, rollover_id: UUID) -> int:
    """Children of one 学年 with one 氏, one birth date and one address are apart unless somebody decides otherwise."""
    written = await tx.execute(
        """WITH children AS (
               SELECT r.pupil_id, r.school_grade, p.birth_on, p.kana_family, a.text AS address FROM rollover_pupils r
               JOIN persons p ON p.id = r.pupil_id
               JOIN addresses a ON a.person_id = p.id AND a.ends_on IS NULL
               WHERE r.rollover_id = :id AND r.outcome IN ('promoted', 'retained', 'enters') AND p.birth_on IS NOT NULL)
           INSERT INTO rollover_pairs (tenant_id, rollover_id, first_id, second_id, kind)
           SELECT :tenant, :id, one.pupil_id, other.pupil_id, 'apart' FROM children one
           JOIN children other USING (school_grade, birth_on, kana_family, address)
           WHERE one.pupil_id < other.pupil_id ON CONFLICT DO NOTHING""",
        {"id": rollover_id, "tenant": tx.tenant},
    )
    return written.rowcount


# --- the register beside it -----------------------------------------------------------------------------------------


async def newest_year(tx: Transaction, school_id: UUID) -> int | None:
    """The newest school year that the register has classes of."""
    found: int | None = await tx.scalar(
        """SELECT max(school_year) FROM classes WHERE school_id = :school AND withdrawn_on IS NULL
             AND kind <> 'course'""",
        {"school": school_id},
    )
    return found


async def classes_of_year(tx: Transaction, school_id: UUID, school_year: int) -> list[PlannedClass]:
    """The register's own classes of a year, as values of a plan."""
    query = """SELECT id, school_grade, name, kind, 0 AS position, CAST(NULL AS uuid) AS homeroom_staff_id, version
        FROM classes WHERE school_id = :school AND school_year = :year AND withdrawn_on IS NULL AND kind <> 'course'
        ORDER BY kind = 'special_needs', school_grade, name, id"""
    return [a_class(row) for row in await tx.execute(query, {"school": school_id, "year": school_year})]


async def led_school_grades(tx: Transaction, person_id: UUID, school_id: UUID, on: date) -> frozenset[str]:
    """学年 in which somebody is 担任, 副担任 or 学年主任 of a school on a day."""
    found = await tx.execute(
        """SELECT DISTINCT coalesce(nullif(d.school_grade, ''), c.school_grade, '') AS school_grade FROM duties d
           LEFT JOIN classes c ON c.id = d.class_id
           WHERE d.staff_id = :person AND d.school_id = :school AND d.starts_on <= :on
             AND (d.ends_on IS NULL OR d.ends_on >= :on)
             AND d.kind IN ('homeroom', 'assistant_homeroom', 'grade_head')""",
        {"person": person_id, "school": school_id, "on": on},
    )
    return frozenset(row.school_grade for row in found if row.school_grade)


async def staff_names(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, str]:
    """Names as printed."""
    query = f"SELECT p.id, {NAMES} FROM persons p WHERE p.id = ANY(:ids)"
    found = await tx.execute(query, {"ids": list(ids)}) if ids else ()
    return {row.id: rows.names(row).display.full for row in found}


async def next_certificate(tx: Transaction, school_id: UUID) -> int:
    """The number after the last one of the ledger."""
    return int(
        await tx.scalar(
            "SELECT coalesce(max(number), 0) + 1 FROM graduation_certificates WHERE school_id = :school",
            {"school": school_id},
        )
    )


# Whole names of the few that are found; the many that are in order are not looked up.
_WHO = """SELECT p.display_family || '　' || p.display_given AS name FROM persons p WHERE p.id IN ({0})
    ORDER BY p.sort_key"""
_AROUND = {
    # Who came or went is what `store.rollover_pupils.refresh` would do.
    "came": _WHO.format("""SELECT e.pupil_id FROM enrolments e WHERE e.school_id = :school AND e.ends_on IS NULL
        AND e.starts_on < :begins AND e.state <> 'undecided' AND NOT EXISTS (
            SELECT FROM rollover_pupils r WHERE r.rollover_id = :id AND r.pupil_id = e.pupil_id
               AND r.enrolment_id = e.id AND (r.outcome = 'leaves') = (e.state = 'leaving'))"""),
    "went": _WHO.format("""SELECT r.pupil_id FROM rollover_pupils r WHERE r.rollover_id = :id
        AND r.enrolment_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM enrolments e WHERE e.id = r.enrolment_id AND e.ends_on IS NULL AND e.school_id = :school)"""),
    "undecided": _WHO.format("""SELECT e.pupil_id FROM enrolments e WHERE e.school_id = :school AND e.ends_on IS NULL
        AND e.state = 'undecided'"""),
    "elsewhere": _WHO.format("""SELECT r.pupil_id FROM rollover_pupils r JOIN LATERAL (
            SELECT FROM enrolments e WHERE e.pupil_id = r.pupil_id AND (e.ends_on IS NULL OR e.ends_on >= :begins)
            OFFSET 0) e ON true WHERE r.rollover_id = :id AND r.outcome = 'enters'"""),
    "existing": """SELECT c.name FROM classes c WHERE c.school_id = :school AND c.school_year = :year
          AND c.kind <> 'course' AND c.withdrawn_on IS NULL
          AND NOT EXISTS (SELECT FROM rollover_classes r WHERE r.rollover_id = :id AND r.id = c.id)
        ORDER BY c.school_grade, c.name""",
    "not_serving": """SELECT DISTINCT r.homeroom_staff_id AS id FROM rollover_classes r
        WHERE r.rollover_id = :id AND r.homeroom_staff_id IS NOT NULL AND NOT EXISTS (SELECT FROM appointments a
            WHERE a.staff_id = r.homeroom_staff_id AND a.school_id = :school AND a.starts_on <= :begins
              AND (a.ends_on IS NULL OR a.ends_on >= :begins))""",
    "used": """SELECT g.number FROM graduation_certificates g JOIN rollover_pupils r ON r.rollover_id = :id
          AND r.certificate = g.number WHERE g.school_id = :school AND g.rollover_id <> :id""",
}  # fmt: skip


def around_queries(rollover: Rollover) -> list[tuple[str, dict[str, Any]]]:
    """What to ask the register for `surroundings`."""
    facts = {
        "id": rollover.id, "school": rollover.school_id, "year": rollover.school_year,
        "begins": first_day(rollover.school_year),
    }  # fmt: skip
    return [
        (query, {name: value for name, value in facts.items() if f":{name}" in query}) for query in _AROUND.values()
    ]


def surroundings(answers: Sequence[Iterable[Any]]) -> Surroundings:
    """What the register says beside the plan."""
    came, went, undecided, elsewhere, existing, not_serving, used = answers
    return Surroundings(
        _named(came), _named(went), _named(undecided), _named(elsewhere), _named(existing),
        frozenset(row.id for row in not_serving), frozenset(row.number for row in used),
    )  # fmt: skip


def _named(found: Iterable[Any]) -> tuple[str, ...]:
    return tuple(row.name for row in found)


def year_days(rollover: Rollover) -> dict[str, date]:
    """The days a year turns on: the last of the old one, the first and the last of the new one."""
    return {
        "old_end": last_day(rollover.from_year), "begins": first_day(rollover.school_year),
        "ends": last_day(rollover.school_year),
    }  # fmt: skip
