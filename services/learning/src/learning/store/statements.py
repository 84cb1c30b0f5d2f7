"""Statements in: one round trip for ids, bodies and what they are found by. Row by row nothing is done here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.db import Transaction

from learning.domain.arrived import Arrived, Kept
from learning.domain.xapi.actors import key_of
from learning.domain.xapi.statements import VOIDED

_BETWEEN = "\x1e"  # JSON keeps control characters escaped, so none is inside a body
VOID = key_of(VOIDED)
_OTHER_AGENT, _RELATED_AGENT, _RELATED_ACTIVITY = 1, 2, 3

_GIVEN = """
    WITH given AS MATERIALIZED (
      SELECT id, verb, actor, activity, registration, edition, own_time, body,
             now() + (place - 1) * interval '1 microsecond' AS stored
      FROM unnest(CAST(:ids AS uuid[]), CAST(:verbs AS uuid[]), CAST(:actors AS uuid[]), CAST(:activities AS uuid[]),
                  CAST(:registrations AS uuid[]), CAST(:editions AS smallint[]), CAST(:own_times AS boolean[]),
                  string_to_array(:bodies, E'\\x1e'))
           WITH ORDINALITY AS g(id, verb, actor, activity, registration, edition, own_time, body, place)),
    fresh AS (
      INSERT INTO statement_ids (tenant_id, id, stored) SELECT :tenant, id, stored FROM given ORDER BY id
      ON CONFLICT DO NOTHING RETURNING id),
    kept AS (
      INSERT INTO statements (tenant_id, stored, id, client_id, verb, actor, activity, registration, edition, own_time,
                              body)
      SELECT :tenant, stored, id, CAST(:client AS uuid), verb, actor, activity, registration, edition, own_time, body
      FROM given JOIN fresh USING (id))"""
_LINKED = """,
    linked AS (
      INSERT INTO statement_links (tenant_id, key, kind, stored, id)
      SELECT :tenant, l.key, l.kind, given.stored, given.id
      FROM unnest(CAST(:link_ids AS uuid[]), CAST(:link_keys AS uuid[]), CAST(:link_kinds AS smallint[]))
           AS l(id, key, kind) JOIN given USING (id) JOIN fresh USING (id))"""
_FRESH = """
    SELECT ARRAY(SELECT id FROM fresh) AS fresh, EXISTS (
      SELECT FROM statement_refs WHERE tenant_id = :tenant AND target_id = ANY(CAST(:ids AS uuid[]))) AS awaited"""

_known_months: set[tuple[str, int, int]] = set()


async def add(tx: Transaction, client_id: UUID, arrived: Sequence[Arrived]) -> tuple[set[str], bool]:
    """Ids (lower case) that are new, and whether an earlier statement speaks of one of them.

    What was there before stays untouched; the caller compares."""
    await _months(tx)
    ids = _array(one.terms.id for one in arrived)
    links = [
        (one.terms.id, key, kind)
        for one in arrived
        for keys, kind in (
            (one.terms.agents, _OTHER_AGENT),
            (one.terms.related_agents, _RELATED_AGENT),
            (one.terms.related_activities, _RELATED_ACTIVITY),
        )
        for key in dict.fromkeys(keys)
    ]
    params = {
        "tenant": tx.tenant,
        "client": str(client_id),
        "ids": ids,
        "verbs": _array(one.terms.verb for one in arrived),
        "actors": _array(one.terms.actor or "NULL" for one in arrived),
        "activities": _array(one.terms.activity or "NULL" for one in arrived),
        "registrations": _array(one.terms.registration or "NULL" for one in arrived),
        "editions": _array(str(one.edition) for one in arrived),
        "own_times": _array("t" if one.own_time else "f" for one in arrived),
        "bodies": _BETWEEN.join(one.body for one in arrived),
    }
    statement = _GIVEN + _FRESH
    if links:
        statement = _GIVEN + _LINKED + _FRESH
        params["link_ids"] = _array(one[0] for one in links)
        params["link_keys"] = _array(one[1] for one in links)
        params["link_kinds"] = _array(str(one[2]) for one in links)
    row = (await tx.execute(statement, params)).one()
    return {str(one) for one in row.fresh}, row.awaited


def _array(values: object) -> str:
    return "{" + ",".join(values) + "}"  # type: ignore[arg-type]


async def _months(tx: Transaction) -> None:
    """The month's tables exist before somebody writes into them; also the next one's, a week early."""
    database = tx.database.libpq_url
    for at in (tx.now, tx.now + timedelta(days=7)):
        if (month := (database, at.year, at.month)) not in _known_months:
            await tx.execute("SELECT statement_month(CAST(:at AS timestamptz))", {"at": at})
            tx.after_commit(lambda month=month: _known_months.add(month))  # type: ignore[misc]


async def kept(tx: Transaction, ids: Collection[str]) -> list[Kept]:
    """The statements of these ids, voided or not, whoever wrote them."""
    rows = await tx.execute(
        "SELECT s.id, s.stored, s.edition, s.own_time, s.body FROM statement_ids i JOIN statements s"
        " ON s.tenant_id = i.tenant_id AND s.stored = i.stored AND s.id = i.id"
        " WHERE i.tenant_id = :tenant AND i.id = ANY(CAST(:ids AS uuid[]))",
        {"tenant": tx.tenant, "ids": _array(ids)},
    )
    return [Kept(row.id, row.stored, row.edition, row.own_time, row.body) for row in rows]


async def foreign(tx: Transaction, ids: Collection[str], client_id: UUID) -> bool:
    """Whether one of these statements is another client's."""
    return bool(
        await tx.scalar(
            "SELECT 1 FROM statement_ids i JOIN statements s ON s.tenant_id = i.tenant_id AND s.stored = i.stored"
            " AND s.id = i.id WHERE i.tenant_id = :tenant AND i.id = ANY(CAST(:ids AS uuid[]))"
            " AND s.client_id <> CAST(:client AS uuid) LIMIT 1",
            {"tenant": tx.tenant, "ids": _array(ids), "client": str(client_id)},
        )
    )


