"""学籍 out of a roster file: who is new on a roll, who moved inside the board, who is missing; and 学籍補足."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.people import Beginning
from roster.store.imports.apply import Parameters, Touched, _ids

# A child's first day at the school of the file: the earliest class membership there, else the start of the year.
_ARRIVALS = """
    arrivals AS MATERIALIZED (
        SELECT s.id AS pupil_id, s.school_id, s.school_grade, coalesce(b.starts_on, make_date(:year, 4, 1)) AS starts_on
        FROM stage_people s
        LEFT JOIN (SELECT person_id, min(starts_on) AS starts_on FROM stage_members WHERE import_id = :id
                   GROUP BY person_id) b ON b.person_id = s.id
        WHERE s.import_id = :id AND s.kind = 'pupil' AND s.school_id IS NOT NULL)"""


async def apply_enrolments(tx: Transaction, p: Parameters, touched: Touched) -> None:
    """Move, question and begin enrolments; the office corrects what a file cannot tell.

    Beginnings come last, so that the others look at as few rows as there were before.
    """
    touched.enrolments |= await _ids(
        tx,
        f"""WITH {_ARRIVALS}, moved AS (
            UPDATE enrolments e SET ends_on = greatest(a.starts_on - 1, e.starts_on), state = 'ended',
                left_by = CASE WHEN e.school_grade = 'P6' AND a.school_grade = 'J1' THEN 'graduated'
                               ELSE 'transferred_out' END,
                version = e.version + 1
            FROM arrivals a WHERE a.pupil_id = e.pupil_id AND e.ends_on IS NULL AND a.school_id <> e.school_id
            RETURNING e.id, e.pupil_id, e.school_id, e.left_by, e.ends_on, e.school_grade),
        noted AS (
            INSERT INTO enrolment_events (tenant_id, id, enrolment_id, pupil_id, kind, school_id, effective_on,
                left_on, school_grade, reason, recorded_at, recorded_by)
            SELECT :tenant, gen_random_uuid(), id, pupil_id, left_by, school_id, ends_on, ends_on, school_grade,
                '名簿取込', :now, :by FROM moved)
        SELECT id FROM moved""",
        p,
    )
    # A class tells each child's own 学年 (`store.aggregates`).
    touched.classes |= await _ids(
        tx,
        """SELECT DISTINCT c.id FROM stage_people s
           JOIN enrolments e ON e.pupil_id = s.id AND e.school_id = s.school_id AND e.ends_on IS NULL
           JOIN class_members m ON m.pupil_id = s.id JOIN classes c ON c.id = m.class_id
           WHERE s.import_id = :id AND s.school_grade <> e.school_grade
             AND c.school_year = :year AND c.kind <> 'course'""",
        p,
    )
    await tx.execute(
        text("""UPDATE enrolments e SET school_grade = s.school_grade, state = CASE WHEN e.state = 'undecided'
                THEN 'active' ELSE e.state END, version = e.version + 1
            FROM stage_people s WHERE s.import_id = :id AND s.id = e.pupil_id AND s.school_id = e.school_id
              AND e.ends_on IS NULL AND (s.school_grade <> e.school_grade OR e.state = 'undecided')"""),
        {"id": p["id"]},
    )
    if p["bulk"]:
        # A file cannot say why a child is missing (転学, 退学, a mistake): the roll stays open till the office decides.
        await tx.execute(
            text("""UPDATE enrolments e SET state = 'undecided', version = e.version + 1 FROM persons p
                WHERE p.id = e.pupil_id AND p.source_id <> '' AND e.ends_on IS NULL AND e.state = 'active'
                  AND NOT EXISTS (SELECT FROM stage_people s WHERE s.import_id = :id AND s.id = e.pupil_id)"""),
            {"id": p["id"]},
        )
    begun = await tx.execute(
        text(f"""WITH {_ARRIVALS}, fresh AS (
            INSERT INTO enrolments (tenant_id, id, pupil_id, school_id, starts_on, state, entered_by, school_grade)
            SELECT :tenant, gen_random_uuid(), a.pupil_id, a.school_id, a.starts_on, 'active',
                CASE WHEN extract(month FROM a.starts_on) = 4 AND extract(day FROM a.starts_on) <= 10
                     THEN 'admitted' ELSE 'transferred_in' END, a.school_grade
            FROM arrivals a
            WHERE NOT EXISTS (SELECT FROM enrolments e WHERE e.pupil_id = a.pupil_id
                AND (e.ends_on IS NULL OR e.ends_on >= greatest(a.starts_on, e.starts_on)))
            RETURNING id, pupil_id, school_id, entered_by, starts_on, school_grade),
        noted AS (
            INSERT INTO enrolment_events (tenant_id, id, enrolment_id, pupil_id, kind, school_id, effective_on,
                school_grade, reason, recorded_at, recorded_by)
            SELECT :tenant, gen_random_uuid(), id, pupil_id, entered_by, school_id, starts_on, school_grade,
                '名簿取込', :now, :by FROM fresh)
        SELECT school_id, starts_on, entered_by, array_agg(pupil_id::text) AS pupil_ids FROM fresh
        GROUP BY school_id, starts_on, entered_by ORDER BY school_id, starts_on, entered_by"""),
        {name: p[name] for name in ("tenant", "id", "year", "now", "by")},
    )
    touched.begun = [Beginning(row.school_id, row.starts_on, row.entered_by, row.pupil_ids) for row in begun]


async def apply_supplements(tx: Transaction, p: Parameters, touched: Touched) -> None:
    """学籍補足: what a roster file must not carry (official name, birth, address, guardians, 入学)."""
    both = {"tenant": p["tenant"], "id": p["id"], "on": p["on"]}
    for kind in ("official", "alias"):
        await tx.execute(
            text(f"""INSERT INTO former_names (tenant_id, person_id, kind, starts_on, ends_on, family, given, middle)
                SELECT :tenant, e.id, '{kind}', coalesce(e.{kind}_on, e.named_on), :on - 1, e.{kind}_family,
                       e.{kind}_given, coalesce(e.{kind}_middle, '')
                FROM persons e JOIN stage_supplements s ON s.person_id = e.id
                WHERE s.import_id = :id AND e.{kind}_family IS NOT NULL AND s.{kind}_family IS NOT NULL
                  AND coalesce(e.{kind}_on, e.named_on) < :on
                  AND (s.{kind}_family, s.{kind}_given, coalesce(s.{kind}_middle, ''))
                      IS DISTINCT FROM (e.{kind}_family, e.{kind}_given, coalesce(e.{kind}_middle, ''))
                ON CONFLICT DO NOTHING"""),
            both,
        )
    await tx.execute(
        text("""UPDATE persons e SET
                official_on = CASE WHEN s.official_family IS NOT NULL AND (s.official_family, s.official_given)
                    IS DISTINCT FROM (e.official_family, e.official_given) THEN :on ELSE e.official_on END,
                official_family = coalesce(s.official_family, e.official_family),
                official_given = coalesce(s.official_given, e.official_given),
                official_middle = coalesce(s.official_middle, e.official_middle),
                alias_on = CASE WHEN s.alias_family IS NOT NULL AND (s.alias_family, s.alias_given)
                    IS DISTINCT FROM (e.alias_family, e.alias_given) THEN :on ELSE e.alias_on END,
                alias_family = coalesce(s.alias_family, e.alias_family),
                alias_given = coalesce(s.alias_given, e.alias_given),
                alias_middle = coalesce(s.alias_middle, e.alias_middle),
                sex = CASE WHEN s.sex <> '' THEN s.sex ELSE e.sex END, birth_on = coalesce(s.birth_on, e.birth_on),
                prior_history = CASE WHEN s.prior_history <> '' THEN s.prior_history ELSE e.prior_history END,
                protected_address = s.protected_address,
                search_text = CASE WHEN position(s.search_text IN e.search_text) > 0 THEN e.search_text
                    ELSE e.search_text || s.search_text END,
                version = e.version + 1
            FROM stage_supplements s WHERE s.import_id = :id AND s.person_id = e.id"""),
        {"id": p["id"], "on": p["on"]},
    )
    await _addresses(tx, both)
    await _guardians(tx, both)
    await _admissions(tx, p, touched)


async def _addresses(tx: Transaction, both: Parameters) -> None:
    await tx.execute(
        text("""UPDATE addresses e SET ends_on = greatest(coalesce(s.address_on, :on) - 1, e.starts_on)
            FROM stage_supplements s WHERE s.import_id = :id AND s.person_id = e.person_id AND e.ends_on IS NULL
              AND s.address <> '' AND (s.address, s.postal_code) <> (e.text, e.postal_code)"""),
        {"id": both["id"], "on": both["on"]},
    )
    await tx.execute(
        text("""INSERT INTO addresses (tenant_id, person_id, starts_on, postal_code, text)
            SELECT :tenant, s.person_id, coalesce(s.address_on, :on), s.postal_code, s.address
            FROM stage_supplements s WHERE s.import_id = :id AND s.address <> ''
              AND NOT EXISTS (SELECT FROM addresses e WHERE e.person_id = s.person_id AND e.ends_on IS NULL)
            ON CONFLICT (tenant_id, person_id, starts_on) DO UPDATE SET postal_code = excluded.postal_code,
                text = excluded.text, ends_on = NULL"""),
        both,
    )


async def _guardians(tx: Transaction, both: Parameters) -> None:
    columns = (
        "rank, relationship, display_family, display_given, display_middle, kana_family, kana_given, kana_middle, "
        "official_family, official_given, official_middle, phone, address"
    )
    mine, theirs = (", ".join(f"{side}.{column}" for column in columns.split(", ")) for side in ("e", "s"))
    await tx.execute(
        text(f"""UPDATE guardians e SET ends_on = greatest(:on - 1, e.starts_on)
            WHERE e.ends_on IS NULL AND EXISTS (SELECT FROM stage_guardians s WHERE s.import_id = :id
                    AND s.pupil_id = e.pupil_id)
              AND NOT EXISTS (SELECT FROM stage_guardians s WHERE s.import_id = :id AND s.pupil_id = e.pupil_id
                    AND s.id = e.id AND ({theirs}) IS NOT DISTINCT FROM ({mine}))"""),
        {"id": both["id"], "on": both["on"]},
    )
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns.split(", "))
    await tx.execute(
        # 親権 and 監護 are not in the file: who stood here before keeps them.
        text(f"""INSERT INTO guardians (tenant_id, pupil_id, id, starts_on, {columns}, custody, cares)
            SELECT :tenant, s.pupil_id, s.id, :on, {theirs}, coalesce(k.custody, ''), coalesce(k.cares, false)
            FROM stage_guardians s LEFT JOIN LATERAL (
                SELECT custody, cares FROM guardians g WHERE g.pupil_id = s.pupil_id AND g.id = s.id
                ORDER BY g.starts_on DESC LIMIT 1) k ON true
            WHERE s.import_id = :id
              AND NOT EXISTS (SELECT FROM guardians e WHERE e.pupil_id = s.pupil_id AND e.id = s.id
                              AND e.ends_on IS NULL)
            ON CONFLICT (tenant_id, pupil_id, id, starts_on) DO UPDATE SET ends_on = NULL, {updates}"""),
        both,
    )


async def _admissions(tx: Transaction, p: Parameters, touched: Touched) -> None:
    # 入学 = the day named by the board (学校教育法施行令 5条). The guess of the roster file is struck, not overwritten.
    touched.enrolments |= await _ids(
        tx,
        """WITH wrong AS (
            UPDATE enrolments e SET starts_on = s.admitted_on, version = e.version + 1 FROM stage_supplements s
            WHERE s.import_id = :id AND s.person_id = e.pupil_id AND s.admitted_on IS NOT NULL
              AND e.entered_by = 'admitted' AND e.starts_on <> s.admitted_on AND e.ends_on IS NULL
              AND NOT EXISTS (SELECT FROM enrolments o WHERE o.pupil_id = e.pupil_id AND o.id <> e.id
                              AND o.ends_on >= s.admitted_on)
            RETURNING e.id, e.pupil_id, e.school_id, e.starts_on, e.school_grade),
        struck AS (
            UPDATE enrolment_events v SET struck_at = :now, struck_by = :by, strike_reason = '学籍補足による訂正'
            FROM wrong w WHERE v.enrolment_id = w.id AND v.kind = 'admitted' AND v.struck_at IS NULL),
        noted AS (
            INSERT INTO enrolment_events (tenant_id, id, enrolment_id, pupil_id, kind, school_id, effective_on,
                school_grade, reason, recorded_at, recorded_by)
            SELECT :tenant, gen_random_uuid(), id, pupil_id, 'admitted', school_id, starts_on,
                left(school_grade, 1) || '1', '学籍補足', :now, :by FROM wrong)
        SELECT id FROM wrong""",
        p,
    )


async def bump(tx: Transaction, touched: Touched) -> None:
    """Count a version on for every aggregate that is told."""
    if touched.classes:
        await tx.execute(
            text("UPDATE classes SET version = version + 1 WHERE id = ANY(:ids)"), {"ids": list(touched.classes)}
        )
    if touched.staff:
        await tx.execute(
            text("UPDATE persons SET version = version + 1 WHERE id = ANY(:ids)"), {"ids": list(touched.staff)}
        )
