"""The projected roster as the tables of a OneRoster package: PostgreSQL writes the quoted lines, thousands at a time.

What is said about every table, in the columns of V6: `_TABLES`. A profile takes of them what it has, in its order.
Parameters: `session` (sourcedId of the school year), `schools` (None = the whole board), `first`, `last` (ISO days of
the school year, both inclusive).
"""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from uuid import UUID

from servicekit.db import Transaction

from dataexchange.domain.oneroster.profile import Kind, Profile

LINES_AT_ONCE = 2_000


def _text(*path: str) -> str:
    *outer, last = path
    inside = "".join(f" -> {name if name.isdecimal() else repr(name)}" for name in outer)
    return f"coalesce(e.doc{inside} ->> {last if last.isdecimal() else repr(last)}, '')"


def _list(name: str) -> str:
    return f"coalesce((SELECT string_agg(v, ',') FROM jsonb_array_elements_text(e.doc -> '{name}') AS v), '')"


def _in_scope(org: str) -> str:
    return f"(CAST(%(schools)s AS text[]) IS NULL OR {org} = ANY(%(schools)s))"


# An object is unpacked once for all its columns: the fence keeps the planner from doing it for each of them.
_UNPACKED = "CROSS JOIN LATERAL (SELECT o.doc || '{}' AS doc OFFSET 0) e"
_ORG = "o.doc #>> '{primaryOrg,sourcedId}'"
_PRIMARY = _text("primaryOrg", "sourcedId")
# Roles that hold in the school year; of those at other schools an export for one school says nothing.
_ROLES = f"""SELECT r.role, r.n FROM jsonb_array_elements(o.doc -> 'roles') WITH ORDINALITY AS r(role, n)
    WHERE {_in_scope("r.role #>> '{org,sourcedId}'")} AND coalesce(r.role ->> 'beginDate', '') <= %(last)s
      AND (r.role ->> 'endDate' IS NULL OR r.role ->> 'endDate' > %(first)s)"""
_CLASSES = f"""SELECT o.* FROM oneroster_objects o WHERE o.kind = 'class' AND o.status = 'active'
    AND o.doc #>> '{{terms,0,sourcedId}}' = %(session)s AND {_in_scope("o.doc #>> '{school,sourcedId}'")}"""
_IN_USERS = f"""o.kind = 'user' AND o.status = 'active' AND (NOT o.refs @> ARRAY['is:student'] OR {_in_scope(_ORG)})"""
_USERS = f"SELECT o.* FROM oneroster_objects o WHERE {_IN_USERS} AND EXISTS ({_ROLES})"
# A v4 of our own for a row that is no object of its own: the same each time.
_ROLE_ID = """CAST(CAST(overlay(overlay(md5(
    concat_ws('/', o.sourced_id, o.role #>> '{org,sourcedId}', o.role ->> 'role'))
    PLACING '4' FROM 13) PLACING 'a' FROM 17) AS uuid) AS text)"""
# What is primary elsewhere is the first here where nothing else is.
_ROLE_TYPE = """CASE WHEN bool_or(o.role ->> 'roleType' = 'primary') OVER person THEN o.role ->> 'roleType'
    WHEN row_number() OVER (PARTITION BY o.sourced_id ORDER BY o.n) = 1 THEN 'primary' ELSE 'secondary' END"""

