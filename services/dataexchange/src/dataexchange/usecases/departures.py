"""転学: the office drafts, the 校長 approves, the package is sealed and handed to the sender."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid
from servicekit.ids import uuid7

from dataexchange import events, policy
from dataexchange.domain import instants
from dataexchange.domain.commands import Draft, Gathered, PupilFacts
from dataexchange.domain.ourselves import Ourselves, last_of
from dataexchange.domain.package import building, manifest
from dataexchange.domain.refusals import Refusal
from dataexchange.domain.states import TransferState, check_left_on, step
from dataexchange.domain.transfers import Transfer, TransferView
from dataexchange.policy import Served
from dataexchange.store import arrivals as arrival_store
from dataexchange.store import exchange, transfers
from dataexchange.usecases import notices

TRIES_FOR: Final = timedelta(days=7)
PAGE: Final = 100


async def check_draft(
    tx: Transaction, actor: Actor, us: Ourselves, served: Served, pupil: PupilFacts, draft: Draft
) -> None:
    """Everything that can be said before the register is told. Raises: Refused, Unseen, Invalid, Conflict."""
    policy.may_draft(actor, served, pupil.school_id).enforce()
    us.destination(draft.organisation, draft.school_code, tx.tenant, tx.now)
    check_left_on(draft.left_on, day_in_jst(tx.now))
    if draft.notice_id is not None:
        await notices.look_for_answer(tx, actor, served, draft.notice_id, draft.organisation)
    if pupil.protected:
        raise Invalid(
            "支援措置の対象の児童生徒です。電子的な送付はできません。教育委員会に連絡してください。", reason="PROTECTED"
        )
    if not pupil.enrolled:
        raise Invalid(
            "今日の時点で在籍していない児童生徒です。受入れ日が先のときは、その日になってから起案してください。",
            reason="NOT_ENROLLED",
        )
    if pupil.class_id is None:
        raise Invalid(
            "学級が決まっていない児童生徒です。学級ごとに作る書類がそろわないため、先に名簿の画面で学級を決めてください。",
            reason="NO_CLASS",
        )
    before = await transfers.open_of_pupil(tx, draft.pupil_id)
    if before is not None:
        raise Conflict(
            "この児童生徒の転出の手続きは、既に始まっています。",
            {"transfer_id": str(before.id)},
            reason="ALREADY_DRAFTED",
        )


async def draft_transfer(
    tx: Transaction, actor: Actor, us: Ourselves, served: Served, pupil: PupilFacts, draft: Draft
) -> TransferView:
    """The register knows of the departure already; now the transfer exists."""
    await check_draft(tx, actor, us, served, pupil, draft)
    destination = us.destination(draft.organisation, draft.school_code, tx.tenant, tx.now)
    transfer = Transfer(
        id=uuid7(), pupil_id=draft.pupil_id, school_id=pupil.school_id, destination=destination, left_on=draft.left_on,
        reason=draft.reason, state=TransferState.DRAFTED, version=1, created_at=tx.now,
    )  # fmt: skip
    await transfers.add(tx, transfer)
    await transfers.note_state(tx, transfer.id, TransferState.DRAFTED, draft.reason)
    if draft.notice_id is not None:
        await notices.answer(
            tx, actor, served, draft.notice_id, draft.organisation, transfer.id, draft.pupil_id
        )
    tx.audit("transfer.drafted", transfer.id, after={"to": destination.organisation}, subject_id=draft.pupil_id)
    return await view(tx, transfer)


async def look_for_approval(tx: Transaction, actor: Actor, served: Served, transfer_id: UUID, version: int) -> Transfer:
    """May it be approved now? Raises: Refused, Unseen, Conflict."""
    transfer = await transfers.get(tx, transfer_id)
    policy.may_approve(actor, served, transfer).enforce()
    step(transfer.state, TransferState.APPROVED)
    if transfer.version != version:
        raise Conflict("ほかの人が先に変更しました。画面を開き直してください。", reason="CHANGED_MEANWHILE")
    return transfer


async def received_copies(tx: Transaction, actor: Actor, pupil_id: UUID) -> list[building.Content]:
    """Copies that former schools sent travel on unchanged, with their own manifests (施行規則 24条3項)."""
    contents: dict[str, building.Content] = {}
    for arrival in await arrival_store.accepted_of_pupil(tx, pupil_id):
        listed = {part.path: part for part in (await arrival_store.parts(tx, [arrival.id]))[arrival.id]}
        for path, data in (await arrival_store.all_bytes(tx, arrival.id)).items():
            where = path if path.startswith("received/") else f"received/{arrival.id}/{path}"
            part = listed.get(path)
            line = manifest.part(
                where, data, role="received_copy", title=part.title if part else f"{arrival.from_school_name} 目録",
                information_class=part.information_class if part else 1, custody="copy",
            )  # fmt: skip
            contents[where] = building.Content(line, data)
    return list(contents.values())


async def approve_transfer(
    tx: Transaction, actor: Actor, us: Ourselves, served: Served, transfer_id: UUID, version: int, gathered: Gathered
) -> TransferView:
    """校長's decision: build, sign, seal, hand to the sender; all or nothing."""
    transfer = await look_for_approval(tx, actor, served, transfer_id, version)
    own = us.organisation_of(tx.tenant)
    to = transfer.destination
    try:
        directory = us.directory(tx.now)
        us.destination(to.organisation, to.school_code, tx.tenant, tx.now)
        built = building.build(
            gathered.contents, package_id=uuid7(), transfer_id=transfer.id, kind="transfer",
            sender=manifest.Party(organisation=own, name=directory.organisation(own).name, school=gathered.school),
            receiver=manifest.Party(
                organisation=to.organisation, name=to.organisation_name,
                school=manifest.School(code=to.school_code, name=to.school_name, address=to.school_address)
                if to.school_name else None,
            ),
            decided_by=manifest.Decision(office="校長", name=served.name, at=instants.to_text(tx.now)),
            at=tx.now, signing=us.keys[own].signing_key(tx.now), absent=gathered.absent,
            left_on=transfer.left_on.isoformat(),
        )  # fmt: skip
        sealed = building.seal(built.archive, directory.key_for(to.organisation, "enc", tx.now))
    except Refusal as refusal:
        raise Invalid(f"パッケージを作成できません。{refusal.say()}", reason=str(refusal.code).upper()) from None
    transfer = await transfers.move(tx, transfer, TransferState.APPROVED)
    await transfers.add_package(tx, built, sealed, transfer_id=transfer.id)
    package_id = UUID(built.manifest.package_id)
    step(transfer.state, TransferState.SEALED)
    transfer = await transfers.move(tx, transfer, TransferState.SEALED, package_id=package_id)
    await exchange.add_delivery(tx, "package", package_id, own, to.organisation, tx.now + TRIES_FOR)
    tx.audit(
        "transfer.approved", transfer.id, after={"package_id": str(package_id), "sha256": sealed.sha256},
        information_class=1, subject_id=transfer.pupil_id,
    )  # fmt: skip
    return await view(tx, transfer)


