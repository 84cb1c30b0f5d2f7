"""The statements that bring staged rows into the register: one per kind of record, none per row.

What vanished from a bulk file ends, and is never deleted; it is looked for before the new rows come, among fewer.
Parameters everywhere: `tenant`, `id` of the import, `year`, `on` (the day of the import), `bulk`.
"""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.people import Beginning

Parameters = Mapping[str, Any]


@dataclass(slots=True)
class Touched:
    """Aggregates that changed and must be told."""

    schools: set[UUID] = field(default_factory=set)
    classes: set[UUID] = field(default_factory=set)
    staff: set[UUID] = field(default_factory=set)
    enrolments: set[UUID] = field(default_factory=set)
    renamed: set[UUID] = field(default_factory=set)
    begun: Sequence[Beginning] = ()


async def _ids(tx: Transaction, statement: str, parameters: Parameters) -> set[UUID]:
    used = {name: value for name, value in parameters.items() if f":{name}" in statement}
    return {row[0] for row in await tx.execute(text(statement), used)}


async def apply_schools(tx: Transaction, p: Parameters, touched: Touched) -> None:
    """The board itself and its schools."""
    await _ids(
        tx,
        """INSERT INTO boards (tenant_id, id, code, name, source_id)
           SELECT :tenant, id, code, name, source_id FROM stage_orgs WHERE import_id = :id AND kind = 'board' LIMIT 1
           ON CONFLICT (tenant_id) DO UPDATE SET code = excluded.code, name = excluded.name
           RETURNING id""",
        p,
    )
    touched.schools |= await _ids(
        tx,
        """INSERT INTO schools (tenant_id, id, code, name, kind, address, source_id)
           SELECT :tenant, id, code, name, kind, address, source_id FROM stage_orgs
           WHERE import_id = :id AND kind <> 'board' AND source_id <> ''
           ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, code = excluded.code,
               address = coalesce(nullif(excluded.address, ''), schools.address), closed_on = NULL,
               version = schools.version + 1
           WHERE (schools.name, schools.code) IS DISTINCT FROM (excluded.name, excluded.code)
              OR (excluded.address <> '' AND excluded.address <> schools.address) OR schools.closed_on IS NOT NULL
           RETURNING id""",
        p,
    )
    if p["bulk"]:
        touched.schools |= await _ids(
            tx,
            """UPDATE schools e SET closed_on = :on, version = version + 1 WHERE closed_on IS NULL
               AND NOT EXISTS (SELECT FROM stage_orgs s WHERE s.import_id = :id AND s.id = e.id) RETURNING id""",
            p,
        )


async def apply_classes(tx: Transaction, p: Parameters, touched: Touched) -> None:
    """学級 and 講座 of the school year."""
    touched.classes |= await _ids(
        tx,
        """INSERT INTO classes (tenant_id, id, school_id, school_year, school_grade, name, kind, subject, source_id)
           SELECT :tenant, id, school_id, school_year, school_grade, name, kind, subject, source_id
           FROM stage_classes WHERE import_id = :id
           ON CONFLICT (tenant_id, id) DO UPDATE SET school_grade = excluded.school_grade, name = excluded.name,
               kind = excluded.kind, subject = excluded.subject, withdrawn_on = NULL
           WHERE (classes.school_grade, classes.name, classes.kind, classes.subject)
                 IS DISTINCT FROM (excluded.school_grade, excluded.name, excluded.kind, excluded.subject)
              OR classes.withdrawn_on IS NOT NULL
           RETURNING id""",
        p,
    )
    if p["bulk"]:
        touched.classes |= await _ids(
            tx,
            """UPDATE classes e SET withdrawn_on = :on WHERE e.school_year = :year AND withdrawn_on IS NULL
               AND source_id <> ''
               AND NOT EXISTS (SELECT FROM stage_classes s WHERE s.import_id = :id AND s.id = e.id) RETURNING id""",
            p,
        )


