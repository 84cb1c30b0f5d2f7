"""What other organisations bring to our door: packages and receipts. Refused ones leave nothing but the refusal."""

import hashlib
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from servicekit.db import Transaction

from dataexchange import events
from dataexchange.domain import receipts
from dataexchange.domain.http_message import Speaker
from dataexchange.domain.ourselves import Ourselves, last_of
from dataexchange.domain.package import opening, records
from dataexchange.domain.package.opening import Opened
from dataexchange.domain.receipts import Receipt
from dataexchange.domain.refusals import Code, Refusal
from dataexchange.domain.states import ArrivalState, TransferState
from dataexchange.domain.transfers import Arrival, Transfer
from dataexchange.store import arrivals, exchange, transfers
from dataexchange.usecases import notices


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door says: taken with a receipt, or refused (with a signed receipt where we know what we refuse)."""

    receipt: str | None = None
    refusal: Refusal | None = None


async def spend_nonce(tx: Transaction, speaker: Speaker) -> None:
    """Raises: Refusal, for a request that was seen before."""
    if not await exchange.spend_nonce(tx, speaker.organisation, speaker.nonce, speaker.until):
        raise Refusal(Code.REQUEST_REPLAYED, speaker.organisation)


async def take_package(
    tx: Transaction, us: Ourselves, organisation: str, speaker: Speaker, package_id: str, sealed: bytes
) -> Answer:
    """Open, check, keep; or refuse. `organisation`: ours, to which it is sealed. `package_id`: the Idempotency-Key."""
    sha256 = hashlib.sha256(sealed).hexdigest()
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))", {"key": package_id})
    try:
        known = _uuid(package_id)
        before = await arrivals.find(tx, known)
        if before is not None:
            return await _again(tx, before, speaker, sha256)
        directory = us.directory(tx.now)
        package = opening.open_sealed(sealed, us.opening, directory, tx.now, organisation)
        opened = opening.accept(package, directory, tx.now, receiver=organisation)
        if opened.manifest.package_id != package_id:
            raise Refusal(Code.IDEMPOTENCY_KEY_MISMATCH, opened.manifest.package_id)
        if opened.manifest.sender.organisation != speaker.organisation:
            raise Refusal(Code.SENDER_MISMATCH, speaker.organisation)
        receipt = us.receipt(
            "received", package_id, sha256, by=organisation, to=speaker.organisation, before=None, at=tx.now
        )
        await _take_by_kind(tx, opened, sha256)
        await exchange.add_receipt(tx, receipt)
        tx.audit(
            "package.received", package_id, after={"from": speaker.organisation, "sha256": sha256}, information_class=2
        )
        return Answer(receipt.jws)
    except Refusal as refusal:
        await arrivals.note_refusal(tx, speaker.organisation, package_id, sha256, refusal)
        tx.audit("package.refused", package_id[:64], after={"from": speaker.organisation, "code": str(refusal.code)})
        return Answer(_refused(us, organisation, speaker, package_id, sha256, refusal, tx), refusal)


def _uuid(text: str) -> UUID:
    try:
        value = UUID(text)
    except ValueError:
        raise Refusal(Code.IDEMPOTENCY_KEY_MISMATCH, text[:40]) from None
    if str(value) != text or value.version != 7:
        raise Refusal(Code.IDEMPOTENCY_KEY_MISMATCH, text[:40])
    return value


async def _again(tx: Transaction, before: Arrival, speaker: Speaker, sha256: str) -> Answer:
    """The same bytes again get the same receipt; another sender or other bytes are refused."""
    if before.sha256 != sha256 or before.from_organisation != speaker.organisation:
        raise Refusal(Code.PACKAGE_ID_REUSED, str(before.id))
    kept = (await exchange.receipts(tx, [before.id]))[before.id]
    return Answer(next(r.jws for r in kept if r.kind == "received" and r.organisation == before.to_organisation))


def _refused(
    us: Ourselves, organisation: str, speaker: Speaker, package_id: str, sha256: str, refusal: Refusal, tx: Transaction
) -> str | None:
    """A signed refusal for the sender's files. It opens no chain: nothing of the package is kept here."""
    if refusal.code in (Code.IDEMPOTENCY_KEY_MISMATCH, Code.PACKAGE_ID_REUSED):
        return None
    try:
        return us.receipt(
            "refused", package_id, sha256, by=organisation, to=speaker.organisation, before=None, at=tx.now,
            code=str(refusal.code), text=refusal.say(),
        ).jws  # fmt: skip
    except Refusal:
        return None


