"""Query parameters of OneRoster 1.2: limit, offset, sort, orderBy, filter, fields."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dataexchange.domain.rest.answers import Declined, Minor
from dataexchange.domain.rest.schemas import path_of

DEFAULT_LIMIT = 100
MOST = 10_000
"""A larger limit is answered with this many; the Link header says where it goes on."""
_FAR = 2**31 - 1 - MOST


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison; `at` is the instant where the field is dateLastModified."""

    path: tuple[str, ...]
    operator: str
    value: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a list. `key` is the same for the same objects in the same order."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    sort: tuple[str, ...] = ()
    descending: bool = False
    clauses: tuple[Clause, ...] = ()
    any_of: bool = False
    fields: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        return not self.sort and not self.clauses and not self.descending

    @property
    def key(self) -> tuple[object, ...]:
        return (self.sort, self.descending, self.clauses, self.any_of)


_CLAUSE = r"\s*([A-Za-z][\w.\-:]*)\s*(!=|>=|<=|=|>|<|~)\s*'((?:[^']|'')*)'\s*"
_FILTER = re.compile(rf"{_CLAUSE}(?:\b(AND|OR)\b{_CLAUSE})?\Z", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"-?\d{1,19}\Z", re.ASCII)


def parse(kind: str, given: Mapping[str, str]) -> Query:
    """Raises: Declined, with the code of the parameter that is wrong."""
    if not given:
        return _PLAIN
    limit = _count(given, "limit", DEFAULT_LIMIT, least=1)
    offset = _count(given, "offset", 0, least=0)
    sort: tuple[str, ...] = ()
    if given.get("sort"):
        sort = path_of(kind, given["sort"]) or ()
        if not sort:
            raise Declined(Minor.INVALID_SORT_FIELD, f"{kind} has no field {_shown(given['sort'])} to sort by")
    order = (given.get("orderBy") or "asc").lower()
    if order not in ("asc", "desc"):
        raise Declined(Minor.INVALID_DATA, "orderBy is asc or desc")
    clauses, any_of = _filter(kind, given["filter"]) if given.get("filter") else ((), False)
    return Query(min(limit, MOST), min(offset, _FAR), sort, order == "desc", clauses, any_of, fields(kind, given))


_PLAIN = Query()


def fields(kind: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """The members asked for, top level; empty: all. Raises: Declined."""
    if not given.get("fields"):
        return ()
    found: dict[str, None] = {}
    for name in given["fields"].split(","):
        path = path_of(kind, name.strip())
        if path is None:
            raise Declined(Minor.INVALID_SELECTION_FIELD, f"{kind} has no field {_shown(name)}")
        found[path[0]] = None
    return tuple(found)


def _count(given: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not _NUMBER.match(text) or int(text) < least:
        raise Declined(Minor.INVALID_DATA, f"{name} is a number of at least {least}")
    return int(text)


def _filter(kind: str, text: str) -> tuple[tuple[Clause, ...], bool]:
    found = _FILTER.match(text)
    if found is None or "\x00" in text:
        raise Declined(
            Minor.INVALID_FILTER_FIELD,
            "a filter is field='value' (also != > >= < <= ~), at most two of them joined by AND or OR",
        )
    first, second = found.groups()[:3], found.groups()[4:]
    clauses = [_clause(kind, *first)] + ([_clause(kind, *second)] if found[4] else [])
    return tuple(clauses), (found[4] or "").upper() == "OR"


def _clause(kind: str, field: str, operator: str, quoted: str) -> Clause:
    path = path_of(kind, field)
    value = quoted.replace("''", "'")
    if path is None:
        raise Declined(Minor.INVALID_FILTER_FIELD, f"{kind} has no field {_shown(field)}")
    if path == ("dateLastModified",) and operator != "~":
        return Clause(path, operator, value, _instant(value))
    return Clause(path, operator, value)


def _instant(text: str) -> datetime:
    """ISO 8601; a plain day is its first moment in UTC. Raises: Declined."""
    try:
        at = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            raise Declined(
                Minor.INVALID_FILTER_FIELD, "dateLastModified is compared with YYYY-MM-DD or YYYY-MM-DDThh:mm:ss.sssZ"
            ) from None
    if not 1 < at.year < 9999:
        raise Declined(Minor.INVALID_FILTER_FIELD, "dateLastModified is compared with a year of four digits")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _shown(text: str) -> str:
    return "".join(one for one in text[:60] if one.isprintable())


def selected(names: Sequence[str], doc: Mapping[str, object]) -> dict[str, object]:
    """The members asked for, of one object."""
    return {name: doc[name] for name in names if name in doc}
