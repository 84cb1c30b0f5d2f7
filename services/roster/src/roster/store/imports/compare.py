"""What the staged rows would change, counted in the database: one statement per kind of record.

Only what came from a roster file can vanish with one: people whom Komu itself entered (転入学) have no source id.
"""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.roster_change import EXAMPLES, EntityChange, Example, FieldChange


class _Entity(NamedTuple):
    """Staged side `s`, register side `e`, both with the `keys` (all the same = same record), `label` and `fields`."""

    staged: str
    existing: str
    fields: Mapping[str, str]  # column in both → what people call it
    keys: tuple[str, ...] = ("k",)


_NOT_LEFT = """NOT EXISTS (SELECT FROM enrolments d WHERE d.pupil_id = m.person_id
    AND d.ends_on >= greatest(m.starts_on, d.starts_on)
    AND NOT EXISTS (SELECT FROM enrolments o WHERE o.pupil_id = d.pupil_id AND o.ends_on IS NULL))"""

_ENTITIES: Mapping[str, _Entity] = {
    "schools": _Entity(
        """SELECT s.id AS k, s.name AS label, s.name, s.code,
                  coalesce(nullif(s.address, ''), e.address, '') AS address
           FROM stage_orgs s LEFT JOIN schools e ON e.id = s.id
           WHERE s.import_id = :id AND s.kind <> 'board' AND s.source_id <> ''""",
        "SELECT id AS k, name AS label, name, code, address FROM schools WHERE closed_on IS NULL",
        {"name": "学校名", "code": "学校コード", "address": "所在地"},
    ),
    "classes": _Entity(
        """SELECT c.id AS k, c.name AS label, c.name, c.school_grade, c.kind FROM stage_classes c
           WHERE c.import_id = :id""",
        """SELECT c.id AS k, c.name AS label, c.name, c.school_grade, c.kind FROM classes c
           WHERE c.school_year = :year AND c.withdrawn_on IS NULL AND c.source_id <> ''""",
        {"name": "学級名", "school_grade": "学年", "kind": "種類"},
    ),
    "people": _Entity(
        """SELECT id AS k, display_family || '　' || display_given AS label, kind,
                  concat_ws('　', display_family, nullif(display_middle, ''), display_given) AS display,
                  concat_ws('　', kana_family, nullif(kana_middle, ''), kana_given) AS kana
           FROM stage_people WHERE import_id = :id""",
        """SELECT id AS k, display_family || '　' || display_given AS label, kind,
                  concat_ws('　', display_family, nullif(display_middle, ''), display_given) AS display,
                  concat_ws('　', kana_family, nullif(kana_middle, ''), kana_given) AS kana
           FROM persons WHERE gone_on IS NULL AND source_id <> ''""",
        {"display": "氏名", "kana": "ふりがな", "kind": "区分"},
    ),
    "members": _Entity(
        f"""SELECT m.class_id AS k, m.number::text, m.class_id, m.person_id,
                   coalesce(m.ends_on::text, '') AS ends_on
            FROM stage_members m WHERE m.import_id = :id AND m.person_id IS NOT NULL AND {_NOT_LEFT}""",
        """SELECT m.class_id AS k, m.number::text, m.class_id, m.pupil_id AS person_id,
                  coalesce(m.ends_on::text, '') AS ends_on
           FROM class_members m JOIN classes c ON c.id = m.class_id JOIN persons p ON p.id = m.pupil_id
           WHERE c.school_year = :year AND p.source_id <> '' AND c.source_id <> ''
             AND (m.ends_on IS NULL OR m.ends_on >= :on)""",
        {"number": "出席番号", "ends_on": "終了日"},
        ("k", "person_id"),
    ),
    "appointments": _Entity(
        """SELECT a.person_id::text || coalesce(o.id::text, '') || a.post AS k, a.person_id, a.post AS label,
                  coalesce(a.ends_on::text, '') AS ends_on
           FROM stage_appointments a
           LEFT JOIN stage_orgs o ON o.import_id = a.import_id AND o.id = a.org_id AND o.kind <> 'board'
           WHERE a.import_id = :id AND a.person_id IS NOT NULL""",
        """SELECT a.staff_id::text || coalesce(a.school_id::text, '') || a.post AS k, a.staff_id AS person_id,
                  a.post AS label, coalesce(a.ends_on::text, '') AS ends_on
           FROM appointments a JOIN persons p ON p.id = a.staff_id
           WHERE p.source_id <> '' AND (a.ends_on IS NULL OR a.ends_on >= :on)""",
        {"ends_on": "終了日"},
    ),
    "duties": _Entity(
        """SELECT d.person_id::text || d.class_id || d.kind || d.subject AS k, d.person_id, d.class_id,
                  coalesce(d.ends_on::text, '') AS ends_on
           FROM stage_duties d WHERE d.import_id = :id AND d.person_id IS NOT NULL""",
        """SELECT d.staff_id::text || d.class_id || d.kind || d.subject AS k, d.staff_id AS person_id, d.class_id,
                  coalesce(d.ends_on::text, '') AS ends_on
           FROM duties d JOIN persons p ON p.id = d.staff_id JOIN classes c ON c.id = d.class_id
           WHERE c.school_year = :year AND p.source_id <> '' AND c.source_id <> ''
             AND (d.ends_on IS NULL OR d.ends_on >= :on)""",
        {"ends_on": "終了日"},
    ),
}