async def apply_people(tx: Transaction, p: Parameters, touched: Touched) -> None:
    """Names and kinds. A changed name leaves its predecessor readable and findable."""
    for kind, columns in (("display", "display"), ("kana", "kana")):
        await tx.execute(
            text(f"""INSERT INTO former_names (tenant_id, person_id, kind, starts_on, ends_on, family, given, middle)
                SELECT :tenant, e.id, '{kind}', e.named_on, :on - 1, e.{columns}_family, e.{columns}_given,
                       e.{columns}_middle
                FROM persons e JOIN stage_people s ON s.id = e.id
                WHERE s.import_id = :id AND e.named_on < :on
                  AND (s.{columns}_family, s.{columns}_given, s.{columns}_middle)
                      IS DISTINCT FROM (e.{columns}_family, e.{columns}_given, e.{columns}_middle)
                ON CONFLICT DO NOTHING"""),
            {"tenant": p["tenant"], "id": p["id"], "on": p["on"]},
        )
    touched.renamed |= await _ids(
        tx,
        """UPDATE persons e SET kind = s.kind, source_id = s.source_id,
                display_family = s.display_family, display_given = s.display_given, display_middle = s.display_middle,
                kana_family = s.kana_family, kana_given = s.kana_given, kana_middle = s.kana_middle,
                named_on = CASE WHEN (s.display_family, s.display_given, s.kana_family, s.kana_given)
                    IS DISTINCT FROM (e.display_family, e.display_given, e.kana_family, e.kana_given)
                    THEN :on ELSE e.named_on END,
                sort_key = s.sort_key, gone_on = NULL, version = e.version + 1,
                search_text = CASE WHEN position(s.search_text IN e.search_text) > 0 THEN e.search_text
                    ELSE s.search_text || e.search_text END
            FROM stage_people s WHERE s.import_id = :id AND s.id = e.id
              AND ((s.display_family, s.display_given, s.display_middle, s.kana_family, s.kana_given, s.kana_middle,
                    s.kind, s.source_id) IS DISTINCT FROM (e.display_family, e.display_given, e.display_middle,
                    e.kana_family, e.kana_given, e.kana_middle, e.kind, e.source_id) OR e.gone_on IS NOT NULL)
            RETURNING e.id""",
        p,
    )
    if p["bulk"]:
        await tx.execute(
            text("""UPDATE persons e SET gone_on = :on, version = version + 1 WHERE gone_on IS NULL AND source_id <> ''
                AND NOT EXISTS (SELECT FROM stage_people s WHERE s.import_id = :id AND s.id = e.id)"""),
            {"id": p["id"], "on": p["on"]},
        )
    await tx.execute(
        text("""INSERT INTO persons (tenant_id, id, kind, display_family, display_given, display_middle, kana_family,
                    kana_given, kana_middle, named_on, sort_key, search_text, source_id)
                SELECT :tenant, id, kind, display_family, display_given, display_middle, kana_family, kana_given,
                    kana_middle, least(:on, make_date(:year, 4, 1)), sort_key, search_text, source_id
                FROM stage_people s WHERE import_id = :id AND NOT EXISTS (SELECT FROM persons e WHERE e.id = s.id)"""),
        {"tenant": p["tenant"], "id": p["id"], "on": p["on"], "year": p["year"]},
    )


# A child that left (転出, 卒業) is not brought back by a file that still lists it.
_MEMBERS = """
    members AS MATERIALIZED (
        SELECT m.class_id, m.person_id AS pupil_id, m.number, m.starts_on, m.ends_on FROM stage_members m
        WHERE m.import_id = :id AND m.person_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM enrolments d WHERE d.pupil_id = m.person_id
              AND d.ends_on >= greatest(m.starts_on, d.starts_on)
              AND NOT EXISTS (SELECT FROM enrolments o WHERE o.pupil_id = d.pupil_id AND o.ends_on IS NULL)))"""


async def apply_members(tx: Transaction, p: Parameters, touched: Touched) -> None:
    """Who is in which class, with 出席番号 and days."""
    touched.classes |= await _ids(
        tx,
        f"""WITH {_MEMBERS}, changed AS (
            UPDATE class_members e SET number = s.number, starts_on = s.starts_on, ends_on = s.ends_on
            FROM members s WHERE s.class_id = e.class_id AND s.pupil_id = e.pupil_id
              AND (e.starts_on = s.starts_on OR e.ends_on IS NULL OR e.ends_on >= :on)
              AND (e.number, e.ends_on) IS DISTINCT FROM (s.number, s.ends_on)
            RETURNING e.class_id)
            SELECT DISTINCT class_id FROM changed""",
        p,
    )
    if p["bulk"]:
        touched.classes |= await _ids(
            tx,
            """WITH ended AS (
                UPDATE class_members e SET ends_on = greatest(:on - 1, e.starts_on - 1)
                FROM classes c, persons p
                WHERE c.id = e.class_id AND c.school_year = :year AND c.source_id <> '' AND p.id = e.pupil_id
                  AND p.source_id <> '' AND (e.ends_on IS NULL OR e.ends_on >= :on)
                  AND NOT EXISTS (SELECT FROM stage_members s WHERE s.import_id = :id AND s.class_id = e.class_id
                                  AND s.person_id = e.pupil_id)
                RETURNING e.class_id)
                SELECT DISTINCT class_id FROM ended""",
            p,
        )
    touched.classes |= await _ids(
        tx,
        f"""WITH {_MEMBERS}, added AS (
            INSERT INTO class_members (tenant_id, class_id, pupil_id, number, starts_on, ends_on)
            SELECT :tenant, s.class_id, s.pupil_id, s.number, s.starts_on, s.ends_on FROM members s
            WHERE NOT EXISTS (SELECT FROM class_members e WHERE e.class_id = s.class_id AND e.pupil_id = s.pupil_id
                AND (e.starts_on = s.starts_on OR e.ends_on IS NULL OR e.ends_on >= :on))
            RETURNING class_id)
            SELECT DISTINCT class_id FROM added""",
        p,
    )


