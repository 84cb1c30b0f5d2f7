"""What partners read: prepared bodies joined in the database, one statement per answer.

An answer begins with whether the token still stands and with the version of what it was made from; what is remembered
between requests is trusted only as far as these say so.
"""

# ruff: noqa: S608  (statements are put together from constants of this module; values are always parameters)

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from servicekit.db import Transaction
from servicekit.json import dumps_text

from dataexchange.domain.partners import Grant
from dataexchange.domain.rest.query import Clause, Query
from dataexchange.domain.rest.routes import By, Operation

_STANDS = "EXISTS (SELECT FROM oneroster_tokens WHERE sha256 = :token) AS stands"
_VERSION = "(SELECT coalesce(sum(version), 0) FROM oneroster_state WHERE service = ANY(:services)) AS version"
_RANGE = f"""SELECT {_STANDS}, {_VERSION},
    (SELECT CAST(totals ->> :kind AS int) FROM oneroster_state WHERE service = :service) AS total,
    (SELECT string_agg(body, ',' ORDER BY ordinal) FROM oneroster_objects
      WHERE kind = :kind AND ordinal > :after AND ordinal <= :last) AS page"""
_THESE = f"""SELECT {_STANDS}, {_VERSION},
    (SELECT string_agg(o.body, ',' ORDER BY w.n) FROM unnest(CAST(:ordinals AS int[])) WITH ORDINALITY AS w(ordinal, n)
       JOIN oneroster_objects o ON o.kind = :kind AND o.ordinal = w.ordinal) AS page"""
_WITHIN = "(CAST(:within AS text[]) IS NULL OR refs && CAST(:within AS text[]))"
_ONE = f"""SELECT {_STANDS}, {_VERSION}, (SELECT body FROM oneroster_objects WHERE kind = :kind AND sourced_id = :id
    AND refs @> CAST(:must AS text[]) AND {_WITHIN}) AS body"""


class Page(NamedTuple):
    """`body`: objects joined by commas; `total`: of a plain list."""

    stands: bool
    version: int
    body: bytes
    total: int = 0


async def standing(tx: Transaction, tokens: Sequence[bytes]) -> tuple[frozenset[bytes], dict[str, int]]:
    """Those of the tokens that stand, and the version of each service."""
    found = await tx.execute(
        "SELECT (SELECT array_agg(sha256) FROM oneroster_tokens WHERE sha256 = ANY(:tokens)) AS tokens, "
        "(SELECT jsonb_object_agg(service, version) FROM oneroster_state) AS versions",
        {"tokens": list(tokens)},
    )
    row = found.one()
    return frozenset(map(bytes, row.tokens or ())), row.versions or {}


async def plain_page(tx: Transaction, token: bytes, operation: Operation, query: Query) -> Page:
    """A page of all objects of a kind, in the order they came: a range of ordinals."""
    found = await tx.execute(
        _RANGE,
        {
            "token": token, "services": services_of(operation), "kind": operation.kind,
            "service": operation.service, "after": query.offset, "last": query.offset + query.limit,
        },
    )  # fmt: skip
    row = found.one()
    return Page(row.stands, int(row.version), (row.page or "").encode(), row.total or 0)


async def these(tx: Transaction, token: bytes, operation: Operation, ordinals: Sequence[int]) -> Page:
    """Objects by ordinal, in that order."""
    found = await tx.execute(
        _THESE,
        {
            "token": token, "services": services_of(operation), "kind": operation.kind, "ordinals": list(ordinals),
        },
    )  # fmt: skip
    row = found.one()
    return Page(row.stands, int(row.version), (row.page or "").encode())


async def one(tx: Transaction, token: bytes, operation: Operation, id_: str, grant: Grant) -> Page:
    """One object; an empty body where there is none to see."""
    found = await tx.execute(
        _ONE,
        {
            "token": token, "services": services_of(operation), "kind": operation.kind, "id": id_,
            "must": list(operation.must), "within": grant.refs,
        },
    )  # fmt: skip
    row = found.one()
    return Page(row.stands, int(row.version), (row.body or "").encode())


