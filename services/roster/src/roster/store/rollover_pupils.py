"""The children of a rehearsal: who is in it, where each one is, and the numbers given."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from servicekit.db import Transaction

from roster.domain.names import Name
from roster.domain.rollover.check import Surroundings
from roster.domain.rollover.plan import Coming, Entrant, Move, Pair, PlannedClass, PlannedPupil, Rollover
from roster.store.rollover import CLASSES, PAIRS, a_class, a_pair, around_queries, surroundings, year_days

# A child that is in the register is named by it, also when its name changed since; a typed one by what was typed.
# OFFSET 0: some hundred looks into an index, whatever the board's size; PostgreSQL would read all of its people.
_PUPIL = """
    SELECT r.pupil_id, r.outcome, r.school_grade, r.class_id, r.number, r.certificate, r.from_school_grade,
           r.from_number, r.care, r.band, r.version, r.moved_by, r.moved_at, p.id IS NOT NULL AS in_register,
           coalesce(p.display_family, r.family) AS family, coalesce(p.display_given, r.given) AS given,
           coalesce(p.kana_family, r.kana_family) AS kana_family, coalesce(p.kana_given, r.kana_given) AS kana_given,
           coalesce(nullif(p.sex, ''), r.sex) AS sex, coalesce(p.birth_on, r.birth_on) AS birth_on,
           coalesce(p.sort_key, r.sort_key) AS sort_key, coalesce(c.name, '') AS from_class
      FROM rollover_pupils r LEFT JOIN LATERAL (SELECT * FROM persons x WHERE x.id = r.pupil_id OFFSET 0) p ON true
      LEFT JOIN classes c ON c.id = r.from_class_id
     WHERE r.rollover_id = :id {where} ORDER BY coalesce(p.sort_key, r.sort_key), r.pupil_id"""


def _pupil(row: Any) -> PlannedPupil:
    return PlannedPupil(
        row.pupil_id, Name(row.family, row.given).full, Name(row.kana_family, row.kana_given).full, row.sex,
        row.sort_key, row.outcome, row.school_grade, row.class_id, row.number, row.certificate, row.from_school_grade,
        row.from_class, row.from_number, row.care, row.band, row.version, row.moved_by, row.moved_at, row.in_register,
        row.birth_on,
    )  # fmt: skip


async def everybody(tx: Transaction, rollover_id: UUID) -> list[PlannedPupil]:
    """In 五十音 order."""
    return [_pupil(row) for row in await tx.execute(_PUPIL.format(where=""), {"id": rollover_id})]


@dataclass(frozen=True, slots=True)
class Whole:
    """A rehearsal with everything that decides whether it may be published."""

    classes: list[PlannedClass]
    pupils: list[PlannedPupil]
    pairs: list[Pair]
    around: Surroundings


async def whole(tx: Transaction, rollover: Rollover) -> Whole:
    """In one round trip."""
    return await _whole(tx, rollover, _PUPIL.format(where=""), _pupil)


async def unnamed(tx: Transaction, rollover: Rollover) -> Whole:
    """The same without who the children are: enough to know that nothing is missing."""
    query = "SELECT pupil_id, outcome, class_id, number, certificate FROM rollover_pupils WHERE rollover_id = :id"
    return await _whole(tx, rollover, query, _unnamed)


def _unnamed(row: Any) -> PlannedPupil:
    pupil_id, outcome, class_id, number, certificate = row
    return PlannedPupil(pupil_id, "", "", "", "", outcome, "", class_id, number, certificate)


async def _whole(tx: Transaction, rollover: Rollover, query: str, made: Callable[[Any], PlannedPupil]) -> Whole:
    own = {"id": rollover.id}
    classes, pupils, pairs, *around = await tx.execute_all(
        (CLASSES, own), (query, own), (PAIRS, own), *around_queries(rollover)
    )
    return Whole(list(map(a_class, classes)), list(map(made, pupils)), list(map(a_pair, pairs)), surroundings(around))


async def of_school_grade(tx: Transaction, rollover_id: UUID, school_grade: str) -> list[PlannedPupil]:
    """Those of a 学年 of the coming year who are in classes; of the graduates when it is empty."""
    where = (
        "AND r.school_grade = :school_grade AND r.outcome IN ('promoted', 'retained', 'enters')"
        if school_grade
        else "AND r.outcome = 'graduates'"
    )
    parameters = {"id": rollover_id} | ({"school_grade": school_grade} if school_grade else {})
    return [_pupil(row) for row in await tx.execute(_PUPIL.format(where=where), parameters)]


async def some(tx: Transaction, rollover_id: UUID, ids: Sequence[UUID]) -> list[PlannedPupil]:
    """By id."""
    query = _PUPIL.format(where="AND r.pupil_id = ANY(:ids)")
    return [_pupil(row) for row in await tx.execute(query, {"id": rollover_id, "ids": list(ids)})]


async def changed_since(tx: Transaction, rollover_id: UUID, school_grade: str, revision: int) -> list[PlannedPupil]:
    """Children of a 学年 whom somebody changed after that revision."""
    query = _PUPIL.format(where="AND r.school_grade = :school_grade AND r.revision > :revision")
    found = await tx.execute(query, {"id": rollover_id, "school_grade": school_grade, "revision": revision})
    return [_pupil(row) for row in found]


# Today's roll of the school with the last class of the ending year; a child of several rolls stands once.
_ROLL = """
    roll AS MATERIALIZED (
        SELECT e.id AS enrolment_id, e.pupil_id, e.state, e.school_grade, m.class_id, m.number
          FROM enrolments e LEFT JOIN LATERAL (
               SELECT m.class_id, m.number FROM class_members m JOIN classes c ON c.id = m.class_id
                WHERE m.pupil_id = e.pupil_id AND c.school_id = e.school_id AND c.school_year = :from_year
                  AND c.kind <> 'course' AND c.withdrawn_on IS NULL AND (m.ends_on IS NULL OR m.ends_on >= m.starts_on)
                ORDER BY m.starts_on DESC, c.kind DESC LIMIT 1) m ON true
         WHERE e.school_id = :school AND e.ends_on IS NULL AND e.starts_on < :begins AND e.state <> 'undecided'),
    usual AS (SELECT * FROM unnest(CAST(:now AS text[]), CAST(:outcomes AS text[]), CAST(:becomes AS text[]))
              AS u (school_grade, outcome, becomes))"""


async def refresh(tx: Transaction, rollover: Rollover, coming: Mapping[str, Coming], revision: int) -> tuple[int, int]:
    """Take in the school's roll of today: (children who came, children who went). Set by set, none by one."""
    p = {
        "tenant": tx.tenant, "id": rollover.id, "school": rollover.school_id, "from_year": rollover.from_year,
        "begins": year_days(rollover)["begins"], "revision": revision, "now": list(coming),
        "outcomes": [each.outcome for each in coming.values()],
        "becomes": [each.school_grade for each in coming.values()],
    }  # fmt: skip
    went = await tx.execute(
        """DELETE FROM rollover_pupils r WHERE r.rollover_id = :id AND r.enrolment_id IS NOT NULL
             AND NOT EXISTS (SELECT FROM enrolments e WHERE e.id = r.enrolment_id AND e.ends_on IS NULL
                             AND e.school_id = :school)""",
        {"id": rollover.id, "school": rollover.school_id},
    )
    # A 転出 that was entered or came to nothing since, and a 学年 that was put right.
    await tx.execute(
        f"""WITH {_ROLL} UPDATE rollover_pupils r SET from_school_grade = x.school_grade,
                outcome = CASE WHEN x.state = 'leaving' THEN 'leaves' ELSE coalesce(u.outcome, 'unknown') END,
                school_grade = coalesce(u.becomes, ''), class_id = NULL, number = 0, certificate = NULL,
                version = r.version + 1, revision = :revision
            FROM roll x LEFT JOIN usual u ON u.school_grade = x.school_grade
            WHERE r.rollover_id = :id AND r.enrolment_id = x.enrolment_id AND CAST(:tenant AS text) = r.tenant_id
              AND ((x.state = 'leaving') <> (r.outcome = 'leaves') OR x.school_grade <> r.from_school_grade)""",
        p,
    )
    came = await tx.execute(
        f"""WITH {_ROLL} INSERT INTO rollover_pupils (tenant_id, rollover_id, pupil_id, enrolment_id, outcome,
                from_school_grade, from_class_id, from_number, school_grade, revision)
            SELECT :tenant, :id, x.pupil_id, x.enrolment_id,
                   CASE WHEN x.state = 'leaving' THEN 'leaves' ELSE coalesce(u.outcome, 'unknown') END,
                   x.school_grade, x.class_id, coalesce(x.number, 0), coalesce(u.becomes, ''), :revision
              FROM roll x LEFT JOIN usual u ON u.school_grade = x.school_grade
            ON CONFLICT (tenant_id, rollover_id, pupil_id) DO NOTHING""",
        p,
    )
    await tx.execute(
        """DELETE FROM rollover_pairs w WHERE w.rollover_id = :id AND (
               NOT EXISTS (SELECT FROM rollover_pupils r WHERE r.rollover_id = :id AND r.pupil_id = w.first_id)
            OR NOT EXISTS (SELECT FROM rollover_pupils r WHERE r.rollover_id = :id AND r.pupil_id = w.second_id))""",
        {"id": rollover.id},
    )
    return came.rowcount, went.rowcount


