"""Writing what roster told. A fact replaces its whole aggregate, and only when it is newer."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from grades.domain.standing import SchoolClass


@dataclass(frozen=True, slots=True)
class SchoolFact:
    id: UUID
    name: str
    kind: str
    version: int


@dataclass(frozen=True, slots=True)
class MemberFact:
    pupil_id: UUID
    number: int
    starts_on: date
    ends_on: date | None
    school_grade: str = ""
    """The pupil's own; empty = the class's."""


@dataclass(frozen=True, slots=True)
class ClassFact:
    school_class: SchoolClass
    members: tuple[MemberFact, ...]
    version: int


@dataclass(frozen=True, slots=True)
class AppointmentFact:
    school_id: UUID | None
    post: str
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class DutyFact:
    id: UUID
    kind: str
    school_id: UUID
    class_id: UUID | None
    subject: str
    school_grade: str
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class StaffFact:
    id: UUID
    appointments: tuple[AppointmentFact, ...]
    duties: tuple[DutyFact, ...]
    version: int


async def put_school(tx: Transaction, school: SchoolFact) -> bool:
    """False when a newer fact stands already. (A snapshot tells schools without a version.)"""
    return await _newer(
        tx,
        """
        INSERT INTO schools AS old (tenant_id, school_id, name, kind, version)
        VALUES (:tenant, :id, :name, :kind, :version)
        ON CONFLICT (tenant_id, school_id) DO UPDATE
           SET name = excluded.name, kind = excluded.kind, version = excluded.version
         WHERE old.version <= excluded.version RETURNING 1""",
        {"id": school.id, "name": school.name, "kind": school.kind, "version": school.version},
    )


async def put_class(tx: Transaction, fact: ClassFact) -> bool:
    """Class and all its members; False when an equal or newer fact stands already."""
    school_class = fact.school_class
    newer = await _newer(
        tx,
        """
        INSERT INTO classes AS old (tenant_id, class_id, school_id, school_year, school_grade, name, kind,
                                    school_grades, version)
        VALUES (:tenant, :id, :school_id, :school_year, :school_grade, :name, :kind, :school_grades, :version)
        ON CONFLICT (tenant_id, class_id) DO UPDATE
           SET school_id = excluded.school_id, school_year = excluded.school_year, school_grade = excluded.school_grade,
               name = excluded.name, kind = excluded.kind, school_grades = excluded.school_grades,
               version = excluded.version
         WHERE old.version < excluded.version RETURNING 1""",
        {
            "id": school_class.id,
            "school_id": school_class.school_id,
            "school_year": school_class.school_year,
            "school_grade": school_class.school_grade or "",
            "name": school_class.name,
            "kind": school_class.kind.value,
            "school_grades": [one.value for one in school_class.of_members],
            "version": fact.version,
        },
    )
    if not newer:
        return False
    await tx.execute(
        text("DELETE FROM class_members WHERE tenant_id = :tenant AND class_id = :id"),
        {"tenant": tx.tenant, "id": school_class.id},
    )
    await tx.execute(
        text("""
            INSERT INTO class_members (tenant_id, class_id, pupil_id, number, starts_on, ends_on, school_grade)
            SELECT :tenant, :id, m.* FROM unnest(
                CAST(:pupils AS uuid[]), CAST(:numbers AS int[]), CAST(:starts AS date[]), CAST(:ends AS date[]),
                CAST(:grades AS text[])) AS m
            ON CONFLICT DO NOTHING"""),
        {
            "tenant": tx.tenant,
            "id": school_class.id,
            "pupils": [member.pupil_id for member in fact.members],
            "numbers": [member.number for member in fact.members],
            "starts": [member.starts_on for member in fact.members],
            "ends": [member.ends_on for member in fact.members],
            "grades": [member.school_grade for member in fact.members],
        },
    )
    return True


async def put_staff(tx: Transaction, fact: StaffFact) -> bool:
    """Appointments and duties of one person; False when an equal or newer fact stands already."""
    newer = await _newer(
        tx,
        """
        INSERT INTO staff AS old (tenant_id, staff_id, version) VALUES (:tenant, :id, :version)
        ON CONFLICT (tenant_id, staff_id) DO UPDATE SET version = excluded.version
         WHERE old.version < excluded.version RETURNING 1""",
        {"id": fact.id, "version": fact.version},
    )
    if not newer:
        return False
    who = {"tenant": tx.tenant, "id": fact.id}
    await tx.execute(text("DELETE FROM appointments WHERE tenant_id = :tenant AND staff_id = :id"), who)
    await tx.execute(text("DELETE FROM duties WHERE tenant_id = :tenant AND staff_id = :id"), who)
    await tx.execute(
        text("""
            INSERT INTO appointments (tenant_id, staff_id, school_id, post, starts_on, ends_on)
            SELECT :tenant, :id, a.* FROM unnest(
                CAST(:schools AS uuid[]), CAST(:posts AS text[]),
                CAST(:starts AS date[]), CAST(:ends AS date[])) AS a"""),
        who
        | {
            "schools": [appointment.school_id for appointment in fact.appointments],
            "posts": [appointment.post for appointment in fact.appointments],
            "starts": [appointment.starts_on for appointment in fact.appointments],
            "ends": [appointment.ends_on for appointment in fact.appointments],
        },
    )
    await tx.execute(
        text("""
            INSERT INTO duties (tenant_id, staff_id, duty_id, kind, school_id, class_id, subject, school_grade,
                                starts_on, ends_on)
            SELECT :tenant, :id, d.* FROM unnest(
                CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:schools AS uuid[]), CAST(:classes AS uuid[]),
                CAST(:subjects AS text[]), CAST(:grades AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[])) AS d
            ON CONFLICT (tenant_id, duty_id) DO UPDATE
               SET staff_id = excluded.staff_id, kind = excluded.kind, school_id = excluded.school_id,
                   class_id = excluded.class_id, subject = excluded.subject, school_grade = excluded.school_grade,
                   starts_on = excluded.starts_on, ends_on = excluded.ends_on"""),
        who
        | {
            "ids": [duty.id for duty in fact.duties],
            "kinds": [duty.kind for duty in fact.duties],
            "schools": [duty.school_id for duty in fact.duties],
            "classes": [duty.class_id for duty in fact.duties],
            "subjects": [duty.subject for duty in fact.duties],
            "grades": [duty.school_grade for duty in fact.duties],
            "starts": [duty.starts_on for duty in fact.duties],
            "ends": [duty.ends_on for duty in fact.duties],
        },
    )
    return True


async def open_terms(tx: Transaction, school_id: UUID, school_year: int) -> None:
    """State rows of a school's new year, so that closing and saving meet on them."""
    await tx.execute(
        text("""
            INSERT INTO terms (tenant_id, school_id, school_year, term)
            SELECT tenant_id, :school_id, school_year, term FROM board_terms
             WHERE tenant_id = :tenant AND school_year = :school_year ON CONFLICT DO NOTHING"""),
        {"tenant": tx.tenant, "school_id": school_id, "school_year": school_year},
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What the projection holds of one board: ids with the versions they came with."""

    schools: dict[UUID, int]
    classes: dict[UUID, int]
    staff: dict[UUID, int]

    @property
    def empty(self) -> bool:
        return not (self.schools or self.classes or self.staff)


async def known(tx: Transaction) -> Known:
    async def versions(statement: str) -> dict[UUID, int]:
        rows = await tx.execute(text(statement), {"tenant": tx.tenant})
        return {row.id: row.version for row in rows}

    return Known(
        await versions("SELECT school_id AS id, version FROM schools WHERE tenant_id = :tenant"),
        await versions("SELECT class_id AS id, version FROM classes WHERE tenant_id = :tenant"),
        await versions("SELECT staff_id AS id, version FROM staff WHERE tenant_id = :tenant"),
    )


async def forget(tx: Transaction, stale: Known) -> None:
    """Drop these rows, each only while it still has the version named: what an event brought meanwhile stays."""
    for table, key, dependants, rows in (
        ("schools", "school_id", (), stale.schools),
        ("classes", "class_id", ("class_members",), stale.classes),
        ("staff", "staff_id", ("appointments", "duties"), stale.staff),
    ):
        if not rows:
            continue
        dropped = await tx.execute(
            text(f"""
                DELETE FROM {table}
                 USING unnest(CAST(:ids AS uuid[]), CAST(:versions AS bigint[])) AS s (id, old_version)
                 WHERE tenant_id = :tenant AND {key} = s.id AND version = s.old_version RETURNING {key} AS id"""),  # noqa: S608
            {"tenant": tx.tenant, "ids": list(rows), "versions": list(rows.values())},
        )
        ids = [row.id for row in dropped]
        for dependant in dependants:
            await tx.execute(
                text(f"DELETE FROM {dependant} WHERE tenant_id = :tenant AND {key} = ANY(:ids)"),  # noqa: S608
                {"tenant": tx.tenant, "ids": ids},
            )


async def _newer(tx: Transaction, statement: str, params: dict[str, object]) -> bool:
    return (await tx.execute(text(statement), params | {"tenant": tx.tenant})).one_or_none() is not None