async def ordinals(
    tx: Transaction, operation: Operation, ids: Mapping[str, str], query: Query, grant: Grant
) -> tuple[int, list[int]] | None:
    """Which objects an operation and a query mean, in order, and the version that this is true for.

    None: something that the path names is not there (or not for this partner)."""
    values: dict[str, Any] = {"services": services_of(operation), "kind": operation.kind, "within": grant.refs}
    where = ["kind = :kind", _WITHIN]
    if operation.must:
        where.append("refs @> CAST(:must AS text[])")
        values["must"] = list(operation.must)
    for number, condition in enumerate(operation.conditions):
        name = f"on{number}"
        id_ = ids[condition.parameter]
        where.append(_CONDITIONS[condition.by].format(name=name))
        values[name] = [condition.word + id_] if condition.by is By.REF else id_
        if condition.by in (By.ENROLLED, By.ATTENDED):
            values[f"{name}_role"] = [f"is:{condition.word}"] if condition.word else []
    clauses = [_clause(number, clause, values) for number, clause in enumerate(query.clauses)]
    if clauses:
        where.append(f"({(' OR ' if query.any_of else ' AND ').join(clauses)})")
    direction = "DESC" if query.descending else "ASC"
    order = f"ordinal {direction}"
    if query.sort in (("dateLastModified",), ("sourcedId",), ("status",)):
        order = f"{_COLUMNS[query.sort[0]]} {direction}, ordinal"
    elif query.sort:
        values["sort"] = list(query.sort)
        order = f"doc #> CAST(:sort AS text[]) {direction} NULLS LAST, ordinal"
    there = ["true"]
    for number, (kind, parameter, ref) in enumerate(operation.parents):
        there.append(
            f"EXISTS (SELECT FROM oneroster_objects WHERE kind = :kind{number} AND sourced_id = :parent{number} "
            f"AND refs @> CAST(:ref{number} AS text[]) AND {_WITHIN})"
        )
        values |= {
            f"kind{number}": kind, f"parent{number}": ids[parameter],
            f"ref{number}": [ref.format(**ids)] if ref else [],
        }  # fmt: skip
    found = await tx.execute(
        f"SELECT {_VERSION}, {' AND '.join(there)} AS there, "
        f"(SELECT array_agg(ordinal ORDER BY {order}) FROM oneroster_objects WHERE {' AND '.join(where)}) AS ordinals",
        values,
    )
    row = found.one()
    return (int(row.version), row.ordinals or []) if row.there else None


_ENROLLED = (
    "FROM oneroster_objects e WHERE e.kind = 'enrollment' AND e.status = 'active' AND e.{column} = :{{name}} "
    "AND e.refs @> CAST(:{{name}}_role AS text[]))"
)
_CONDITIONS = {
    By.REF: "refs @> CAST(:{name} AS text[])",
    By.CLASS: "class_id = :{name}",
    By.PERSON: "person_id = :{name}",
    By.ENROLLED: "sourced_id IN (SELECT e.person_id " + _ENROLLED.format(column="class_id"),
    By.ATTENDED: "sourced_id IN (SELECT e.class_id " + _ENROLLED.format(column="person_id"),
    By.CATEGORY: "sourced_id IN (SELECT l.doc #>> '{{category,sourcedId}}' FROM oneroster_objects l "
    "WHERE l.kind = 'lineItem' AND l.class_id = :{name})",
}
_COLUMNS = {"dateLastModified": "date_last_modified", "sourcedId": "sourced_id", "status": "status"}
_SYMBOLS = {"=": "==", "!=": "==", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_EQUAL = {"=": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


def _clause(number: int, clause: Clause, values: dict[str, Any]) -> str:
    """One comparison. A list matches when one of its members does; `!=` is the opposite of `=`."""
    name = f"value{number}"
    if clause.at is not None:
        values[name] = clause.at
        return f"date_last_modified {_EQUAL[clause.operator]} CAST(:{name} AS timestamptz)"
    if clause.path in (("sourcedId",), ("status",)) and clause.operator != "~":
        values[name] = clause.value
        return f"{_COLUMNS[clause.path[0]]} {_EQUAL[clause.operator]} :{name}"
    path = "$" + "".join(f".{dumps_text(step)}" for step in clause.path)
    values[f"path{number}"] = path
    if clause.operator == "~":
        escaped = clause.value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values[name] = f"%{escaped}%"
        values[f"path{number}"] = path + "[*]"
        return (
            f"EXISTS (SELECT FROM jsonb_path_query(doc, CAST(:path{number} AS jsonpath)) v(v) "
            f"WHERE v.v #>> '{{}}' ILIKE :{name})"
        )
    symbol = _SYMBOLS[clause.operator]
    values[f"path{number}"] = f"{path} ? (@ {symbol} $text || @ {symbol} $plain)"
    values[name] = dumps_text({"text": clause.value, "plain": _plain(clause.value)})
    found = f"jsonb_path_exists(doc, CAST(:path{number} AS jsonpath), CAST(:{name} AS jsonb))"
    return f"NOT {found}" if clause.operator == "!=" else found


def _plain(text: str) -> Any:
    """The value as a number or a boolean, for members that are one; else the text again."""
    if text in ("true", "false"):
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return number if abs(number) < 1e15 else text


def services_of(operation: Operation) -> list[str]:
    """What an answer of this operation is made from."""
    return ["rostering"] if operation.service == "rostering" else ["rostering", "gradebook", "resources"]