async def add_refs(tx: Transaction, pairs: Sequence[tuple[str, str]]) -> None:
    """(statement, what it speaks of)."""
    await tx.execute(
        "INSERT INTO statement_refs (tenant_id, source_id, target_id)"
        " SELECT :tenant, s, t FROM unnest(CAST(:sources AS uuid[]), CAST(:targets AS uuid[])) AS r(s, t)",
        {"tenant": tx.tenant, "sources": _array(s for s, _ in pairs), "targets": _array(t for _, t in pairs)},
    )


async def add_voids(tx: Transaction, pairs: Sequence[tuple[str, str]], client_id: UUID, of_anyone: bool) -> None:
    """(voiding statement, what it voids). What is voided may come later, or be of another client, or void itself."""
    await tx.execute(
        "INSERT INTO statement_voids (tenant_id, target_id, source_id, client_id, of_anyone)"
        " SELECT :tenant, t, s, CAST(:client AS uuid), CAST(:of_anyone AS boolean)"
        " FROM unnest(CAST(:sources AS uuid[]), CAST(:targets AS uuid[])) AS r(s, t)",
        {
            "tenant": tx.tenant,
            "client": str(client_id),
            "of_anyone": "t" if of_anyone else "f",
            "sources": _array(s for s, _ in pairs),
            "targets": _array(t for _, t in pairs),
        },
    )


async def follow_refs(tx: Transaction, ids: Collection[str]) -> None:
    """Which statements lead to which, over as many references as there are, for all that have to do with `ids`.

    A statement that speaks of another is found by what is said in the other (Communication 2.1.3, StatementRefs)."""
    await tx.execute(
        """
        WITH RECURSIVE up(id) AS (
          SELECT unnest(CAST(:ids AS uuid[]))
          UNION SELECT r.source_id FROM up JOIN statement_refs r ON r.tenant_id = :tenant AND r.target_id = up.id),
        down(source_id, target_id) AS (
          SELECT r.source_id, r.target_id FROM up
          JOIN statement_refs r ON r.tenant_id = :tenant AND r.source_id = up.id
          UNION SELECT d.source_id, r.target_id FROM down d
                JOIN statement_refs r ON r.tenant_id = :tenant AND r.source_id = d.target_id)
        INSERT INTO statement_targets
          (tenant_id, source_stored, source_id, client_id, voiding, target_stored, target_id)
        SELECT :tenant, s.stored, s.id, s.client_id, s.verb = CAST(:void AS uuid), t.stored, t.id FROM down
        JOIN statement_ids i ON i.tenant_id = :tenant AND i.id = down.source_id
        JOIN statements s ON s.tenant_id = :tenant AND s.stored = i.stored AND s.id = i.id
        JOIN statement_ids t ON t.tenant_id = :tenant AND t.id = down.target_id
        ON CONFLICT DO NOTHING""",
        {"tenant": tx.tenant, "ids": _array(ids), "void": VOID},
    )


async def add_attachments(tx: Transaction, contents: dict[str, bytes]) -> None:
    """Contents by their hash; the same content is kept once."""
    hashes = sorted(contents)
    await tx.execute(
        "INSERT INTO attachments (tenant_id, sha2, content, received_at)"
        " SELECT :tenant, sha2, content, now() FROM unnest(CAST(:hashes AS text[]), CAST(:contents AS bytea[]))"
        " AS a(sha2, content) ON CONFLICT DO NOTHING",
        {"tenant": tx.tenant, "hashes": hashes, "contents": [contents[one] for one in hashes]},
    )


async def attachments(tx: Transaction, hashes: Collection[str]) -> dict[str, bytes]:
    """What is here of these."""
    rows = await tx.execute(
        "SELECT sha2, content FROM attachments WHERE tenant_id = :tenant AND sha2 = ANY(CAST(:hashes AS text[]))",
        {"tenant": tx.tenant, "hashes": list(hashes)},
    )
    return {row.sha2: bytes(row.content) for row in rows}


CONSISTENT_THROUGH = (
    "SELECT coalesce(min(xact_start) - interval '1 microsecond', clock_timestamp()) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
)
"""Everything stored up to this moment is visible to what is read after this: no older transaction is under way.

`stored` is the beginning of its transaction or later, so the oldest beginning is the boundary."""


async def consistent_through(tx: Transaction) -> datetime:
    """Everything stored until then is visible."""
    found: datetime = await tx.scalar(CONSISTENT_THROUGH)
    return found


async def note_use(tx: Transaction, uses: Mapping[UUID, int]) -> None:
    """When clients were last here and how many statements they brought (locked in one order)."""
    clients = sorted(uses)
    await tx.execute(
        "INSERT INTO tool_client_use (tenant_id, client_id, last_used_at, statements)"
        " SELECT :tenant, c, now(), n FROM unnest(CAST(:clients AS uuid[]), CAST(:counts AS bigint[])) AS u(c, n)"
        " ON CONFLICT (tenant_id, client_id) DO UPDATE SET last_used_at = excluded.last_used_at,"
        " statements = tool_client_use.statements + excluded.statements",
        {
            "tenant": tx.tenant,
            "clients": _array(str(one) for one in clients),
            "counts": _array(str(uses[one]) for one in clients),
        },
    )
