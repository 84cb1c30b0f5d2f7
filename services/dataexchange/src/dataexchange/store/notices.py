"""転入の予定・照会, of both directions."""

# ruff: noqa: S608  (only names and column lists of this module are put into a statement, never a value)

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from servicekit.db import Transaction, lost_race
from servicekit.errors import Unseen
from sqlalchemy import Row

from dataexchange.domain.notices import Notice, NoticeState, step
from dataexchange.store.transfers import note_state

_COLUMNS = (
    "id, direction, organisation, organisation_name, school_code, school_name, own_school_code, expected_on, state, "
    "sha256, created_at, version, transfer_id, last_error, document"
)


def _notice(row: Row[Any]) -> Notice:
    fields = dict(row._mapping)
    document = bytes(fields["document"]) if fields["document"] is not None else None
    return Notice(**{**fields, "state": NoticeState(fields["state"]), "document": document})


async def add(tx: Transaction, notice: Notice, sealed: bytes | None) -> None:
    """`sealed`: the bytes still to be sent, None for a notice that came in."""
    await tx.execute(
        f"INSERT INTO notices (tenant_id, sealed, {_COLUMNS}) VALUES (current_setting('komu.tenant'), :sealed, :id, "
        ":direction, :organisation, :organisation_name, :school_code, :school_name, :own_school_code, :expected_on, "
        ":state, :sha256, :created_at, :version, :transfer_id, :last_error, :document)",
        {"sealed": sealed, **{name: getattr(notice, name) for name in _COLUMNS.split(", ")}},
    )
    await note_state(tx, notice.id, notice.state)


async def find(tx: Transaction, notice_id: UUID, *, lock: bool = False) -> Notice | None:
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM notices WHERE id = :id" + (" FOR UPDATE" if lock else ""), {"id": notice_id}
    )
    row = found.first()
    return _notice(row) if row else None


async def get(tx: Transaction, notice_id: UUID, *, lock: bool = False) -> Notice:
    """Raises: Unseen."""
    notice = await find(tx, notice_id, lock=lock)
    if notice is None:
        raise Unseen
    return notice


async def page(
    tx: Transaction, direction: str, state: str, school_codes: Sequence[str] | None, before: UUID | None, limit: int
) -> list[Notice]:
    """Newest first. `school_codes`: None for every school of the board."""
    where = ["direction = :direction"]
    params: dict[str, Any] = {"direction": direction, "limit": limit}
    if school_codes is not None:
        where.append("own_school_code = ANY(:codes)")
        params["codes"] = list(school_codes)
    if state:
        where.append("state = :state")
        params["state"] = state
    if before is not None:
        where.append("id < :before")
        params["before"] = before
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM notices WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT :limit", params
    )
    return [_notice(row) for row in found]


async def waiting_for(tx: Transaction, organisation: str) -> list[Notice]:
    """What we asked that organisation and have no answer to, oldest first."""
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM notices WHERE direction = 'out' AND organisation = :organisation "
        "AND state IN ('sent', 'received', 'expired') AND document IS NOT NULL ORDER BY id FOR UPDATE",
        {"organisation": organisation},
    )
    return [_notice(row) for row in found]


async def sealed_bytes(tx: Transaction, notice_id: UUID) -> bytes | None:
    raw = await tx.scalar("SELECT sealed FROM notices WHERE id = :id AND direction = 'out'", {"id": notice_id})
    return bytes(raw) if raw is not None else None


async def move(
    tx: Transaction, notice: Notice, state: NoticeState, *, reason: str = "", transfer_id: UUID | None = None,
    last_error: str = "", forget: bool = False,
) -> Notice:  # fmt: skip
    """The new state and its line of history; `forget` erases the child's facts. Raises: Conflict."""
    step(notice.state, state)
    sealed = "sealed" if state == NoticeState.SENT else "NULL"
    found = await tx.execute(
        "UPDATE notices SET state = :state, version = version + 1, updated_at = :now, updated_by = :actor, "
        "transfer_id = coalesce(:transfer, transfer_id), last_error = :error, "
        f"document = CASE WHEN :forget THEN NULL ELSE document END, sealed = {sealed} "
        f"WHERE id = :id AND version = :version RETURNING {_COLUMNS}",
        {
            "state": state, "now": tx.now, "actor": tx.actor.person_id if tx.actor else None, "transfer": transfer_id,
            "error": last_error[:500], "forget": forget, "id": notice.id, "version": notice.version,
        },
    )  # fmt: skip
    row = found.first()
    if row is None:
        current = await tx.execute(
            "SELECT version, updated_at, updated_by FROM notices WHERE id = :id", {"id": notice.id}
        )
        now = current.first()
        if now is None:
            raise Unseen
        raise lost_race(now.version, now.updated_at, now.updated_by)
    await note_state(tx, notice.id, state, reason)
    return _notice(row)


async def note_error(tx: Transaction, notice_id: UUID, error: str) -> None:
    await tx.execute("UPDATE notices SET last_error = :error WHERE id = :id", {"error": error[:500], "id": notice_id})