async def _take_by_kind(tx: Transaction, opened: Opened, sha256: str) -> None:
    described = opened.manifest
    arrival = Arrival(
        id=UUID(described.package_id), transfer_id=UUID(described.transfer_id), kind=described.kind,
        from_organisation=described.sender.organisation, from_organisation_name=described.sender.name,
        from_school_name=described.sender.school.name if described.sender.school else "",
        from_school_address=described.sender.school.address if described.sender.school else "",
        to_organisation=described.receiver.organisation,
        to_school_code=described.receiver.school.code if described.receiver.school else "",
        state=ArrivalState.VERIFIED, sha256=sha256, received_at=tx.now, version=1,
        left_on=date.fromisoformat(described.left_on) if described.left_on else None,
    )  # fmt: skip
    if described.kind == "transfer":
        roles = [part.role for part in described.parts]
        if "learner" not in roles or roles.count("learner") > 1 or arrival.left_on is None:
            raise Refusal(Code.MANIFEST_INVALID, "a transfer names its child and the day it left")
        await arrivals.add(tx, arrival, opened)
        for record in opened.records.values():
            if isinstance(record, records.Learner):
                await notices.answered_by(tx, arrival.from_organisation, record, arrival.transfer_id)
    elif described.kind == "return":
        await _take_return(tx, arrival, opened)
    else:
        raise Refusal(Code.VERSION_UNSUPPORTED, described.kind)


async def _take_return(tx: Transaction, arrival: Arrival, opened: Opened) -> None:
    """What we sent comes back: the transfer ends with the reason."""
    reason = opened.records.get("record/reason.json")
    if not isinstance(reason, records.Reason):
        raise Refusal(Code.RECORD_INVALID, "record/reason.json")
    transfer = await transfers.of_package(tx, UUID(reason.package_id))
    if transfer is None or transfer.destination.organisation != arrival.from_organisation:
        raise Refusal(Code.PACKAGE_UNKNOWN, reason.package_id)
    await arrivals.add(tx, arrival, opened)
    if transfer.state in (TransferState.SEALED, TransferState.SENT, TransferState.RECEIVED):
        await refuse_transfer(tx, transfer, reason.text)


# ── receipts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def take_receipt(tx: Transaction, us: Ourselves, speaker: Speaker, jws: str) -> None:
    """A receipt that the other side pushes. Twice is once. Raises: Refusal."""
    receipt = receipts.read_pushed(jws, us.directory(tx.now), tx.now)
    if receipt.statement.organisation != speaker.organisation:
        raise Refusal(Code.RECEIPT_INVALID, "organisation")
    await keep_receipt(tx, receipt)


async def keep_receipt(tx: Transaction, receipt: Receipt) -> None:
    """Chain it, keep it, let it change the state. Raises: Refusal."""
    statement = receipt.statement
    package_id = UUID(statement.package_id)
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))", {"key": statement.package_id})
    kept = (await exchange.receipts(tx, [package_id]))[package_id]
    if any(one.sha256 == receipt.sha256 for one in kept):
        return
    if statement.kind in receipts.BY_RECEIVER:
        await _check_ours(tx, receipt)
    else:
        await _withdrawn(tx, receipt)
    before = last_of(kept, statement.organisation)
    receipts.check_next(receipts.trusted(before.jws) if before else None, receipt)
    await exchange.add_receipt(tx, receipt)
    tx.audit("receipt.received", statement.package_id, after={"kind": statement.kind, "from": statement.organisation})
    if statement.kind in receipts.BY_RECEIVER:
        transfer = await transfers.of_package(tx, package_id)
        if transfer is not None:
            await follow(tx, transfer, receipt)


