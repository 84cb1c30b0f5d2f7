"""Statements out: every filter has its index, every page is read from its place on.

A statement is found by itself, by an entry of `statement_links` (members, related agents and activities), or by what
it speaks of (`statement_targets`). Each way is a branch with the same order and limit; their union is the page.
Until when the page is whole is asked for in the same round trip, before it: later it would promise too much.
"""

# ruff: noqa: S608  (only names and conditions of this module are put into a statement, never a value)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction

from learning.domain.arrived import Kept
from learning.domain.tool_clients import read_key
from learning.domain.xapi.parameters import Query
from learning.store.statements import CONSISTENT_THROUGH, VOID

_COLUMNS = "s.id, s.stored, s.edition, s.own_time, s.body"
_VOIDING = "s.verb = CAST(:void AS uuid)"


def _not_voided(statement_id: str, client_id: str, voiding: str) -> str:
    """A statement that voids another cannot be voided (Data 2.3.2)."""
    return (
        f"({voiding} OR NOT EXISTS (SELECT FROM statement_voids v WHERE v.tenant_id = :tenant"
        f" AND v.target_id = {statement_id} AND (v.of_anyone OR v.client_id = {client_id})))"
    )


async def one(tx: Transaction, statement_id: UUID, own: UUID | None, *, voided: bool) -> tuple[datetime, Kept | None]:
    """Until when everything is visible, and the statement of an id. `own`: only if this client wrote it.

    A voided one only if it is asked for as such."""
    condition = _not_voided("s.id", "s.client_id", _VOIDING)
    through, found = await _consistent(
        tx,
        f"SELECT {_COLUMNS} FROM statement_ids i JOIN statements s ON s.tenant_id = i.tenant_id"
        " AND s.stored = i.stored AND s.id = i.id WHERE i.tenant_id = :tenant AND i.id = CAST(:id AS uuid)"
        f" AND {'NOT ' if voided else ''}{condition}" + (" AND s.client_id = CAST(:own AS uuid)" if own else ""),
        {"tenant": tx.tenant, "id": str(statement_id), "void": VOID, **({"own": str(own)} if own else {})},
    )
    return through, found[0] if found else None


async def page(tx: Transaction, query: Query, own: UUID | None) -> tuple[datetime, Sequence[Kept]]:
    """Until when everything is visible, and one more than the limit, so that the caller knows of another page."""
    return await _consistent(tx, *_statement(query, own, tx.tenant))


async def _consistent(tx: Transaction, statement: str, params: Mapping[str, Any]) -> tuple[datetime, Sequence[Kept]]:
    through, rows = await tx.execute_all((CONSISTENT_THROUGH, None), (statement, params))
    return through.scalar_one(), [Kept(row.id, row.stored, row.edition, row.own_time, row.body) for row in rows]


def _statement(query: Query, own: UUID | None, tenant: str) -> tuple[str, dict[str, Any]]:
    params: dict[str, Any] = {"tenant": tenant, "void": VOID, "most": query.limit + 1}
    where = _itself(query, own, params)
    way = "ASC" if query.ascending else "DESC"
    visible = _not_voided("s.id", "s.client_id", _VOIDING)
    branches = []
    for joined, stored, driver in _drivers(query, params):
        conditions = [*where, *_place(query, stored, "s.id", params), *driver, visible]
        branches.append(
            f"(SELECT s.stored, s.id FROM {joined}statements s"
            f"{' ON s.tenant_id = l.tenant_id AND s.stored = l.stored AND s.id = l.id' if joined else ''}"
            f" WHERE {' AND '.join(conditions)}"
            f" ORDER BY {stored} {way}, {'l' if joined else 's'}.id {way} LIMIT :most)"
        )
    if any((query.agent, query.verb, query.activity, query.registration)):
        conditions = [*where, *_place(query, "t.source_stored", "t.source_id", params), *_narrowed(query, params)]
        if own:
            conditions.append("t.client_id = CAST(:own AS uuid)")
        conditions.append(_not_voided("t.source_id", "t.client_id", "t.voiding"))
        branches.append(
            "(SELECT t.source_stored, t.source_id FROM statement_targets t JOIN statements s"
            " ON s.tenant_id = t.tenant_id AND s.stored = t.target_stored AND s.id = t.target_id"
            f" WHERE t.tenant_id = :tenant AND {' AND '.join(conditions)}"
            f" ORDER BY t.source_stored {way}, t.source_id {way} LIMIT :most)"
        )
    union = " UNION ".join(branches)
    return (
        f"SELECT {_COLUMNS} FROM (SELECT stored, id FROM ({union}) AS found(stored, id)"
        f" ORDER BY stored {way}, id {way} LIMIT :most) AS page JOIN statements s ON s.tenant_id = :tenant"
        f" AND s.stored = page.stored AND s.id = page.id ORDER BY s.stored {way}, s.id {way}",
        params,
    )