async def apply_appointments(tx: Transaction, p: Parameters, touched: Touched) -> None:
    """配置: posts at schools and at the board."""
    staged = """staged AS MATERIALIZED (
        SELECT a.id, a.person_id, CASE WHEN o.kind = 'board' THEN NULL ELSE a.org_id END AS school_id, a.post,
               a.starts_on, a.ends_on
        FROM stage_appointments a LEFT JOIN stage_orgs o ON o.import_id = a.import_id AND o.id = a.org_id
        WHERE a.import_id = :id AND a.person_id IS NOT NULL)"""
    touched.staff |= await _ids(
        tx,
        f"""WITH {staged} UPDATE appointments e SET ends_on = s.ends_on FROM staged s
            WHERE s.person_id = e.staff_id AND s.school_id IS NOT DISTINCT FROM e.school_id AND s.post = e.post
              AND (e.ends_on IS NULL OR e.ends_on >= :on) AND e.ends_on IS DISTINCT FROM s.ends_on
            RETURNING e.staff_id""",
        p,
    )
    touched.staff |= await _ids(
        tx,
        f"""WITH {staged} INSERT INTO appointments (tenant_id, id, staff_id, school_id, post, starts_on, ends_on)
            SELECT :tenant, gen_random_uuid(), s.person_id, s.school_id, s.post, s.starts_on, s.ends_on FROM staged s
            WHERE NOT EXISTS (SELECT FROM appointments e WHERE e.staff_id = s.person_id AND e.post = s.post
                AND coalesce(e.school_id, '00000000-0000-0000-0000-000000000000')
                  = coalesce(s.school_id, '00000000-0000-0000-0000-000000000000')
                AND (e.ends_on IS NULL OR e.ends_on >= :on))
            RETURNING staff_id""",
        p,
    )
    if p["bulk"]:
        touched.staff |= await _ids(
            tx,
            f"""WITH {staged} UPDATE appointments e SET ends_on = greatest(:on - 1, e.starts_on) FROM persons p
                WHERE p.id = e.staff_id AND p.source_id <> '' AND (e.ends_on IS NULL OR e.ends_on >= :on)
                  AND NOT EXISTS (SELECT FROM staged s WHERE s.person_id = e.staff_id AND s.post = e.post
                    AND coalesce(e.school_id, '00000000-0000-0000-0000-000000000000')
                      = coalesce(s.school_id, '00000000-0000-0000-0000-000000000000'))
                RETURNING e.staff_id""",
            p,
        )


async def apply_duties(tx: Transaction, p: Parameters, touched: Touched) -> None:
    """担任・副担任・教科担任 of the classes of the year."""
    touched.staff |= await _ids(
        tx,
        """UPDATE duties e SET ends_on = s.ends_on FROM stage_duties s
           WHERE s.import_id = :id AND s.person_id = e.staff_id AND s.class_id = e.class_id AND s.kind = e.kind
             AND s.subject = e.subject AND (e.ends_on IS NULL OR e.ends_on >= :on)
             AND e.ends_on IS DISTINCT FROM s.ends_on
           RETURNING e.staff_id""",
        p,
    )
    touched.staff |= await _ids(
        tx,
        """INSERT INTO duties (tenant_id, id, kind, staff_id, school_id, class_id, subject, school_grade, starts_on,
               ends_on)
           SELECT :tenant, gen_random_uuid(), s.kind, s.person_id, c.school_id, s.class_id, s.subject, '', s.starts_on,
               s.ends_on
           FROM stage_duties s JOIN classes c ON c.id = s.class_id
           WHERE s.import_id = :id AND s.person_id IS NOT NULL
             AND NOT EXISTS (SELECT FROM duties e WHERE e.staff_id = s.person_id AND e.class_id = s.class_id
                 AND e.kind = s.kind AND e.subject = s.subject AND (e.ends_on IS NULL OR e.ends_on >= :on))
           RETURNING staff_id""",
        p,
    )
    if p["bulk"]:
        touched.staff |= await _ids(
            tx,
            """UPDATE duties e SET ends_on = greatest(:on - 1, e.starts_on) FROM classes c, persons p
               WHERE c.id = e.class_id AND c.school_year = :year AND c.source_id <> '' AND p.id = e.staff_id
                 AND p.source_id <> '' AND (e.ends_on IS NULL OR e.ends_on >= :on)
                 AND NOT EXISTS (SELECT FROM stage_duties s WHERE s.import_id = :id AND s.person_id = e.staff_id
                     AND s.class_id = e.class_id AND s.kind = e.kind AND s.subject = e.subject)
               RETURNING e.staff_id""",
            p,
        )
