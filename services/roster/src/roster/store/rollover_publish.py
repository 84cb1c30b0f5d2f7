"""The statements that turn the year, and those that turn it back: one per kind of record, none per child.

Parameters everywhere: `tenant`, `id` of the rehearsal, `school`, `year` (the coming one), `old_end`, `begins`, `ends`.
"""

# Statements are put together from constants of this module; values are always parameters.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from servicekit.db import Transaction

from roster.domain.people import Beginning
from roster.domain.rollover.plan import Published, Rollover
from roster.store.rollover import year_days

Parameters = Mapping[str, Any]


def parameters(tx: Transaction, rollover: Rollover, by: UUID | None) -> Parameters:
    """What the statements need to know."""
    return year_days(rollover) | {
        "tenant": tx.tenant, "id": rollover.id, "school": rollover.school_id, "year": rollover.school_year,
        "from_year": rollover.from_year, "graduated": rollover.graduated_on, "now": tx.now, "by": by,
    }  # fmt: skip


async def _run(tx: Transaction, statement: str, p: Parameters) -> Any:
    return await tx.execute(statement, {name: value for name, value in p.items() if f":{name}" in statement})


async def _ids(tx: Transaction, statement: str, p: Parameters) -> set[UUID]:
    return {row[0] for row in await _run(tx, statement, p)}


# --- forwards -------------------------------------------------------------------------------------------------------


async def end_the_old_year(tx: Transaction, p: Parameters, published: Published) -> None:
    """Memberships and duties of the past year end on 31 March, a graduate's with its roll; what was is remembered."""
    published.classes |= await _ids(
        tx,
        """WITH later AS MATERIALIZED (
               SELECT m.class_id, m.pupil_id, m.starts_on, m.ends_on,
                      CASE WHEN r.outcome = 'graduates' THEN CAST(:graduated AS date) ELSE :old_end END AS ended_on
                 FROM classes c JOIN class_members m ON m.class_id = c.id
                 LEFT JOIN rollover_pupils r ON r.rollover_id = :id AND r.pupil_id = m.pupil_id
                WHERE c.school_id = :school AND c.school_year = :from_year),
           ended AS (
               UPDATE class_members m SET ends_on = l.ended_on FROM later l
               WHERE m.class_id = l.class_id AND m.pupil_id = l.pupil_id AND m.starts_on = l.starts_on
                 AND (l.ends_on IS NULL OR l.ends_on > l.ended_on) AND l.starts_on <= l.ended_on
               RETURNING m.class_id, m.pupil_id, m.starts_on, l.ends_on, l.ended_on),
           noted AS (
               INSERT INTO rollover_ended (tenant_id, rollover_id, kind, id, person_id, starts_on, ends_on, ended_on)
               SELECT :tenant, :id, 'member', class_id, pupil_id, starts_on, ends_on, ended_on FROM ended)
           UPDATE classes SET version = version + 1 WHERE id IN (SELECT class_id FROM ended) RETURNING id""",
        p,
    )
    published.staff |= await _ids(
        tx,
        """WITH later AS MATERIALIZED (
               SELECT d.id, d.ends_on FROM classes c JOIN duties d ON d.class_id = c.id
                WHERE c.school_id = :school AND c.school_year = :from_year AND d.starts_on <= :old_end
                  AND (d.ends_on IS NULL OR d.ends_on > :old_end)),
           ended AS (
               UPDATE duties d SET ends_on = :old_end FROM later l WHERE d.id = l.id
               RETURNING d.id, d.staff_id, d.starts_on, l.ends_on),
           noted AS (
               INSERT INTO rollover_ended (tenant_id, rollover_id, kind, id, person_id, starts_on, ends_on, ended_on)
               SELECT :tenant, :id, 'duty', id, staff_id, starts_on, ends_on, :old_end FROM ended)
           SELECT DISTINCT staff_id FROM ended""",
        p,
    )


async def make_classes(tx: Transaction, p: Parameters, published: Published) -> None:
    """Classes of the coming year. 特別支援学級 goes by its lowest 学年; after an undo a class is back."""
    published.classes |= await _ids(
        tx,
        """INSERT INTO classes (tenant_id, id, school_id, school_year, school_grade, name, kind)
           SELECT :tenant, c.id, :school, :year, CASE WHEN c.school_grade <> '' THEN c.school_grade ELSE coalesce(
                      (SELECT min(r.school_grade) FROM rollover_pupils r WHERE r.rollover_id = :id
                       AND r.class_id = c.id), '') END, c.name, c.kind
             FROM rollover_classes c WHERE c.rollover_id = :id
           ON CONFLICT (tenant_id, id) DO UPDATE SET school_grade = excluded.school_grade, name = excluded.name,
               kind = excluded.kind, withdrawn_on = NULL, version = classes.version + 1
           RETURNING id""",
        p,
    )