_PERSON_LABEL = """(SELECT coalesce(
    (SELECT display_family || '　' || display_given FROM stage_people p
     WHERE p.import_id = :id AND p.id = x.person_id LIMIT 1),
    (SELECT display_family || '　' || display_given FROM persons p WHERE p.id = x.person_id), ''))"""
_CLASS_LABEL = """(SELECT coalesce(
    (SELECT name FROM stage_classes c WHERE c.import_id = :id AND c.id = x.class_id LIMIT 1),
    (SELECT name FROM classes c WHERE c.id = x.class_id), ''))"""
_LABELS = {
    "members": f"{_PERSON_LABEL} || '（' || {_CLASS_LABEL} || '）'",
    "duties": f"{_PERSON_LABEL} || '（' || {_CLASS_LABEL} || '）'",
    "appointments": f"{_PERSON_LABEL} || '（' || x.label || '）'",
}


async def plan_for_sets(tx: Transaction) -> None:
    """Staged rows have no statistics, so row counts are guessed far too low: never loop over a set inside a set."""
    await tx.execute(text("SET LOCAL enable_nestloop = off"))
    await tx.execute(text("SET LOCAL jit = off"))


async def compare(tx: Transaction, parameters: Mapping[str, Any], *, bulk: bool) -> list[EntityChange]:
    """Counts and examples per kind of record. Parameters: `id` of the import, `year`, `on` (today)."""
    await plan_for_sets(tx)
    return [await _compare(tx, name, entity, parameters, bulk=bulk) for name, entity in _ENTITIES.items()]


async def compare_supplement(tx: Transaction, parameters: Mapping[str, Any]) -> list[EntityChange]:
    """Schools that a 学校補足 changes. 学籍補足 fills people's records and is shown by its number of rows alone."""
    schools = await _compare(tx, "schools", _ENTITIES["schools"], parameters, bulk=False)
    return [schools] if schools.changed else []


async def _compare(
    tx: Transaction, name: str, entity: _Entity, parameters: Mapping[str, Any], *, bulk: bool
) -> EntityChange:
    differs = " OR ".join(f"s.{column} IS DISTINCT FROM e.{column}" for column in entity.fields)
    same = " AND ".join(f"s.{key} = e.{key}" for key in entity.keys)
    joined = f"FROM ({entity.staged}) s FULL JOIN ({entity.existing}) e ON {same}"
    counts = (
        await tx.execute(
            text(f"""SELECT count(e.k) AS existing, count(*) FILTER (WHERE e.k IS NULL) AS added,
                     count(*) FILTER (WHERE s.k IS NOT NULL AND e.k IS NOT NULL AND ({differs})) AS changed,
                     count(*) FILTER (WHERE s.k IS NULL) AS gone {joined}"""),
            _used(entity, parameters),
        )
    ).one()
    gone = counts.gone if bulk else 0
    examples: list[Example] = []
    for kind, number, where, side in (
        ("added", counts.added, "e.k IS NULL", "s"),
        ("changed", counts.changed, f"s.k IS NOT NULL AND e.k IS NOT NULL AND ({differs})", "s"),
        ("gone", gone, "s.k IS NULL", "e"),
    ):
        if number:
            examples += await _examples(tx, name, entity, parameters, (kind, where, side, joined))
    return EntityChange(name, counts.existing, counts.added, counts.changed, gone, tuple(examples))


def _used(entity: _Entity, parameters: Mapping[str, Any]) -> dict[str, Any]:
    both = entity.staged + entity.existing
    return {name: value for name, value in parameters.items() if f":{name}" in both or name == "id"}


