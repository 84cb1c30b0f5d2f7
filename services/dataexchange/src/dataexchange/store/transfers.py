"""転学: transfers, their history, the packages built for them."""

# ruff: noqa: S608  (only names and column lists of this module are put into a statement, never a value)

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from servicekit.db import Transaction, lost_race
from servicekit.errors import Unseen
from servicekit.ids import uuid7
from sqlalchemy import Row

from dataexchange.domain.package.building import Built, SealedPackage
from dataexchange.domain.states import TransferState
from dataexchange.domain.transfers import Destination, KeptPackage, StateChange, Transfer

_COLUMNS = (
    "id, pupil_id, school_id, to_organisation, to_organisation_name, to_school_code, to_school_name, "
    "to_school_address, left_on, reason, state, version, created_at, accepted_on, package_id, last_error"
)


def _transfer(row: Row[Any]) -> Transfer:
    return Transfer(
        id=row.id, pupil_id=row.pupil_id, school_id=row.school_id,
        destination=Destination(
            row.to_organisation, row.to_organisation_name, row.to_school_code, row.to_school_name, row.to_school_address
        ),
        left_on=row.left_on, reason=row.reason, state=TransferState(row.state), version=row.version,
        created_at=row.created_at, accepted_on=row.accepted_on, package_id=row.package_id, last_error=row.last_error,
    )  # fmt: skip


async def add(tx: Transaction, transfer: Transfer) -> None:
    to = transfer.destination
    await tx.execute(
        "INSERT INTO transfers (tenant_id, id, pupil_id, school_id, to_organisation, to_organisation_name, "
        "to_school_code, to_school_name, to_school_address, left_on, reason, state, created_at, updated_by) VALUES "
        "(current_setting('komu.tenant'), :id, :pupil, :school, :organisation, :organisation_name, :code, :name, "
        ":address, :left_on, :reason, :state, :at, :actor)",
        {
            "id": transfer.id, "pupil": transfer.pupil_id, "school": transfer.school_id,
            "organisation": to.organisation,
            "organisation_name": to.organisation_name, "code": to.school_code, "name": to.school_name,
            "address": to.school_address, "left_on": transfer.left_on, "reason": transfer.reason,
            "state": transfer.state, "at": transfer.created_at, "actor": _actor(tx),
        },
    )  # fmt: skip


async def get(tx: Transaction, transfer_id: UUID, *, lock: bool = False) -> Transfer:
    """Raises: Unseen."""
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM transfers WHERE id = :id" + (" FOR UPDATE" if lock else ""),
        {"id": transfer_id},
    )
    row = found.first()
    if row is None:
        raise Unseen
    return _transfer(row)


async def open_of_pupil(tx: Transaction, pupil_id: UUID) -> Transfer | None:
    """The transfer of the child that has not ended yet."""
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM transfers WHERE pupil_id = :pupil "
        "AND state NOT IN ('closed', 'refused', 'withdrawn', 'expired')",
        {"pupil": pupil_id},
    )
    row = found.first()
    return _transfer(row) if row else None


async def of_package(tx: Transaction, package_id: UUID) -> Transfer | None:
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM transfers WHERE package_id = :id FOR UPDATE",
        {"id": package_id},
    )
    row = found.first()
    return _transfer(row) if row else None


async def page(
    tx: Transaction, school_ids: Sequence[UUID] | None, state: str, before: UUID | None, limit: int
) -> list[Transfer]:
    """Newest first. `school_ids`: None for every school of the board."""
    where, params = ["true"], {"limit": limit}
    if school_ids is not None:
        where.append("school_id = ANY(:schools)")
        params["schools"] = list(school_ids)  # type: ignore[assignment]
    if state:
        where.append("state = :state")
        params["state"] = state  # type: ignore[assignment]
    if before is not None:
        where.append("id < :before")
        params["before"] = before  # type: ignore[assignment]
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM transfers WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT :limit",
        params,
    )
    return [_transfer(row) for row in found]