async def end_rolls(tx: Transaction, p: Parameters, published: Published) -> None:
    """卒業 with its certificate; 進級 and 原級留置 on the roll that goes on."""
    published.enrolments |= await _ids(
        tx,
        """WITH out AS (
               UPDATE enrolments e SET ends_on = greatest(:graduated, e.starts_on), state = 'ended',
                   left_by = 'graduated', version = e.version + 1
               FROM rollover_pupils r WHERE r.rollover_id = :id AND r.outcome = 'graduates' AND e.id = r.enrolment_id
                 AND e.school_id = :school AND e.ends_on IS NULL
               RETURNING e.id, e.pupil_id, e.school_id, e.ends_on, e.school_grade, e.version, r.certificate),
           noted AS (
               INSERT INTO enrolment_events (tenant_id, id, enrolment_id, pupil_id, kind, school_id, effective_on,
                   left_on, school_grade, reason, recorded_at, recorded_by)
               SELECT :tenant, gen_random_uuid(), id, pupil_id, 'graduated', school_id, ends_on, ends_on, school_grade,
                   '年度更新', :now, :by FROM out),
           ledger AS (
               INSERT INTO graduation_certificates (tenant_id, school_id, number, pupil_id, rollover_id, graduated_on)
               SELECT :tenant, school_id, certificate, pupil_id, :id, ends_on FROM out),
           kept AS (
               UPDATE rollover_pupils r SET published_version = o.version FROM out o
               WHERE r.rollover_id = :id AND r.pupil_id = o.pupil_id)
           SELECT id FROM out""",
        p,
    )
    await _run(
        tx,
        """WITH on_roll AS (
               UPDATE enrolments e SET school_grade = r.school_grade, version = e.version + 1
               FROM rollover_pupils r WHERE r.rollover_id = :id AND r.outcome IN ('promoted', 'retained', 'leaves')
                 AND r.school_grade <> '' AND e.id = r.enrolment_id AND e.school_id = :school AND e.ends_on IS NULL
               RETURNING e.pupil_id, e.version)
           UPDATE rollover_pupils r SET published_version = o.version FROM on_roll o
           WHERE r.rollover_id = :id AND r.pupil_id = o.pupil_id""",
        p,
    )


async def admit(tx: Transaction, p: Parameters, published: Published) -> None:
    """新入学: who is not in the register yet is entered; the roll begins on 1 April (施行令 5条)."""
    await _run(
        tx,
        """INSERT INTO persons (tenant_id, id, kind, display_family, display_given, kana_family, kana_given, named_on,
               sex, birth_on, sort_key, search_text)
           SELECT :tenant, pupil_id, 'pupil', family, given, kana_family, kana_given, :begins, sex, birth_on, sort_key,
                  search_text
             FROM rollover_pupils WHERE rollover_id = :id AND outcome = 'enters' AND family <> ''
           ON CONFLICT (tenant_id, id) DO NOTHING""",
        p,
    )
    begun = await _run(
        tx,
        """WITH fresh AS (
               INSERT INTO enrolments (tenant_id, id, pupil_id, school_id, starts_on, state, entered_by, school_grade)
               SELECT :tenant, gen_random_uuid(), pupil_id, :school, :begins, 'active', 'admitted', school_grade
                 FROM rollover_pupils WHERE rollover_id = :id AND outcome = 'enters'
               RETURNING id, pupil_id, school_id, starts_on, entered_by, school_grade, version),
           noted AS (
               INSERT INTO enrolment_events (tenant_id, id, enrolment_id, pupil_id, kind, school_id, effective_on,
                   school_grade, reason, recorded_at, recorded_by)
               SELECT :tenant, gen_random_uuid(), id, pupil_id, 'admitted', school_id, starts_on, school_grade,
                   '年度更新', :now, :by FROM fresh),
           kept AS (
               UPDATE rollover_pupils r SET enrolment_id = f.id, published_version = f.version FROM fresh f
               WHERE r.rollover_id = :id AND r.pupil_id = f.pupil_id)
           SELECT school_id, starts_on, entered_by, array_agg(pupil_id::text) AS pupil_ids FROM fresh
           GROUP BY school_id, starts_on, entered_by""",
        p,
    )
    published.begun = [Beginning(row.school_id, row.starts_on, row.entered_by, row.pupil_ids) for row in begun]


async def fill_classes(tx: Transaction, p: Parameters, published: Published) -> None:
    """Members with 出席番号, and 担任, for the whole year."""
    await _run(
        tx,
        """INSERT INTO class_members (tenant_id, class_id, pupil_id, number, starts_on, ends_on)
           SELECT :tenant, class_id, pupil_id, number, :begins, :ends FROM rollover_pupils
            WHERE rollover_id = :id AND outcome IN ('promoted', 'retained', 'enters') AND class_id IS NOT NULL""",
        p,
    )
    published.staff |= await _ids(
        tx,
        """INSERT INTO duties (tenant_id, id, kind, staff_id, school_id, class_id, starts_on, ends_on)
           SELECT :tenant, gen_random_uuid(), 'homeroom', homeroom_staff_id, :school, id, :begins, :ends
             FROM rollover_classes WHERE rollover_id = :id AND homeroom_staff_id IS NOT NULL
           RETURNING staff_id""",
        p,
    )
    await _count_staff(tx, published.staff)
    await _run(
        tx,
        """UPDATE rollover_classes r SET published_version = c.version FROM classes c
           WHERE r.rollover_id = :id AND c.id = r.id""",
        p,
    )