async def carry(tx: Transaction, rollover_id: UUID, into: Mapping[UUID, UUID], revision: int) -> None:
    """持ち上がり: children without a class go on with the class of this year (this year's class → the coming one)."""
    await tx.execute(
        """UPDATE rollover_pupils r SET class_id = t.new, number = 0, version = r.version + 1, revision = :revision,
               moved_at = :now, moved_by = :by
           FROM unnest(CAST(:old AS uuid[]), CAST(:new AS uuid[])) AS t (old, new)
           WHERE r.rollover_id = :id AND r.from_class_id = t.old AND r.class_id IS NULL AND r.outcome = 'promoted'
             AND EXISTS (SELECT FROM rollover_classes c WHERE c.rollover_id = :id AND c.id = t.new
                         AND (c.kind = 'special_needs' OR c.school_grade = r.school_grade))""",
        {
            "id": rollover_id, "old": list(into), "new": list(into.values()), "revision": revision, "now": tx.now,
            "by": tx.actor.person_id if tx.actor else None,
        },
    )  # fmt: skip


async def move(tx: Transaction, rollover_id: UUID, moves: Sequence[Move], revision: int) -> set[UUID]:
    """Move the children whose card is still as it was shown; tells whom. A moved child loses its number."""
    written = await tx.execute(
        """UPDATE rollover_pupils r SET class_id = m.class_id, number = 0, version = r.version + 1,
               revision = :revision, moved_at = :now, moved_by = :by
           FROM unnest(CAST(:pupils AS uuid[]), CAST(:classes AS uuid[]), CAST(:versions AS bigint[]))
                AS m (pupil_id, class_id, version)
           WHERE r.rollover_id = :id AND r.pupil_id = m.pupil_id AND r.version = m.version
             AND r.outcome IN ('promoted', 'retained', 'enters')
           RETURNING r.pupil_id""",
        {
            "id": rollover_id, "pupils": [each.pupil_id for each in moves],
            "classes": [each.class_id for each in moves],
            "versions": [each.version for each in moves], "revision": revision, "now": tx.now,
            "by": tx.actor.person_id if tx.actor else None,
        },
    )  # fmt: skip
    return {row.pupil_id for row in written}