# file → (rows `o`, columns of V6 without the first three that are not blank)
_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "academicSessions": (
        "SELECT o.* FROM oneroster_objects o WHERE o.kind = 'academicSession' AND o.sourced_id = %(session)s",
        {
            "title": _text("title"),
            "type": _text("type"),
            "startDate": _text("startDate"),
            "endDate": _text("endDate"),
            "schoolYear": _text("schoolYear"),
        },
    ),
    "orgs": (
        f"""SELECT o.* FROM oneroster_objects o WHERE o.kind = 'org' AND o.status = 'active'
            AND (o.doc ->> 'type' = 'district' OR {_in_scope("o.sourced_id")})""",
        {
            "name": _text("name"),
            "type": _text("type"),
            "identifier": _text("identifier"),
            "parentSourcedId": _text("parent", "sourcedId"),
        },
    ),
    "courses": (
        f"""SELECT o.* FROM oneroster_objects o WHERE o.kind = 'course' AND o.status = 'active'
            AND o.doc #>> '{{schoolYear,sourcedId}}' = %(session)s AND {_in_scope("o.doc #>> '{org,sourcedId}'")}""",
        {
            "schoolYearSourcedId": _text("schoolYear", "sourcedId"),
            "title": _text("title"),
            "orgSourcedId": _text("org", "sourcedId"),
            "subjects": _list("subjects"),
            "subjectCodes": _list("subjectCodes"),
        },
    ),
    "classes": (
        _CLASSES,
        {
            "title": _text("title"),
            "grades": _list("grades"),
            "courseSourcedId": _text("course", "sourcedId"),
            "classType": _text("classType"),
            "schoolSourcedId": _text("school", "sourcedId"),
            "termSourcedIds": _text("terms", "0", "sourcedId"),
            "subjects": _list("subjects"),
            "subjectCodes": _list("subjectCodes"),
            "metadata.jp.specialNeeds": _text("metadata", "jp.specialNeeds"),
        },
    ),
    "users": (
        f"SELECT o.*, c.sourced_id AS home FROM ({_USERS}) o "
        f"LEFT JOIN ({_CLASSES}) c ON c.sourced_id = o.doc #>> '{{metadata,jp.homeClass}}'",
        {
            "enabledUser": _text("enabledUser"),
            "username": _text("username"),
            "givenName": _text("givenName"),
            "familyName": _text("familyName"),
            "middleName": _text("middleName"),
            "grades": _text("grades", "0"),
            "userMasterIdentifier": _text("userMasterIdentifier"),
            "preferredGivenName": _text("preferredFirstName"),
            "preferredMiddleName": _text("preferredMiddleName"),
            "preferredFamilyName": _text("preferredLastName"),
            "primaryOrgSourcedId": f"CASE WHEN {_in_scope(_PRIMARY)} THEN {_PRIMARY} ELSE '' END",
            "metadata.jp.kanaGivenName": _text("metadata", "jp.kanaGivenName"),
            "metadata.jp.kanaFamilyName": _text("metadata", "jp.kanaFamilyName"),
            "metadata.jp.kanaMiddleName": _text("metadata", "jp.kanaMiddleName"),
            "metadata.jp.homeClass": "coalesce(o.home, '')",
            "metadata.jp.kanaPreferredFamilyName": _text("metadata", "jp.kanaPreferredFamilyName"),
            "metadata.jp.kanaPreferredGivenName": _text("metadata", "jp.kanaPreferredGivenName"),
            "metadata.jp.kanaPreferredMiddleName": _text("metadata", "jp.kanaMiddleName"),
        },
    ),
    "roles": (
        f"SELECT {_ROLE_ID} AS sourced_id, o.sourced_id AS person, {_ROLE_TYPE} AS role_type, o.role "
        f"FROM (SELECT o.sourced_id, r.role, r.n FROM oneroster_objects o "
        f"CROSS JOIN LATERAL ({_ROLES}) r WHERE {_IN_USERS}) o "  # who has no such role has no row: not asked twice
        "WINDOW person AS (PARTITION BY o.sourced_id)",
        {
            "userSourcedId": "o.person",
            "roleType": "o.role_type",
            "role": "o.role ->> 'role'",
            "orgSourcedId": "o.role #>> '{org,sourcedId}'",
        },
    ),
    "enrollments": (
        f"SELECT o.* FROM oneroster_objects o JOIN ({_CLASSES}) c ON c.sourced_id = o.class_id "
        f"JOIN ({_USERS}) u ON u.sourced_id = o.person_id WHERE o.kind = 'enrollment' AND o.status = 'active'",
        {
            "classSourcedId": "o.class_id",
            "schoolSourcedId": _text("school", "sourcedId"),
            "userSourcedId": "o.person_id",
            "role": _text("role"),
            "primary": _text("primary"),
            "beginDate": _text("beginDate"),
            "endDate": _text("endDate"),
            "metadata.jp.shussekiNo": _text("metadata", "jp.shussekiNo"),
            "metadata.jp.publicFlg": _text("metadata", "jp.publicFlg"),
        },
    ),
}
FILES = tuple(_TABLES)
_TYPED = frozenset({Kind.TEXT, Kind.TEXTS, Kind.KANA})
"""What a person may have typed a quote into; in identifiers, days and tokens our own check would find one."""
# Profiles whose years are not 学年度 (`Profile.whole_years`): endDate behind the last day, the year it ends in.
_ELSEWHERE: Mapping[tuple[str, str], str] = {
    ("academicSessions", "endDate"): "CAST(CAST(e.doc ->> 'endDate' AS date) + 1 AS text)",
    ("academicSessions", "schoolYear"): "CAST(CAST(e.doc ->> 'schoolYear' AS int) + 1 AS text)",
    ("enrollments", "endDate"): f"CASE WHEN {_text('endDate')} = %(last)s "
    f"THEN CAST(CAST(%(last)s AS date) + 1 AS text) ELSE {_text('endDate')} END",
}