async def _count_staff(tx: Transaction, ids: set[UUID]) -> None:
    if ids:
        await tx.execute("UPDATE persons SET version = version + 1 WHERE id = ANY(:ids)", {"ids": list(ids)})


# --- backwards ------------------------------------------------------------------------------------------------------


async def touched_since(tx: Transaction, p: Parameters) -> list[str]:
    """Classes and children that somebody changed in the register after the publication."""
    found = await _run(
        tx,
        """(SELECT c.name FROM rollover_classes r JOIN classes c ON c.id = r.id
             WHERE r.rollover_id = :id AND c.version <> r.published_version ORDER BY c.school_grade, c.name)
           UNION ALL
           (SELECT p.display_family || '　' || p.display_given FROM rollover_pupils r
              LEFT JOIN enrolments e ON e.id = r.enrolment_id JOIN persons p ON p.id = r.pupil_id
             WHERE r.rollover_id = :id AND r.published_version IS NOT NULL
               AND e.version IS DISTINCT FROM r.published_version ORDER BY p.sort_key)""",
        p,
    )
    return [row.name for row in found]


async def take_back(tx: Transaction, p: Parameters, today: Any) -> Published:
    """The register as it was. Classes stay withdrawn under their ids: others hold a copy, whose version goes on."""
    back = Published(set(), set(), set())
    back.staff |= await _ids(
        tx,
        """DELETE FROM duties WHERE class_id IN (SELECT id FROM rollover_classes WHERE rollover_id = :id)
           RETURNING staff_id""",
        p,
    )
    await _run(
        tx, "DELETE FROM class_members WHERE class_id IN (SELECT id FROM rollover_classes WHERE rollover_id = :id)", p
    )
    back.classes |= await _ids(
        tx,
        """UPDATE classes SET withdrawn_on = :today, version = version + 1
           WHERE id IN (SELECT id FROM rollover_classes WHERE rollover_id = :id) RETURNING id""",
        {**p, "today": today},
    )
    await _take_back_rolls(tx, p, back)
    back.classes |= await _ids(
        tx,
        """WITH open AS (
               UPDATE class_members m SET ends_on = o.ends_on FROM rollover_ended o
               WHERE o.rollover_id = :id AND o.kind = 'member' AND m.class_id = o.id AND m.pupil_id = o.person_id
                 AND m.starts_on = o.starts_on AND m.ends_on = o.ended_on RETURNING m.class_id)
           UPDATE classes SET version = version + 1 WHERE id IN (SELECT class_id FROM open) RETURNING id""",
        p,
    )
    back.staff |= await _ids(
        tx,
        """UPDATE duties d SET ends_on = o.ends_on FROM rollover_ended o
           WHERE o.rollover_id = :id AND o.kind = 'duty' AND d.id = o.id AND d.ends_on = o.ended_on
           RETURNING d.staff_id""",
        p,
    )
    await _run(tx, "DELETE FROM rollover_ended WHERE rollover_id = :id", p)
    await _count_staff(tx, back.staff)
    return back


async def _take_back_rolls(tx: Transaction, p: Parameters, back: Published) -> None:
    back.enrolments |= await _ids(
        tx,
        """WITH again AS (
               UPDATE enrolments e SET ends_on = NULL, state = 'active', left_by = '', version = e.version + 1
               FROM rollover_pupils r WHERE r.rollover_id = :id AND r.outcome = 'graduates' AND e.id = r.enrolment_id
               RETURNING e.id),
           struck AS (
               UPDATE enrolment_events v SET struck_at = :now, struck_by = :by, strike_reason = '年度更新の取り消し'
               FROM again a WHERE v.enrolment_id = a.id AND v.kind = 'graduated' AND v.struck_at IS NULL)
           SELECT id FROM again""",
        p,
    )
    await _run(tx, "DELETE FROM graduation_certificates WHERE rollover_id = :id", p)
    await _run(
        tx,
        """UPDATE enrolments e SET school_grade = r.from_school_grade, version = e.version + 1
           FROM rollover_pupils r WHERE r.rollover_id = :id AND r.outcome IN ('promoted', 'retained', 'leaves')
             AND r.published_version IS NOT NULL AND e.id = r.enrolment_id AND e.school_id = :school""",
        p,
    )
    # A roll that began by the publication never began. The child stays known: who entered its family keeps the work.
    await _run(
        tx,
        """WITH gone AS (
               DELETE FROM enrolments e USING rollover_pupils r
               WHERE r.rollover_id = :id AND r.outcome = 'enters' AND e.id = r.enrolment_id RETURNING e.id)
           DELETE FROM enrolment_events WHERE enrolment_id IN (SELECT id FROM gone)""",
        p,
    )
    await _run(
        tx,
        """UPDATE rollover_pupils SET published_version = NULL,
               enrolment_id = CASE WHEN outcome = 'enters' THEN NULL ELSE enrolment_id END WHERE rollover_id = :id""",
        p,
    )
    await _run(tx, "UPDATE rollover_classes SET published_version = NULL WHERE rollover_id = :id", p)