async def set_numbers(
    tx: Transaction, rollover_id: UUID, column: str, numbers: Mapping[UUID, int], revision: int
) -> None:
    """Write `number` or `certificate` of many children at once."""
    await tx.execute(
        f"""UPDATE rollover_pupils r SET {column} = n.number, version = r.version + 1, revision = :revision
            FROM unnest(CAST(:pupils AS uuid[]), CAST(:numbers AS integer[])) AS n (pupil_id, number)
            WHERE r.rollover_id = :id AND r.pupil_id = n.pupil_id AND r.{column} IS DISTINCT FROM n.number""",
        {
            "id": rollover_id, "pupils": list(numbers), "numbers": list(numbers.values()), "revision": revision,
        },
    )  # fmt: skip


async def save(tx: Transaction, rollover_id: UUID, pupil: PlannedPupil, expected_version: int, revision: int) -> bool:
    """Outcome, 配慮, 段階 and number of one child; False when somebody else was faster."""
    written = await tx.execute(
        """UPDATE rollover_pupils SET outcome = :outcome, school_grade = :school_grade, class_id = :class,
               number = :number, certificate = :certificate, care = :care, band = :band, version = version + 1,
               revision = :revision
           WHERE rollover_id = :id AND pupil_id = :pupil AND version = :version RETURNING pupil_id""",
        {
            "id": rollover_id, "pupil": pupil.id, "outcome": pupil.outcome, "school_grade": pupil.school_grade,
            "class": pupil.class_id, "number": pupil.number, "certificate": pupil.certificate, "care": pupil.care,
            "band": pupil.band, "version": expected_version, "revision": revision,
        },
    )  # fmt: skip
    return written.first() is not None


