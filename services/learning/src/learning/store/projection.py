"""Writing what roster told. A fact replaces its whole aggregate, and only when it is newer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from learning.domain.register import Duty, Member, Post, School, SchoolClass


@dataclass(frozen=True, slots=True)
class SchoolFact:
    school: School
    version: int


@dataclass(frozen=True, slots=True)
class ClassFact:
    school_class: SchoolClass
    members: Sequence[Member]
    version: int


@dataclass(frozen=True, slots=True)
class Held:
    """A post or a duty with its days, both inclusive; `ends_on` None = open. A post without a school is the board's."""

    what: tuple[UUID | None, Post] | Duty
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class StaffFact:
    id: UUID
    held: Sequence[Held]
    version: int


async def put_school(tx: Transaction, fact: SchoolFact) -> bool:
    """False when a newer fact stands already. (A snapshot tells schools without a version.)"""
    return await _newer(
        tx,
        """
        INSERT INTO schools AS old (tenant_id, school_id, code, name, kind, version)
        VALUES (:tenant, :id, :code, :name, :kind, :version)
        ON CONFLICT (tenant_id, school_id) DO UPDATE
           SET code = excluded.code, name = excluded.name, kind = excluded.kind, version = excluded.version
         WHERE old.version <= excluded.version RETURNING 1""",
        {
            "id": fact.school.id,
            "code": fact.school.code,
            "name": fact.school.name,
            "kind": fact.school.kind,
            "version": fact.version,
        },
    )


async def put_class(tx: Transaction, fact: ClassFact) -> bool:
    """Class and all its members; False when an equal or newer fact stands already."""
    told = fact.school_class
    newer = await _newer(
        tx,
        """
        INSERT INTO classes AS old (tenant_id, class_id, school_id, school_year, school_grade, name, kind, version)
        VALUES (:tenant, :id, :school_id, :school_year, :school_grade, :name, :kind, :version)
        ON CONFLICT (tenant_id, class_id) DO UPDATE
           SET school_id = excluded.school_id, school_year = excluded.school_year, school_grade = excluded.school_grade,
               name = excluded.name, kind = excluded.kind, version = excluded.version
         WHERE old.version < excluded.version RETURNING 1""",
        {
            "id": told.id,
            "school_id": told.school_id,
            "school_year": told.school_year,
            "school_grade": told.school_grade,
            "name": told.name,
            "kind": told.kind.value,
            "version": fact.version,
        },
    )
    if not newer:
        return False
    of_class = {"tenant": tx.tenant, "id": told.id}
    await tx.execute(text("DELETE FROM class_members WHERE tenant_id = :tenant AND class_id = :id"), of_class)
    await tx.execute(
        text("""
            INSERT INTO class_members (tenant_id, class_id, pupil_id, number, starts_on, ends_on, school_grade)
            SELECT :tenant, :id, m.* FROM unnest(
                CAST(:pupils AS uuid[]), CAST(:numbers AS int[]), CAST(:starts AS date[]), CAST(:ends AS date[]),
                CAST(:school_grades AS text[])) AS m
            ON CONFLICT DO NOTHING"""),
        of_class
        | {
            "pupils": [member.pupil_id for member in fact.members],
            "numbers": [member.number for member in fact.members],
            "starts": [member.starts_on for member in fact.members],
            "ends": [member.ends_on for member in fact.members],
            "school_grades": [member.school_grade for member in fact.members],
        },
    )
    return True


async def put_staff(tx: Transaction, fact: StaffFact) -> bool:
    """Posts and duties of one person; False when an equal or newer fact stands already."""
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
    posts = [(*held.what, held) for held in fact.held if not isinstance(held.what, Duty)]
    duties = [(held.what, held) for held in fact.held if isinstance(held.what, Duty)]
    await tx.execute(text("DELETE FROM appointments WHERE tenant_id = :tenant AND staff_id = :id"), who)
    await tx.execute(text("DELETE FROM duties WHERE tenant_id = :tenant AND staff_id = :id"), who)
    await tx.execute(
        text("""
            INSERT INTO appointments (tenant_id, staff_id, school_id, post, starts_on, ends_on, position)
            SELECT :tenant, :id, a.* FROM unnest(
                CAST(:schools AS uuid[]), CAST(:posts AS text[]),
                CAST(:starts AS date[]), CAST(:ends AS date[])) WITH ORDINALITY AS a"""),
        who
        | {
            "schools": [school_id for school_id, _, _ in posts],
            "posts": [post.value for _, post, _ in posts],
            "starts": [held.starts_on for *_, held in posts],
            "ends": [held.ends_on for *_, held in posts],
        },
    )
    await tx.execute(
        text("""
            INSERT INTO duties (tenant_id, staff_id, kind, school_id, class_id, subject, school_grade,
                                starts_on, ends_on, position)
            SELECT :tenant, :id, d.* FROM unnest(
                CAST(:kinds AS text[]), CAST(:schools AS uuid[]), CAST(:classes AS uuid[]), CAST(:subjects AS text[]),
                CAST(:school_grades AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[]))
              WITH ORDINALITY AS d"""),
        who
        | {
            "kinds": [duty.kind.value for duty, _ in duties],
            "schools": [duty.school_id for duty, _ in duties],
            "classes": [duty.class_id for duty, _ in duties],
            "subjects": [duty.subject for duty, _ in duties],
            "school_grades": [duty.school_grade for duty, _ in duties],
            "starts": [held.starts_on for _, held in duties],
            "ends": [held.ends_on for _, held in duties],
        },
    )
    return True


@dataclass(frozen=True, slots=True)
class Known:
    """What the projection holds of one board: ids with the versions they came with."""

    schools: dict[UUID, int]
    classes: dict[UUID, int]
    staff: dict[UUID, int]


async def known(tx: Transaction) -> Known:
    """Read before a snapshot is asked for."""
    rows = (
        await tx.execute(
            text("""
                SELECT 'schools' AS what, school_id AS id, version FROM schools WHERE tenant_id = :tenant
                UNION ALL SELECT 'classes', class_id, version FROM classes WHERE tenant_id = :tenant
                UNION ALL SELECT 'staff', staff_id, version FROM staff WHERE tenant_id = :tenant"""),
            {"tenant": tx.tenant},
        )
    ).all()
    found: dict[str, dict[UUID, int]] = {"schools": {}, "classes": {}, "staff": {}}
    for row in rows:
        found[row.what][row.id] = row.version
    return Known(**found)


async def forget(tx: Transaction, stale: Known) -> None:
    """Drop these rows, each only while it still has the version named: what an event brought meanwhile stays."""
    for table, key, dependants, rows in (
        ("schools", "school_id", (), stale.schools),
        ("classes", "class_id", ("class_members",), stale.classes),
        ("staff", "staff_id", ("appointments", "duties"), stale.staff),
    ):
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