async def _examples(
    tx: Transaction, name: str, entity: _Entity, parameters: Mapping[str, Any], wanted: tuple[str, str, str, str]
) -> list[Example]:
    kind, where, side, joined = wanted
    columns = ", ".join(f"s.{column} AS s_{column}, e.{column} AS e_{column}" for column in entity.fields)
    label = _LABELS.get(name, "x.label")
    rows = await tx.execute(
        text(f"""SELECT {label} AS shown, x.* FROM
                 (SELECT {side}.*, {columns} {joined} WHERE {where} LIMIT {EXAMPLES}) x"""),
        _used(entity, parameters),
    )
    return [
        Example(
            kind,
            row.shown,
            tuple(
                FieldChange(shown, row._mapping[f"e_{column}"] or "", row._mapping[f"s_{column}"] or "")
                for column, shown in entity.fields.items()
                if kind == "changed" and row._mapping[f"e_{column}"] != row._mapping[f"s_{column}"]
            ),
        )
        for row in rows
    ]


async def problems(tx: Transaction, parameters: Mapping[str, Any]) -> list[str]:
    """What only the register can see, as sentences; any of them stops the apply unless it starts with 「注意」."""
    found: list[str] = []
    for sentence, query in _PROBLEMS:
        row = (await tx.execute(text(query), {k: v for k, v in parameters.items() if f":{k}" in query})).one()
        if row.number:
            found.append(sentence.format(number=row.number, example=row.example))
    return found


_PROBLEMS = (
    (
        "学校コード{example}は、別の学校としてすでに登録されています（{number}件）。",
        """SELECT count(*) AS number, min(s.code) AS example FROM stage_orgs s JOIN schools e ON e.code = s.code
           WHERE s.import_id = :id AND e.id <> s.id AND e.closed_on IS NULL AND s.kind <> 'board'
             AND s.source_id <> ''""",
    ),
    (
        "学校補足の学校コードと学校名の学校が登録されていません: {example}（{number}校）。",
        """SELECT count(*) AS number, min(code || ' ' || name) AS example FROM stage_orgs
           WHERE import_id = :id AND source_id = ''""",
    ),
    (
        "「{example}」は、児童生徒・教職員の区分が登録済みの内容と違います（{number}名）。",
        """SELECT count(*) AS number, min(s.display_family || '　' || s.display_given) AS example
           FROM stage_people s JOIN persons e ON e.id = s.id
           WHERE s.import_id = :id AND s.kind <> e.kind AND 'guardian' NOT IN (s.kind, e.kind)""",
    ),
    (
        "学級の学校が名簿にありません: {example}（{number}学級）。",
        """SELECT count(*) AS number, min(c.name) AS example FROM stage_classes c WHERE c.import_id = :id
           AND NOT EXISTS (SELECT FROM stage_orgs o WHERE o.import_id = :id AND o.id = c.school_id)
           AND NOT EXISTS (SELECT FROM schools e WHERE e.id = c.school_id)""",
    ),
    (
        "在籍の行が指す人が名簿にありません: {example}（{number}行）。",
        """SELECT count(*) AS number, min(person_source_id) AS example FROM (
               SELECT person_source_id FROM stage_members WHERE import_id = :id AND person_id IS NULL
               UNION ALL SELECT person_source_id FROM stage_appointments WHERE import_id = :id AND person_id IS NULL
               UNION ALL SELECT person_source_id FROM stage_duties WHERE import_id = :id AND person_id IS NULL) x""",
    ),
    (
        "在籍の行が指す学級が名簿にありません: {example}（{number}行）。",
        """SELECT count(*) AS number, min(x.class_id::text) AS example FROM (
               SELECT class_id FROM stage_members WHERE import_id = :id
               UNION ALL SELECT class_id FROM stage_duties WHERE import_id = :id) x
           WHERE NOT EXISTS (SELECT FROM stage_classes c WHERE c.import_id = :id AND c.id = x.class_id)
             AND NOT EXISTS (SELECT FROM classes c WHERE c.id = x.class_id)""",
    ),
    (
        "学籍補足の行が指す人が登録されていません: {example}（{number}行）。",
        """SELECT count(*) AS number, min(s.person_id::text) AS example FROM stage_supplements s
           WHERE s.import_id = :id AND NOT EXISTS (SELECT FROM persons p WHERE p.id = s.person_id)
             AND NOT EXISTS (SELECT FROM stage_people p WHERE p.import_id = :id AND p.id = s.person_id)""",
    ),
    (
        "注意: 転出・卒業済みの児童生徒が名簿に残っています。学級には戻しません（{number}行）。",
        f"""SELECT count(*) AS number, '' AS example FROM stage_members m
            WHERE m.import_id = :id AND m.person_id IS NOT NULL AND NOT ({_NOT_LEFT})""",
    ),
)


def blocking(problem: str) -> bool:
    """Whether the problem stops the apply."""
    return not problem.startswith("注意")