def _query(profile: Profile, file: str) -> str:
    rows, columns = _TABLES[file]
    by_name = {name.lower(): value for name, value in columns.items()}
    if not profile.whole_years:
        by_name |= {name.lower(): value for (of, name), value in _ELSEWHERE.items() if of == file}
    said = [(column, by_name.get(column.name.lower(), "''")) for column in profile.files[file][3:]]
    values = ", ".join(
        f"replace({value}, '\"', '\"\"')" if value != "''" and column.kind in _TYPED else value
        for column, value in said
    )
    return f"""SELECT string_agg(line, chr(13) || chr(10) ORDER BY id) || chr(13) || chr(10), count(*) FROM (
        SELECT id, line, (row_number() OVER (ORDER BY id) - 1) / {LINES_AT_ONCE} AS part FROM (
            SELECT o.sourced_id AS id, '"' || concat_ws('","', o.sourced_id, '', '', {values}) || '"' AS line
            FROM ({rows}) o {"" if file == "roles" else _UNPACKED} OFFSET 0) l) x GROUP BY part ORDER BY part"""


async def lines(
    tx: Transaction, profile: Profile, file: str, parameters: Mapping[str, Any]
) -> AsyncGenerator[tuple[str, int]]:
    """The rows of a file as lines in the columns of `profile`, with how many they are, some thousands at a time."""
    async for text, count in tx.copy_out(_query(profile, file), parameters, ("text", "int8")):
        yield text, count


async def sessions(tx: Transaction) -> list[tuple[str, int, str, str]]:
    """School years that the projection knows: sourcedId, year, first and last day."""
    found = await tx.execute(
        "SELECT sourced_id, CAST(doc ->> 'schoolYear' AS int) AS year, doc ->> 'startDate' AS first, "
        "doc ->> 'endDate' AS last FROM oneroster_objects WHERE kind = 'academicSession' AND status = 'active' "
        "ORDER BY year"
    )
    return [tuple(row) for row in found]


async def is_stale(tx: Transaction) -> bool:
    """Whether the register told something that is not in the objects yet."""
    return bool(await tx.scalar("SELECT EXISTS (SELECT FROM oneroster_sources WHERE stale)"))


async def codes(tx: Transaction, school_ids: Sequence[UUID]) -> tuple[str, list[str]]:
    """教育委員会コード, and 学校コード of the schools that are known."""
    found = await tx.execute(
        "SELECT doc ->> 'type' AS type, doc ->> 'identifier' AS code FROM oneroster_objects WHERE kind = 'org' "
        "AND status = 'active' AND (doc ->> 'type' = 'district' OR sourced_id = ANY(:ids))",
        {"ids": [str(one) for one in school_ids]},
    )
    rows = found.all()
    board = next((row.code for row in rows if row.type == "district"), "")
    return board, [row.code for row in rows if row.type == "school"]