async def known(tx: Transaction, entrants: Sequence[Entrant]) -> dict[UUID, UUID]:
    """Typed child → the one child of the register with the same カナ and birth date (from a 小学校 of the board)."""
    found = await tx.execute(
        """SELECT t.id, (array_agg(p.id))[1] AS person_id
           FROM unnest(CAST(:ids AS uuid[]), CAST(:families AS text[]), CAST(:givens AS text[]),
                CAST(:births AS date[])) AS t (id, kana_family, kana_given, birth_on)
           JOIN persons p ON p.kind = 'pupil' AND p.birth_on = t.birth_on AND p.kana_family = t.kana_family
                AND p.kana_given = t.kana_given
           GROUP BY t.id HAVING count(*) = 1""",
        {
            "ids": [each.id for each in entrants], "families": [each.kana.family for each in entrants],
            "givens": [each.kana.given for each in entrants], "births": [each.birth_on for each in entrants],
        },
    )  # fmt: skip
    return {row.id: row.person_id for row in found}


async def enter(
    tx: Transaction, rollover_id: UUID, entrants: Sequence[Entrant], school_grade: str, revision: int
) -> int:
    """Put children into the plan; who is in it stays as it is. Tells how many are new."""
    columns = (
        ("ids", "uuid", [each.id for each in entrants]), ("families", "text", [each.name.family for each in entrants]),
        ("givens", "text", [each.name.given for each in entrants]),
        ("kana_families", "text", [each.kana.family for each in entrants]),
        ("kana_givens", "text", [each.kana.given for each in entrants]),
        ("sexes", "text", [each.sex for each in entrants]), ("births", "date", [each.birth_on for each in entrants]),
        ("sort_keys", "text", [each.sort_key for each in entrants]),
        ("search_texts", "text", [each.search_text for each in entrants]),
    )  # fmt: skip
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind, _ in columns)
    written = await tx.execute(
        f"""INSERT INTO rollover_pupils (tenant_id, rollover_id, outcome, school_grade, revision, pupil_id, family,
                given, kana_family, kana_given, sex, birth_on, sort_key, search_text)
            SELECT :tenant, :id, 'enters', :school_grade, CAST(:revision AS bigint), t.* FROM unnest({arrays}) AS t
            ON CONFLICT (tenant_id, rollover_id, pupil_id) DO NOTHING""",
        {"tenant": tx.tenant, "id": rollover_id, "school_grade": school_grade, "revision": revision}
        | {name: values for name, _, values in columns},
    )
    return written.rowcount


async def typed_before(tx: Transaction, rollover_id: UUID, entrants: Sequence[Entrant]) -> set[UUID]:
    """Of the typed children, those whom the plan has already (same カナ and birth date)."""
    found = await tx.execute(
        """SELECT t.id FROM unnest(CAST(:ids AS uuid[]), CAST(:families AS text[]), CAST(:givens AS text[]),
               CAST(:births AS date[])) AS t (id, kana_family, kana_given, birth_on)
           JOIN rollover_pupils r ON r.rollover_id = :rollover AND r.outcome = 'enters' AND r.birth_on = t.birth_on
                AND r.kana_family = t.kana_family AND r.kana_given = t.kana_given""",
        {
            "rollover": rollover_id, "ids": [each.id for each in entrants],
            "families": [each.kana.family for each in entrants], "givens": [each.kana.given for each in entrants],
            "births": [each.birth_on for each in entrants],
        },
    )  # fmt: skip
    return {row.id for row in found}


async def remove_entrant(tx: Transaction, rollover_id: UUID, pupil_id: UUID) -> bool:
    """Take a typed child out again."""
    gone = await tx.execute(
        """DELETE FROM rollover_pupils WHERE rollover_id = :id AND pupil_id = :pupil AND outcome = 'enters'
           RETURNING pupil_id""",
        {"id": rollover_id, "pupil": pupil_id},
    )
    await tx.execute(
        "DELETE FROM rollover_pairs WHERE rollover_id = :id AND (first_id = :pupil OR second_id = :pupil)",
        {"id": rollover_id, "pupil": pupil_id},
    )
    return gone.first() is not None