async def move(
    tx: Transaction, transfer: Transfer, state: TransferState, *, reason: str = "", package_id: UUID | None = None,
    accepted_on: date | None = None, last_error: str = "",
) -> Transfer:  # fmt: skip
    """Write the new state and its line of history. Raises: Conflict, when someone was faster."""
    found = await tx.execute(
        "UPDATE transfers SET state = :state, version = version + 1, updated_at = :now, updated_by = :actor, "
        "package_id = coalesce(:package, package_id), accepted_on = coalesce(:accepted_on, accepted_on), "
        f"last_error = :error WHERE id = :id AND version = :version RETURNING {_COLUMNS}",
        {
            "state": state, "now": tx.now, "actor": _actor(tx), "package": package_id, "accepted_on": accepted_on,
            "error": last_error, "id": transfer.id, "version": transfer.version,
        },
    )  # fmt: skip
    row = found.first()
    if row is None:
        current = await tx.execute(
            "SELECT version, updated_at, updated_by FROM transfers WHERE id = :id", {"id": transfer.id}
        )
        now = current.first()
        if now is None:
            raise Unseen
        raise lost_race(now.version, now.updated_at, now.updated_by)
    await note_state(tx, transfer.id, state, reason)
    return _transfer(row)


async def note_error(tx: Transaction, package_id: UUID, error: str) -> None:
    """What went wrong with the last attempt, for the page; not a change of state."""
    await tx.execute(
        "UPDATE transfers SET last_error = :error WHERE package_id = :id", {"error": error[:500], "id": package_id}
    )


async def note_state(tx: Transaction, object_id: UUID, state: str, reason: str = "") -> None:
    await tx.execute(
        "INSERT INTO state_changes (tenant_id, id, object_id, state, at, actor_id, reason) "
        "VALUES (current_setting('komu.tenant'), :id, :object, :state, :at, :actor, :reason)",
        {"id": uuid7(), "object": object_id, "state": state, "at": tx.now, "actor": _actor(tx), "reason": reason},
    )


async def history(tx: Transaction, object_ids: Sequence[UUID]) -> dict[UUID, list[StateChange]]:
    found = await tx.execute(
        "SELECT object_id, state, at, actor_id, reason FROM state_changes WHERE object_id = ANY(:ids) ORDER BY id",
        {"ids": list(object_ids)},
    )
    result: dict[UUID, list[StateChange]] = {object_id: [] for object_id in object_ids}
    for row in found:
        result[row.object_id].append(StateChange(row.state, row.at, row.actor_id, row.reason))
    return result


async def add_package(
    tx: Transaction, built: Built, sealed: SealedPackage, *, transfer_id: UUID, arrival_id: UUID | None = None
) -> None:
    described = built.manifest
    await tx.execute(
        "INSERT INTO packages (tenant_id, id, kind, transfer_id, arrival_id, to_organisation, manifest, manifest_jws, "
        "sealed, sha256, created_at, expires_at) VALUES (current_setting('komu.tenant'), :id, :kind, :transfer, "
        ":arrival, :to, :manifest, :jws, :sealed, :sha256, :created, :expires)",
        {
            "id": UUID(described.package_id), "kind": described.kind, "transfer": transfer_id, "arrival": arrival_id,
            "to": described.receiver.organisation, "manifest": built.manifest_bytes, "jws": built.manifest_jws,
            "sealed": sealed.sealed, "sha256": sealed.sha256, "created": described.created,
            "expires": described.expires,
        },
    )  # fmt: skip


async def packages(tx: Transaction, package_ids: Sequence[UUID]) -> dict[UUID, KeptPackage]:
    found = await tx.execute(
        "SELECT id, kind, transfer_id, arrival_id, to_organisation, manifest, manifest_jws, sha256, expires_at "
        "FROM packages WHERE id = ANY(:ids)",
        {"ids": list(package_ids)},
    )
    return {row.id: KeptPackage(*tuple(row)) for row in found}


async def sealed_bytes(tx: Transaction, package_id: UUID) -> bytes | None:
    value = await tx.scalar("SELECT sealed FROM packages WHERE id = :id", {"id": package_id})
    return bytes(value) if value is not None else None


async def forget_sealed(tx: Transaction, package_id: UUID) -> None:
    """Nobody needs the sealed bytes any more: the signed manifest and the receipts stay as the proof."""
    await tx.execute("UPDATE packages SET sealed = NULL WHERE id = :id", {"id": package_id})


def _actor(tx: Transaction) -> UUID | None:
    return tx.actor.person_id if tx.actor else None


async def subjects_of_school(tx: Transaction, school_id: UUID) -> list[UUID]:
    """The school, and those of its children whose records went out or came in."""
    found = await tx.execute(
        "SELECT pupil_id FROM transfers WHERE school_id = :id UNION SELECT pupil_id FROM arrivals "
        "WHERE school_id = :id AND pupil_id IS NOT NULL",
        {"id": school_id},
    )
    return [school_id, *(row.pupil_id for row in found)]