async def _check_ours(tx: Transaction, receipt: Receipt) -> None:
    """Is it about a package we sent, exactly these bytes, to exactly that organisation?"""
    statement = receipt.statement
    package = (await transfers.packages(tx, [UUID(statement.package_id)])).get(UUID(statement.package_id))
    if package is None or package.to_organisation != statement.organisation:
        raise Refusal(Code.PACKAGE_UNKNOWN, statement.package_id)
    if package.sha256 != statement.package_sha256:
        raise Refusal(Code.RECEIPT_OTHER_PACKAGE, statement.package_id)


async def _withdrawn(tx: Transaction, receipt: Receipt) -> None:
    """The sender takes it back: unless the child is on our roll already, we forget it."""
    statement = receipt.statement
    arrival = await arrivals.find(tx, UUID(statement.package_id), lock=True)
    if arrival is None or arrival.from_organisation != statement.organisation:
        raise Refusal(Code.PACKAGE_UNKNOWN, statement.package_id)
    if arrival.sha256 != statement.package_sha256:
        raise Refusal(Code.RECEIPT_OTHER_PACKAGE, statement.package_id)
    if arrival.state == ArrivalState.ACCEPTED:
        raise Refusal(Code.RECEIPT_CHAIN_BROKEN, "accepted")
    if arrival.state in (ArrivalState.VERIFIED, ArrivalState.MATCHED):
        await arrivals.forget_parts(tx, arrival.id)
        await arrivals.move(tx, arrival, ArrivalState.WITHDRAWN, reason=statement.text or "")


async def follow(tx: Transaction, transfer: Transfer, receipt: Receipt) -> None:
    """The state of the transfer follows what the receiver states."""
    statement, state = receipt.statement, transfer.state
    if statement.kind == "received":
        if state == TransferState.SEALED:
            transfer = await transfers.move(tx, transfer, TransferState.SENT)
            tx.emit(events.transfer_sent(transfer))
        if transfer.state in (TransferState.SENT, TransferState.EXPIRED):
            await transfers.move(tx, transfer, TransferState.RECEIVED)
    elif statement.kind == "refused":
        if state in (TransferState.SEALED, TransferState.SENT, TransferState.RECEIVED):
            await refuse_transfer(tx, transfer, statement.text or statement.code or "")
    elif state in (TransferState.RECEIVED, TransferState.SENT, TransferState.WITHDRAWN, TransferState.EXPIRED):
        assert statement.accepted_on is not None
        accepted = await transfers.move(
            tx, transfer, TransferState.ACCEPTED, accepted_on=date.fromisoformat(statement.accepted_on)
        )
        tx.emit(events.transfer_accepted(accepted))
        await transfers.move(tx, accepted, TransferState.CLOSED, reason="転学の処理を学籍へ渡しました。")
        if transfer.package_id is not None:
            await transfers.forget_sealed(tx, transfer.package_id)


async def refuse_transfer(tx: Transaction, transfer: Transfer, reason: str) -> None:
    """The other side does not take it: the child stays on our roll."""
    refused = await transfers.move(tx, transfer, TransferState.REFUSED, reason=reason, last_error=reason[:500])
    if transfer.package_id is not None:
        await exchange.cancel_deliveries(tx, transfer.package_id, "package")
        await transfers.forget_sealed(tx, transfer.package_id)
    tx.emit(events.transfer_ended(refused))


async def receipts_of(tx: Transaction, package_id: UUID, speaker: Speaker) -> list[str]:
    """All receipts so far, for the counterpart of the package only. Raises: Refusal."""
    kept = (await exchange.receipts(tx, [package_id]))[package_id]
    parties = {receipt.organisation for receipt in kept} | {receipt.recipient for receipt in kept}
    if speaker.organisation not in parties:
        raise Refusal(Code.PACKAGE_UNKNOWN, str(package_id))
    return [receipt.jws for receipt in kept]