async def look_for_withdrawal(
    tx: Transaction, actor: Actor, served: Served, transfer_id: UUID, version: int
) -> Transfer:
    transfer = await transfers.get(tx, transfer_id)
    policy.may_withdraw(actor, served, transfer).enforce()
    step(transfer.state, TransferState.WITHDRAWN)
    if transfer.version != version:
        raise Conflict("ほかの人が先に変更しました。画面を開き直してください。", reason="CHANGED_MEANWHILE")
    return transfer


async def withdraw_transfer(
    tx: Transaction, actor: Actor, us: Ourselves, served: Served, transfer_id: UUID, version: int, reason: str
) -> TransferView:
    """Take it back: nothing more is sent; a side that may have it is told and forgets it."""
    if not reason.strip():
        raise Invalid("取下げの理由を入力してください。", reason="REASON_MISSING")
    transfer = await look_for_withdrawal(tx, actor, served, transfer_id, version)
    if transfer.package_id is not None:
        await exchange.cancel_deliveries(tx, transfer.package_id, "package")
        await _tell_withdrawn(tx, us, transfer, reason)
        await transfers.forget_sealed(tx, transfer.package_id)
    transfer = await transfers.move(tx, transfer, TransferState.WITHDRAWN, reason=reason)
    tx.audit("transfer.withdrawn", transfer.id, after={"reason": reason}, subject_id=transfer.pupil_id)
    tx.emit(events.transfer_ended(transfer))
    return await view(tx, transfer)


async def _tell_withdrawn(tx: Transaction, us: Ourselves, transfer: Transfer, reason: str) -> None:
    """Told even when no receipt came: the bytes may have arrived and only their receipt been lost."""
    assert transfer.package_id is not None
    own, to = us.organisation_of(tx.tenant), transfer.destination.organisation
    kept = (await exchange.receipts(tx, [transfer.package_id]))[transfer.package_id]
    package = (await transfers.packages(tx, [transfer.package_id]))[transfer.package_id]
    receipt = us.receipt(
        "withdrawn", str(transfer.package_id), package.sha256, by=own, to=to, before=last_of(kept, own), at=tx.now,
        text=reason,
    )  # fmt: skip
    await exchange.add_receipt(tx, receipt)
    await exchange.add_delivery(tx, "receipt", transfer.package_id, own, to, tx.now + TRIES_FOR, receipt.sha256)


async def get_transfer(tx: Transaction, actor: Actor, served: Served, transfer_id: UUID) -> TransferView:
    transfer = await transfers.get(tx, transfer_id)
    policy.may_see_transfer(actor, served, transfer).enforce()
    return await view(tx, transfer)


async def list_transfers(
    tx: Transaction, actor: Actor, served: Served, school_id: UUID | None, state: str, before: UUID | None, limit: int
) -> tuple[list[Transfer], bool]:
    """The schools one serves; a board administrator sees every school's."""
    schools: list[UUID] | None = sorted(served.school_ids)
    if served.board and actor.holds("board_admin"):
        schools = None
    if school_id is not None:
        if schools is not None and school_id not in served.school_ids:
            return [], False
        schools = [school_id]
    size = min(limit or 50, PAGE)
    found = await transfers.page(tx, schools, state, before, size + 1)
    return found[:size], len(found) > size


async def view(tx: Transaction, transfer: Transfer) -> TransferView:
    """Everything the page of a transfer shows."""
    history = (await transfers.history(tx, [transfer.id]))[transfer.id]
    if transfer.package_id is None:
        return TransferView(transfer, history)
    kept = (await exchange.receipts(tx, [transfer.package_id]))[transfer.package_id]
    package = (await transfers.packages(tx, [transfer.package_id])).get(transfer.package_id)
    delivery = await exchange.open_delivery(tx, transfer.package_id, "package")
    return TransferView(transfer, history, kept, package, delivery)
