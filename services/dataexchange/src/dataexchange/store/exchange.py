"""What passes between deployments: receipts, deliveries, nonces, the directory in use."""

# ruff: noqa: S608  (only names and column lists of this module are put into a statement, never a value)

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.db import Transaction
from servicekit.ids import uuid7

from dataexchange.domain import instants
from dataexchange.domain.receipts import Receipt
from dataexchange.domain.transfers import DEPLOYMENT, Delivery, KeptReceipt

_RECEIPT = "package_id, organisation, recipient, kind, at, sha256, previous, code, text, jws"
_DELIVERY = (
    "id, kind, package_id, from_organisation, to_organisation, attempts, next_attempt_at, gives_up_at, receipt_sha256, "
    "last_error"
)


async def add_receipt(tx: Transaction, receipt: Receipt) -> None:
    statement = receipt.statement
    await tx.execute(
        f"INSERT INTO receipts (tenant_id, id, {_RECEIPT}) VALUES (current_setting('komu.tenant'), :id, :package, "
        ":organisation, :recipient, :kind, :at, :sha256, :previous, :code, :text, :jws)",
        {
            "id": uuid7(), "package": UUID(statement.package_id), "organisation": statement.organisation,
            "recipient": statement.recipient, "kind": statement.kind, "at": instants.from_text(statement.at),
            "sha256": receipt.sha256, "previous": statement.previous, "code": statement.code or "",
            "text": statement.text or "", "jws": receipt.jws,
        },
    )  # fmt: skip


async def receipts(tx: Transaction, package_ids: Sequence[UUID]) -> dict[UUID, list[KeptReceipt]]:
    """Of each package, oldest first."""
    found = await tx.execute(
        f"SELECT {_RECEIPT} FROM receipts WHERE package_id = ANY(:ids) ORDER BY id",
        {"ids": list(package_ids)},
    )
    result: dict[UUID, list[KeptReceipt]] = {package_id: [] for package_id in package_ids}
    for row in found:
        result[row.package_id].append(KeptReceipt(*tuple(row)))
    return result


async def add_delivery(
    tx: Transaction, kind: str, package_id: UUID, sender: str, receiver: str, gives_up_at: datetime,
    receipt_sha256: str | None = None,
) -> None:  # fmt: skip
    await tx.execute(
        "INSERT INTO deliveries (tenant_id, id, kind, package_id, receipt_sha256, from_organisation, to_organisation, "
        "next_attempt_at, gives_up_at) VALUES (current_setting('komu.tenant'), :id, :kind, :package, :receipt, "
        ":sender, :receiver, :now, :gives_up)",
        {
            "id": uuid7(), "kind": kind, "package": package_id, "receipt": receipt_sha256, "sender": sender,
            "receiver": receiver, "now": tx.now, "gives_up": gives_up_at,
        },
    )  # fmt: skip


async def claim_delivery(tx: Transaction, lease: timedelta) -> Delivery | None:
    """The delivery that has waited longest, taken for `lease`: if we die, it comes up again after that.

    Of one package only the oldest open delivery is taken: receipts arrive in their order.
    """
    found = await tx.execute(
        "UPDATE deliveries SET next_attempt_at = :until, attempts = attempts + 1 WHERE id = ("
        "SELECT id FROM deliveries d WHERE done_at IS NULL AND next_attempt_at <= :now AND NOT EXISTS ("
        "SELECT 1 FROM deliveries e WHERE e.package_id = d.package_id AND e.done_at IS NULL AND e.id < d.id) "
        f"ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING {_DELIVERY}",
        {"now": tx.now, "until": tx.now + lease},
    )
    row = found.first()
    return Delivery(*tuple(row)) if row else None


async def put_off_delivery(tx: Transaction, delivery_id: UUID, until: datetime, error: str) -> None:
    await tx.execute(
        "UPDATE deliveries SET next_attempt_at = :until, last_error = :error WHERE id = :id AND done_at IS NULL",
        {"until": until, "error": error[:500], "id": delivery_id},
    )


async def finish_delivery(tx: Transaction, delivery_id: UUID, outcome: str, error: str = "") -> None:
    await tx.execute(
        "UPDATE deliveries SET done_at = :now, outcome = :outcome, last_error = :error WHERE id = :id",
        {"now": tx.now, "outcome": outcome, "error": error[:500], "id": delivery_id},
    )


async def cancel_deliveries(tx: Transaction, package_id: UUID, kind: str) -> None:
    await tx.execute(
        "UPDATE deliveries SET done_at = :now, outcome = 'cancelled' WHERE package_id = :package AND kind = :kind "
        "AND done_at IS NULL",
        {"now": tx.now, "package": package_id, "kind": kind},
    )


async def open_delivery(tx: Transaction, package_id: UUID, kind: str) -> Delivery | None:
    found = await tx.execute(
        f"SELECT {_DELIVERY} FROM deliveries WHERE package_id = :id AND kind = :kind AND done_at IS NULL",
        {"id": package_id, "kind": kind},
    )
    row = found.first()
    return Delivery(*tuple(row)) if row else None


async def spend_nonce(tx: Transaction, organisation: str, nonce: str, until: datetime) -> bool:
    """False, when the organisation used it before."""
    await tx.execute("DELETE FROM nonces WHERE until < :now", {"now": tx.now})
    found = await tx.execute(
        "INSERT INTO nonces (tenant_id, organisation, nonce, until) VALUES (current_setting('komu.tenant'), "
        ":organisation, :nonce, :until) ON CONFLICT DO NOTHING RETURNING nonce",
        {"organisation": organisation, "nonce": nonce, "until": until},
    )
    return found.first() is not None


async def latest_directory(tx: Transaction, operator: str) -> bytes | None:
    """The newest one by this operator's key (its thumbprint); call it in the tenant `DEPLOYMENT`."""
    raw = await tx.scalar(
        "SELECT raw FROM directories WHERE operator = :operator ORDER BY sequence DESC LIMIT 1", {"operator": operator}
    )
    return bytes(raw) if raw is not None else None


async def adopt_directory(tx: Transaction, operator: str, sequence: int, sha256: str, raw: bytes) -> None:
    """Kept for ever: a signature of years ago is checked against the directory of that time."""
    await tx.execute(
        "INSERT INTO directories (tenant_id, operator, sequence, sha256, raw, adopted_at) "
        "VALUES (:tenant, :operator, :sequence, :sha256, :raw, :now) ON CONFLICT DO NOTHING",
        {"tenant": DEPLOYMENT, "operator": operator, "sequence": sequence, "sha256": sha256, "raw": raw, "now": tx.now},
    )
