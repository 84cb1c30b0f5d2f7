"""Tools bring statements and read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from servicekit.db import Transaction

from learning.domain.arrived import Arrived, Caller, Kept
from learning.domain.tool_clients import Reading
from learning.domain.xapi.activities import merged
from learning.domain.xapi.parameters import Query
from learning.domain.xapi.same import same
from learning.domain.xapi.wrong import Wrong
from learning.store import activities, found_statements
from learning.store import statements as store
from learning.usecases import study

_MOST_SEEN = 100_000
_seen_definitions: dict[tuple[str, str, str], bytes] = {}


async def take_in(tx: Transaction, caller: Caller, arrived: Sequence[Arrived], contents: dict[str, bytes]) -> int:
    """Keeps what is new, all of it or nothing; what is here already must say the same. Returns how many are new.

    Raises: Wrong 409 for another statement under a known id, 403 for voiding what another client wrote.
    """
    client = caller.client
    voids = [(one.terms.id, one.terms.target) for one in arrived if one.terms.voids and one.terms.target]
    of_anyone = client.reading is Reading.ALL
    if voids and not of_anyone and await store.foreign(tx, {target for _, target in voids}, client.id):
        raise Wrong("$.object.id: this client voids what it wrote itself", 403)
    fresh, awaited = await store.add(tx, client.id, arrived) if arrived else (set(), False)
    known = [one for one in arrived if one.terms.id not in fresh]
    if known:
        await _compare(tx, known)
    refs = [(one.terms.id, one.terms.target) for one in arrived if one.terms.target and one.terms.id in fresh]
    if refs:
        await store.add_refs(tx, refs)
        new_voids = [(source, target) for source, target in voids if source in fresh]
        if new_voids:
            await store.add_voids(tx, new_voids, client.id, of_anyone)
    if refs or awaited:
        await store.follow_refs(tx, fresh)
    if contents:
        await store.add_attachments(tx, contents)
    stored = [one for one in arrived if one.terms.id in fresh]
    await study.note(tx, client.id, stored)
    await _learn_definitions(tx, stored)
    return len(fresh)


async def note_use(tx: Transaction, uses: Mapping[UUID, int]) -> None:
    """By client: statements it brought since the last note; 0 for one that only read."""
    await store.note_use(tx, uses)


async def _compare(tx: Transaction, known: Sequence[Arrived]) -> None:
    kept = {str(one.id): one for one in await store.kept(tx, [one.terms.id for one in known])}
    for one in known:
        before = kept.get(one.terms.id)
        if before is None or not same(orjson.loads(before.json()), one.said):
            raise Wrong(f"statement {one.terms.id}: another statement has this id", 409)


async def _learn_definitions(tx: Transaction, arrived: Sequence[Arrived]) -> None:
    place = (tx.database.libpq_url, tx.tenant)
    told: dict[str, dict[str, Any]] = {}
    seen: dict[tuple[str, str, str], bytes] = {}
    for one in arrived:
        for activity in one.terms.definitions:
            raw = orjson.dumps(definition := activity["definition"])
            key = (*place, activity["id"])
            if (seen.get(key) or _seen_definitions.get(key)) != raw and definition:
                told[key[2]] = merged(told.get(key[2], {}), definition)
                seen[key] = raw
    if not told:
        return
    known = await activities.definitions(tx, told, to_change=True)
    changed = {iri: new for iri, said in told.items() if (new := merged(known.get(iri, {}), said)) != known.get(iri)}
    if changed:
        await activities.save(tx, changed)
    if len(_seen_definitions) > _MOST_SEEN:
        _seen_definitions.clear()
    tx.after_commit(lambda: _seen_definitions.update(seen))


async def find(tx: Transaction, caller: Caller, query: Query) -> tuple[datetime, Sequence[Kept]]:
    """Until when everything is visible, and at most one more than the limit asked for."""
    return await found_statements.page(tx, query, _own(caller))


async def find_one(
    tx: Transaction, caller: Caller, statement_id: UUID, *, voided: bool
) -> tuple[datetime, Kept | None]:
    """Until when everything is visible; None also for what another client wrote, where this one reads its own only."""
    return await found_statements.one(tx, statement_id, _own(caller), voided=voided)


async def consistent_through(tx: Transaction) -> datetime:
    """Everything stored until then is visible."""
    return await store.consistent_through(tx)


async def definitions_of(tx: Transaction, iris: Collection[str]) -> Mapping[str, dict[str, Any]]:
    """Canonical definitions by IRI."""
    return await activities.definitions(tx, iris) if iris else {}


async def contents_of(tx: Transaction, hashes: Collection[str]) -> dict[str, bytes]:
    """Contents of attachments by hash, as far as they are here."""
    return await store.attachments(tx, hashes) if hashes else {}


async def names_of(tx: Transaction, caller: Caller, agent: str) -> list[str]:
    """Names under which the agent acted lately, in statements this client may read."""
    bodies = await found_statements.names_of(tx, agent, _own(caller))
    names = (orjson.loads(body)["actor"].get("name") for body in bodies)
    return list(dict.fromkeys(name for name in names if name))


def _own(caller: Caller) -> UUID | None:
    return None if caller.client.reading is Reading.ALL else caller.client.id
