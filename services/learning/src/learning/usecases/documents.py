"""Tools keep documents: state of an activity, profiles of activities and agents. A client changes its own only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from servicekit.db import Transaction

from learning.domain.arrived import Caller
from learning.domain.tool_clients import Reading
from learning.domain.xapi.documents import Blind, Condition, Document, may_change, merge
from learning.store import documents as store
from learning.store.documents import Shelf


async def read(tx: Transaction, caller: Caller, shelf: Shelf, document_id: str) -> tuple[Document, datetime] | None:
    """The document and when it was changed."""
    all_clients = caller.client.reading is Reading.ALL
    return await store.read(tx, shelf, document_id, caller.client.id, all_clients=all_clients)


async def names(tx: Transaction, caller: Caller, shelf: Shelf, since: datetime | None) -> Sequence[str]:
    """Ids of the documents on the shelf."""
    all_clients = caller.client.reading is Reading.ALL
    return await store.ids(tx, shelf, caller.client.id, since, all_clients=all_clients)


async def put(
    tx: Transaction, caller: Caller, shelf: Shelf, document_id: str, new: Document, condition: Condition, blind: Blind
) -> None:
    """In the place of what is there. Raises: Wrong 400, 409, 412."""
    kept = await store.lock(tx, shelf, document_id, caller.client.id)
    may_change(condition, kept.etag if kept else None, blind)
    await store.write(tx, shelf, document_id, caller.client.id, new)


async def add_to(
    tx: Transaction, caller: Caller, shelf: Shelf, document_id: str, new: Document, condition: Condition
) -> None:
    """Its properties over those that are there. Raises: Wrong 400, 412."""
    kept = await store.lock(tx, shelf, document_id, caller.client.id)
    may_change(condition, kept.etag if kept else None)
    await store.write(tx, shelf, document_id, caller.client.id, merge(kept, new))


async def remove(tx: Transaction, caller: Caller, shelf: Shelf, document_id: str | None, condition: Condition) -> None:
    """One, or without id all of the shelf. Raises: Wrong 412."""
    if document_id is not None:
        kept = await store.lock(tx, shelf, document_id, caller.client.id)
        may_change(condition, kept.etag if kept else None)
    await store.remove(tx, shelf, caller.client.id, document_id)