def _itself(query: Query, own: UUID | None, params: dict[str, Any]) -> list[str]:
    """What is asked of every statement on whichever way it is found."""
    where = ["s.tenant_id = :tenant"]
    if own:
        params["own"] = str(own)
        where.append("s.client_id = CAST(:own AS uuid)")
    if query.verb:
        params["verb"] = query.verb
        where.append("s.verb = CAST(:verb AS uuid)")
    if query.registration:
        params["registration"] = str(query.registration)
        where.append("s.registration = CAST(:registration AS uuid)")
    if query.activity:
        params["activity"] = query.activity
        if not query.related_activities:
            where.append("s.activity = CAST(:activity AS uuid)")
        elif query.agent:
            where.append(f"(s.activity = CAST(:activity AS uuid) OR {_linked('activity', '3')})")
    return where


def _drivers(query: Query, params: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """(what is joined before, whose `stored` orders, further conditions) of each way a statement itself is found."""
    if query.agent:
        params["agent"] = query.agent
        ways = [("", "s.stored", ["s.actor = CAST(:agent AS uuid)"]), _link_way("agent", 1)]
        if query.related_agents:
            ways.append(_link_way("agent", 2))
            client = read_key(query.authority or "")
            if client is not None:
                params["authority"] = str(client[1])
                ways.append(("", "s.stored", ["s.client_id = CAST(:authority AS uuid)"]))
        return ways
    if query.activity and query.related_activities:
        return [("", "s.stored", ["s.activity = CAST(:activity AS uuid)"]), _link_way("activity", 3)]
    return [("", "s.stored", [])]


def _link_way(name: str, kind: int) -> tuple[str, str, list[str]]:
    conditions = ["l.tenant_id = :tenant", f"l.key = CAST(:{name} AS uuid)", f"l.kind = {kind}"]
    return "statement_links l JOIN ", "l.stored", conditions


def _linked(name: str, kinds: str) -> str:
    return (
        f"EXISTS (SELECT FROM statement_links k WHERE k.tenant_id = :tenant AND k.key = CAST(:{name} AS uuid)"
        f" AND k.kind IN ({kinds}) AND k.stored = s.stored AND k.id = s.id)"
    )


def _narrowed(query: Query, params: dict[str, Any]) -> list[str]:
    """For what a statement speaks of: agent and related activity as conditions, not as ways."""
    found = []
    if query.agent:
        authority = " OR s.client_id = CAST(:authority AS uuid)" if "authority" in params else ""
        kinds = "1, 2" if query.related_agents else "1"
        found.append(f"(s.actor = CAST(:agent AS uuid) OR {_linked('agent', kinds)}{authority})")
    elif query.activity and query.related_activities:
        found.append(f"(s.activity = CAST(:activity AS uuid) OR {_linked('activity', '3')})")
    return found


def _place(query: Query, stored: str, statement_id: str, params: dict[str, Any]) -> list[str]:
    """`since` is exclusive, `until` inclusive (Communication 2.1.3); a page begins behind the one before it."""
    found = []
    if query.since:
        params["since"] = query.since
        found.append(f"{stored} > :since")
    if query.until:
        params["until"] = query.until
        found.append(f"{stored} <= :until")
    if query.after:
        params["after"], params["after_id"] = query.after[0], str(query.after[1])
        sign = ">" if query.ascending else "<"
        found.append(f"{stored} {sign}= :after")
        found.append(f"({stored}, {statement_id.replace('s.id', 'l.id') if stored[0] == 'l' else statement_id})"
                     f" {sign} (:after, CAST(:after_id AS uuid))")  # fmt: skip
    return found


async def names_of(tx: Transaction, agent: str, own: UUID | None) -> Sequence[str]:
    """JSON of the latest statements in which the agent acts, for the names it goes by."""
    rows = await tx.execute(
        "SELECT s.body FROM statements s WHERE s.tenant_id = :tenant AND s.actor = CAST(:agent AS uuid)"
        + (" AND s.client_id = CAST(:own AS uuid)" if own else "")
        + " ORDER BY s.stored DESC, s.id DESC LIMIT 20",
        {"tenant": tx.tenant, "agent": agent, **({"own": str(own)} if own else {})},
    )
    return [row.body for row in rows]
