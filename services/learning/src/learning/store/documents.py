"""Documents of state and profiles."""

# ruff: noqa: S608  (only names and conditions of this module are put into a statement, never a value)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.db import Transaction

from learning.domain.xapi.documents import Document

_NO_REGISTRATION = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where documents of one kind lie: `subject` is the digest of activity and agent."""

    kind: str
    subject: str
    registration: UUID | None = None

    @property
    def place(self) -> dict[str, str]:
        registration = str(self.registration) if self.registration else _NO_REGISTRATION
        return {"kind": self.kind, "subject": self.subject, "registration": registration}


_HERE = "tenant_id = :tenant AND kind = :kind AND subject = CAST(:subject AS uuid)"
_ONE = _HERE + " AND registration = CAST(:registration AS uuid) AND id = :id"


async def read(
    tx: Transaction, shelf: Shelf, document_id: str, client_id: UUID, *, all_clients: bool
) -> tuple[Document, datetime] | None:
    """The client's own document; where it may read all, else the latest of another client."""
    mine = "" if all_clients else " AND client_id = CAST(:client AS uuid)"
    rows = await tx.execute(
        f"SELECT content, content_type, updated_at FROM documents WHERE {_ONE}{mine}"
        " ORDER BY client_id = CAST(:client AS uuid) DESC, updated_at DESC LIMIT 1",
        {**shelf.place, "tenant": tx.tenant, "id": document_id, "client": str(client_id)},
    )
    row = rows.first()
    return (Document(bytes(row.content), row.content_type), row.updated_at) if row else None


async def lock(tx: Transaction, shelf: Shelf, document_id: str, client_id: UUID) -> Document | None:
    """The client's own document; nobody else changes it until this transaction ends, also where there is none yet."""
    place = shelf.place
    name = "\0".join((tx.tenant, str(client_id), *place.values(), document_id)).replace("\0", "|")
    params = {**place, "tenant": tx.tenant, "id": document_id, "client": str(client_id)}
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))", {"name": name})
    rows = await tx.execute(
        f"SELECT content, content_type FROM documents WHERE {_ONE} AND client_id = CAST(:client AS uuid)", params
    )
    row = rows.first()
    return Document(bytes(row.content), row.content_type) if row else None


async def write(tx: Transaction, shelf: Shelf, document_id: str, client_id: UUID, document: Document) -> None:
    await tx.execute(
        "INSERT INTO documents (tenant_id, client_id, kind, subject, registration, id, content, content_type, etag,"
        " updated_at) VALUES (:tenant, CAST(:client AS uuid), :kind, CAST(:subject AS uuid),"
        " CAST(:registration AS uuid), :id, :content, :content_type, :etag, clock_timestamp())"
        " ON CONFLICT (tenant_id, kind, subject, registration, id, client_id) DO UPDATE SET content = excluded.content,"
        " content_type = excluded.content_type, etag = excluded.etag, updated_at = excluded.updated_at",
        {
            **shelf.place,
            "tenant": tx.tenant,
            "client": str(client_id),
            "id": document_id,
            "content": document.content,
            "content_type": document.content_type,
            "etag": document.etag,
        },
    )


async def ids(
    tx: Transaction, shelf: Shelf, client_id: UUID, since: datetime | None, *, all_clients: bool
) -> Sequence[str]:
    """Names of the documents, of any registration where the shelf names none; `since`: changed after it."""
    conditions, params = _of_shelf(tx, shelf)
    if not all_clients:
        conditions += " AND client_id = CAST(:client AS uuid)"
        params["client"] = str(client_id)
    if since is not None:
        conditions += " AND updated_at > :since"
        params["since"] = since
    rows = await tx.execute(f"SELECT DISTINCT id FROM documents WHERE {conditions} ORDER BY id", params)
    return [row.id for row in rows]


async def remove(tx: Transaction, shelf: Shelf, client_id: UUID, document_id: str | None) -> None:
    """The client's own document; without an id, all of the shelf."""
    if document_id is None:
        conditions, params = _of_shelf(tx, shelf)
    else:
        conditions, params = _ONE, {**shelf.place, "tenant": tx.tenant, "id": document_id}
    await tx.execute(
        f"DELETE FROM documents WHERE {conditions} AND client_id = CAST(:client AS uuid)",
        {**params, "client": str(client_id)},
    )


def _of_shelf(tx: Transaction, shelf: Shelf) -> tuple[str, dict[str, object]]:
    params: dict[str, object] = {"tenant": tx.tenant, "kind": shelf.kind, "subject": shelf.subject}
    if shelf.registration is None:
        return _HERE, params
    params["registration"] = str(shelf.registration)
    return _HERE + " AND registration = CAST(:registration AS uuid)", params
