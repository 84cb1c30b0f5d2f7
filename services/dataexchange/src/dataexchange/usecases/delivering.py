"""Bring packages and receipts to other organisations; again and again for 7 days, then a person is told."""

import asyncio
import logging
import random
from datetime import timedelta
from typing import Final

from servicekit.db import Database, Transaction

from dataexchange import events
from dataexchange.clients.peers import Peers, Reply
from dataexchange.domain import receipts
from dataexchange.domain.notices import NoticeState
from dataexchange.domain.ourselves import Ourselves
from dataexchange.domain.refusals import WORDS, Code, Refusal
from dataexchange.domain.states import TransferState
from dataexchange.domain.transfers import Delivery
from dataexchange.store import exchange, transfers
from dataexchange.store import notices as notice_store
from dataexchange.usecases import notices, receiving

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=3)
LOOK_EVERY_S: Final = 2.0
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(hours=1)


def pause_after(attempts: int) -> timedelta:
    """Back-off: 5 s doubled up to an hour, a tenth of it by chance so that not all come back at once."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return timedelta(seconds=pause.total_seconds() * (1 + random.random() / 10))  # noqa: S311  (no secret: it only spreads load)


class Sender:
    """The loop that empties the table of deliveries. `wake()` after a commit that put something in."""

    def __init__(self, database: Database, us: Ourselves, peers: Peers) -> None:
        self._database = database
        self._us = us
        self._peers = peers
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            busy = False
            for tenant in sorted(set(self._us.tenants.values())):
                try:
                    busy = await self.once(tenant) or busy
                except Exception:
                    log.exception("delivering for %s failed", tenant)
            if not busy:
                self._woken.clear()
                try:
                    await asyncio.wait_for(self._woken.wait(), LOOK_EVERY_S)
                except TimeoutError:
                    continue

    async def once(self, tenant: str) -> bool:
        """One delivery of this tenant, if one is due. No transaction is open while the other side is asked."""
        async with self._database.transaction(tenant) as tx:
            delivery = await exchange.claim_delivery(tx, LEASE)
            if delivery is None:
                return False
            if tx.now >= delivery.gives_up_at:
                await _give_up(tx, delivery)
                return True
            body = await _body(tx, delivery)
        if body is None:
            async with self._database.transaction(tenant) as tx:
                await exchange.finish_delivery(tx, delivery.id, "nothing_to_send")
            return True
        reply = await self._send(delivery, body)
        async with self._database.transaction(tenant) as tx:
            await settle(tx, self._us, delivery, reply)
        return True

    async def _send(self, delivery: Delivery, body: bytes) -> Reply:
        now = self._database.clock()
        try:
            directory = self._us.directory(now)
            url = directory.organisation(delivery.to_organisation).base_url
            signing = self._us.keys[delivery.from_organisation].signing_key(now)
        except Refusal as refusal:
            return Reply(0, str(refusal.code), refusal.say())
        if delivery.kind in ("package", "notice"):
            headers = {"Content-Type": "application/jose", "Idempotency-Key": str(delivery.package_id)}
            return await self._peers.post(f"{url}/exchange/v1/{delivery.kind}s", body, headers, signing, now)
        headers = {"Content-Type": "application/jose"}
        return await self._peers.post(f"{url}/exchange/v1/receipts", body, headers, signing, now)


async def _body(tx: Transaction, delivery: Delivery) -> bytes | None:
    if delivery.kind == "package":
        return await transfers.sealed_bytes(tx, delivery.package_id)
    if delivery.kind == "notice":
        return await notice_store.sealed_bytes(tx, delivery.package_id)
    kept = (await exchange.receipts(tx, [delivery.package_id]))[delivery.package_id]
    return next((one.jws.encode() for one in kept if one.sha256 == delivery.receipt_sha256), None)


async def settle(tx: Transaction, us: Ourselves, delivery: Delivery, reply: Reply) -> None:
    """What the answer means for the delivery and its transfer."""
    error = f"{reply.text}" if reply.text else reply.code
    if reply.taken and delivery.kind == "package":
        fault = await _keep_answer(tx, us, delivery, reply.receipt)
        if fault is None:
            await exchange.finish_delivery(tx, delivery.id, "taken")
            return
        error, reply = fault, Reply(0, "receipt_invalid", fault)
    elif reply.taken:
        await exchange.finish_delivery(tx, delivery.id, "taken")
        if delivery.kind == "notice":
            await notices.delivered(tx, delivery.package_id)
        return
    too_early = delivery.kind == "receipt" and reply.code == Code.PACKAGE_UNKNOWN and delivery.attempts < 4
    if reply.passing or too_early:  # the package may still be on its way
        await exchange.put_off_delivery(tx, delivery.id, tx.now + pause_after(delivery.attempts), error)
        if delivery.kind == "package":
            await transfers.note_error(tx, delivery.package_id, error)
        elif delivery.kind == "notice":
            await notice_store.note_error(tx, delivery.package_id, error)
        return
    await exchange.finish_delivery(tx, delivery.id, "refused", error)
    if delivery.kind == "package":
        await _refused(tx, us, delivery, reply)
    elif delivery.kind == "notice":
        await notices.undelivered(tx, delivery.package_id, NoticeState.REFUSED, error)


async def _keep_answer(tx: Transaction, us: Ourselves, delivery: Delivery, jws: str | None) -> str | None:
    """The receipt in the answer, checked like a pushed one. Answers with what is wrong, or None."""
    try:
        if jws is None:
            raise Refusal(Code.RECEIPT_INVALID, "missing")
        receipt = receipts.read_pushed(jws, us.directory(tx.now), tx.now)
        if receipt.statement.kind != "received" or receipt.statement.package_id != str(delivery.package_id):
            raise Refusal(Code.RECEIPT_OTHER_PACKAGE)
        await receiving.keep_receipt(tx, receipt)
    except Refusal as refusal:
        return refusal.say()
    return None


async def _refused(tx: Transaction, us: Ourselves, delivery: Delivery, reply: Reply) -> None:
    words = WORDS.get(Code(reply.code)) if reply.code in list(Code) else None
    text = words.japanese if words else reply.text
    if reply.receipt is not None:
        try:
            receipt = receipts.read_pushed(reply.receipt, us.directory(tx.now), tx.now)
            if receipt.statement.kind == "refused":
                await receiving.keep_receipt(tx, receipt)
        except Refusal as refusal:
            log.warning("the receipt of a refusal does not hold: %s", refusal.code)
    transfer = await transfers.of_package(tx, delivery.package_id)
    if transfer is not None and transfer.state in (TransferState.SEALED, TransferState.SENT):
        await receiving.refuse_transfer(tx, transfer, text)


async def _give_up(tx: Transaction, delivery: Delivery) -> None:
    """After 7 days a person has to look: the transfer is expired, its page says why."""
    await exchange.finish_delivery(tx, delivery.id, "expired", delivery.last_error)
    if delivery.kind == "notice":
        reason = f"7日間送信できませんでした。{delivery.last_error}"
        await notices.undelivered(tx, delivery.package_id, NoticeState.EXPIRED, reason)
    if delivery.kind != "package":
        return
    transfer = await transfers.of_package(tx, delivery.package_id)
    if transfer is not None and transfer.state in (TransferState.SEALED, TransferState.SENT):
        reason = f"7日間送信できませんでした。{delivery.last_error}"
        expired = await transfers.move(tx, transfer, TransferState.EXPIRED, reason=reason, last_error=reason)
        await transfers.forget_sealed(tx, delivery.package_id)
        tx.emit(events.transfer_ended(expired))
