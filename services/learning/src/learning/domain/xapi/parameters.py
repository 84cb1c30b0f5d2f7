"""Parameters of the resources: none unknown, none twice, each by the rules of its type (Data 2.2.s4.b4)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson

from learning.domain.xapi.actors import check_actor, key_of
from learning.domain.xapi.formats import instant_of, is_iri, is_uuid, timestamp
from learning.domain.xapi.reading import read_json
from learning.domain.xapi.wrong import Wrong

MOST = 500
"""Statements of one answer, whatever is asked for."""
USUAL = 100
_ONE = ("statementId", "voidedStatementId")
_FILTERS = (
    "agent", "verb", "activity", "registration", "related_activities", "related_agents", "since", "until", "limit",
    "ascending",
)  # fmt: skip
_KNOWN = frozenset((*_ONE, *_FILTERS, "format", "attachments", "cursor"))
FORMATS = ("exact", "ids", "canonical")


@dataclass(frozen=True, slots=True)
class Query:
    """What a GET of statements asks for. Keys are those of `key_of`."""

    statement_id: UUID | None = None
    voided_id: UUID | None = None
    agent: str | None = None
    authority: str | None = None
    """The account's name of `agent` where its home page is ours: a client of the store."""
    verb: str | None = None
    activity: str | None = None
    registration: UUID | None = None
    related_activities: bool = False
    related_agents: bool = False
    since: datetime | None = None
    until: datetime | None = None
    limit: int = USUAL
    ascending: bool = False
    format: str = "exact"
    attachments: bool = False
    after: tuple[datetime, UUID] | None = None
    """Place of the last statement of the page before."""


def read_query_string(raw: str) -> dict[str, str]:
    """Names and values of a query string or form. Raises: Wrong."""
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise Wrong("the parameters are no UTF-8, or too many") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Wrong(f"parameter {name[:60]}: is there twice")
        found[name] = value
    return found


def none_but(parameters: Mapping[str, str], allowed: frozenset[str]) -> None:
    """Raises: Wrong for a parameter nobody knows here, or in another case (Communication 2.1.3, 3.2)."""
    for name in parameters:
        if name not in allowed:
            raise Wrong(f"parameter {name[:60]}: is unknown here (names are case sensitive)")


def read_query(parameters: Mapping[str, str], our_page: str, edition: int) -> Query:
    """Raises: Wrong. `our_page`: home page of the accounts of our clients."""
    none_but(parameters, _KNOWN)
    one = [name for name in _ONE if name in parameters]
    if len(one) == 2 or (one and any(name in parameters for name in (*_FILTERS, "cursor"))):
        raise Wrong(f"parameter {one[0]}: goes with attachments and format only")
    agent, authority = _agent(parameters, our_page)
    limit = _limit(parameters.get("limit", "0"))
    shape = parameters.get("format", "exact")
    if shape not in FORMATS:
        raise Wrong(f"parameter format: must be one of {', '.join(FORMATS)}")
    return Query(
        statement_id=uuid_in(parameters, "statementId"),
        voided_id=uuid_in(parameters, "voidedStatementId"),
        agent=agent,
        authority=authority,
        verb=_key(parameters, "verb"),
        activity=_key(parameters, "activity"),
        registration=uuid_in(parameters, "registration"),
        related_activities=_flag(parameters, "related_activities"),
        related_agents=_flag(parameters, "related_agents"),
        since=time_in(parameters, "since", edition),
        until=time_in(parameters, "until", edition),
        limit=min(limit or USUAL, MOST),
        ascending=_flag(parameters, "ascending"),
        format=shape,
        attachments=_flag(parameters, "attachments"),
        after=_after(parameters.get("cursor")),
    )


def cursor(parameters: Mapping[str, str], stored: datetime, statement_id: UUID) -> dict[str, str]:
    """The parameters of the page that follows the statement at `stored`."""
    place = urlsafe_b64encode(orjson.dumps([timestamp(stored), str(statement_id)])).decode().rstrip("=")
    return {**parameters, "cursor": place}


def agent_key(parameters: Mapping[str, str], name: str = "agent") -> str:
    """The key of a required agent. Raises: Wrong."""
    return agent_in(parameters, name)[0]


def agent_in(parameters: Mapping[str, str], name: str = "agent") -> tuple[str, dict[str, Any]]:
    """Key and object of a required agent or identified group. Raises: Wrong."""
    if name not in parameters:
        raise Wrong(f"parameter {name}: is missing")
    agent = read_json(parameters[name].encode(), f"parameter {name}")
    key = check_actor(agent, f"parameter {name}", [])
    if key is None:
        raise Wrong(f"parameter {name}: a group without identifier cannot be looked for")
    return key, agent


def iri_in(parameters: Mapping[str, str], name: str) -> str:
    """A required IRI. Raises: Wrong."""
    if name not in parameters:
        raise Wrong(f"parameter {name}: is missing")
    if not is_iri(parameters[name]):
        raise Wrong(f"parameter {name}: an IRI with a scheme is wanted (RFC 3987)")
    return parameters[name]


def uuid_in(parameters: Mapping[str, str], name: str) -> UUID | None:
    """Raises: Wrong."""
    if name not in parameters:
        return None
    if not is_uuid(parameters[name]):
        raise Wrong(f"parameter {name}: a UUID is wanted")
    return UUID(parameters[name])


def time_in(parameters: Mapping[str, str], name: str, edition: int) -> datetime | None:
    """Raises: Wrong."""
    if name not in parameters:
        return None
    at = instant_of(parameters[name].replace(" ", "+") if edition == 1 else parameters[name], edition)
    if at is None:
        raise Wrong(f"parameter {name}: a timestamp is wanted, not with -00:00")
    return at


def _agent(parameters: Mapping[str, str], our_page: str) -> tuple[str | None, str | None]:
    if "agent" not in parameters:
        return None, None
    key, agent = agent_in(parameters)
    account = agent.get("account")
    return key, account["name"] if account and account["homePage"] == our_page else None


def _key(parameters: Mapping[str, str], name: str) -> str | None:
    return key_of(iri_in(parameters, name)) if name in parameters else None


def _flag(parameters: Mapping[str, str], name: str) -> bool:
    value = parameters.get(name, "false")
    if value not in ("true", "false"):
        raise Wrong(f"parameter {name}: must be true or false")
    return value == "true"


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Wrong("parameter limit: a number, 0 or more, is wanted")
    return int(text)


def _after(text: str | None) -> tuple[datetime, UUID] | None:
    if text is None:
        return None
    try:
        at, statement_id = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return datetime.fromisoformat(at), UUID(statement_id)
    except (ValueError, TypeError, AttributeError):
        raise Wrong("parameter cursor: is not one of ours; begin with the first page again") from None
