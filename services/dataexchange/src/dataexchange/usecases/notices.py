"""転入の予定: told by the receiving office, taken at the former side's door, answered by a transfer."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Violation
from servicekit.ids import uuid7

from dataexchange import policy
from dataexchange.domain import instants, notices
from dataexchange.domain.http_message import Speaker
from dataexchange.domain.notices import Asked, Document, Notice, NoticeState, NoticeView
from dataexchange.domain.ourselves import Ourselves
from dataexchange.domain.package import building, manifest, opening
from dataexchange.domain.package.records import Learner
from dataexchange.domain.refusals import Code, Refusal
from dataexchange.policy import Served
from dataexchange.store import exchange, transfers
from dataexchange.store import notices as store

TRIES_FOR: Final = timedelta(days=7)
PAGE: Final = 100


# ── the receiving school ─────────────────────────────────────────────────────────────────────────────────────────────


async def send_notice(tx: Transaction, actor: Actor, us: Ourselves, served: Served, asked: Asked) -> NoticeView:
    """Sealed for the former school's organisation and handed to the sender. Raises: Refused, Unseen, Invalid."""
    policy.may_send_notice(actor, served, asked.from_school_id).enforce()
    if not asked.not_protected:
        message = "支援措置の対象の児童生徒は、この方法で知らせることができません。確認欄を確かめてください。"
        raise Invalid(message, [Violation("not_protected", message)], reason="PROTECTION_UNCHECKED")
    today = day_in_jst(tx.now)
    if not today - timedelta(days=180) <= asked.expected_on <= today + timedelta(days=365):
        message = "受入れ予定日は、半年前から1年先までの日付にしてください。"
        raise Invalid(message, [Violation("expected_on", message)])
    own = us.organisation_of(tx.tenant)
    to = us.destination(asked.organisation, asked.school_code, tx.tenant, tx.now)
    try:
        directory = us.directory(tx.now)
        ourselves = directory.organisation(own)
        code = served.code(asked.from_school_id)
        school = next((one for one in ourselves.schools if one.code == code), None)
        if school is None:
            raise Invalid(
                "ご自身の学校が組織の名簿にありません。教育委員会に連絡してください。", reason="SCHOOL_UNKNOWN"
            )
        document = Document(
            spec="1.0", notice_id=str(uuid7()), child=asked.child, accepted_on=asked.expected_on.isoformat(),
            created_at=instants.to_text(tx.now),
            sender=manifest.Party(
                organisation=own, name=ourselves.name,
                school=manifest.School(code=school.code, name=school.name, address=school.address),
            ),
            receiver=manifest.Party(
                organisation=to.organisation, name=to.organisation_name,
                school=manifest.School(code=to.school_code, name=to.school_name, address=to.school_address)
                if to.school_name else None,
            ),
        )  # fmt: skip
        data = notices.to_bytes(document)
        key = directory.key_for(to.organisation, "enc", tx.now)
        sealed = building.seal(data, key, typ=notices.TYP, cty=notices.CTY)
    except Refusal as refusal:
        raise Invalid(f"相手に知らせることができません。{refusal.say()}", reason=str(refusal.code).upper()) from None
    notice = Notice(
        id=UUID(document.notice_id), direction="out", organisation=to.organisation,
        organisation_name=to.organisation_name, school_code=to.school_code, school_name=to.school_name,
        own_school_code=code, expected_on=asked.expected_on, state=NoticeState.SENT, sha256=sealed.sha256,
        created_at=tx.now, document=data,
    )  # fmt: skip
    await store.add(tx, notice, sealed.sealed)
    await exchange.add_delivery(tx, "notice", notice.id, own, to.organisation, tx.now + TRIES_FOR)
    tx.audit("notice.sent", notice.id, after={"to": to.organisation, "sha256": sealed.sha256})
    return await view(tx, notice)


async def answered_by(tx: Transaction, organisation: str, learner: Learner, transfer_id: UUID) -> None:
    """A package came: the notice that asked for this child is answered, and its facts are erased."""
    for notice in await store.waiting_for(tx, organisation):
        if notice.child is not None and notice.child.is_that_of(learner):
            await exchange.cancel_deliveries(tx, notice.id, "notice")
            await store.move(tx, notice, NoticeState.ANSWERED, transfer_id=transfer_id, forget=True)
            tx.audit("notice.answered", notice.id, after={"transfer_id": str(transfer_id)})


# ── the former school ────────────────────────────────────────────────────────────────────────────────────────────────


async def take_notice(
    tx: Transaction, us: Ourselves, organisation: str, speaker: Speaker, notice_id: str, sealed: bytes, sha256: str
) -> Notice:
    """Open, check, keep. Nobody looks into the register here: what we answer cannot depend on it. Raises: Refusal."""
    directory = us.directory(tx.now)
    data = opening.open_sealed(sealed, us.opening, directory, tx.now, organisation, typ=notices.TYP, cty=notices.CTY)
    document = notices.parse(data)
    if document.notice_id != notice_id:
        raise Refusal(Code.IDEMPOTENCY_KEY_MISMATCH, document.notice_id)
    if document.sender.organisation != speaker.organisation:
        raise Refusal(Code.SENDER_MISMATCH, speaker.organisation)
    if document.receiver.organisation != organisation:
        raise Refusal(Code.WRONG_RECEIVER, document.receiver.organisation)
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))", {"key": notice_id})
    before = await store.find(tx, UUID(notice_id))
    if before is not None:
        if (before.direction, before.organisation, before.sha256) != ("in", speaker.organisation, sha256):
            raise Refusal(Code.NOTICE_ID_REUSED, notice_id)
        return before
    asked, asking = document.receiver.school, document.sender.school
    assert asking is not None
    if asked is not None and asked.code not in {one.code for one in directory.organisation(organisation).schools}:
        raise Refusal(Code.NOTICE_INVALID, "receiver.school.code")
    notice = Notice(
        id=UUID(notice_id), direction="in", organisation=speaker.organisation,
        organisation_name=directory.organisation(speaker.organisation).name, school_code=asking.code,
        school_name=asking.name, own_school_code=asked.code if asked else "",
        expected_on=date.fromisoformat(document.accepted_on), state=NoticeState.RECEIVED, sha256=sha256,
        created_at=tx.now, document=data,
    )  # fmt: skip
    await store.add(tx, notice, None)
    tx.audit("notice.received", notice.id, after={"from": speaker.organisation, "sha256": sha256})
    return notice


async def look_for_answer(
    tx: Transaction, actor: Actor, served: Served, notice_id: UUID, organisation: str, *, lock: bool = False
) -> Notice:
    """May a transfer to that organisation answer it? Raises: Refused, Unseen, Conflict, Invalid."""
    notice = await store.get(tx, notice_id, lock=lock)
    policy.may_handle_notice(actor, served, notice).enforce()
    if notice.direction != "in" or notice.organisation != organisation:
        raise Invalid("転出先が、照会してきた組織と違います。", reason="OTHER_ORGANISATION")
    notices.step(notice.state, NoticeState.ANSWERED)
    return notice


async def answer(
    tx: Transaction, actor: Actor, served: Served, notice_id: UUID, organisation: str, transfer_id: UUID, pupil_id: UUID
) -> None:
    """The draft answers the notice; the asker learns of it by the package, if one is ever sent."""
    notice = await look_for_answer(tx, actor, served, notice_id, organisation, lock=True)
    await store.move(tx, notice, NoticeState.ANSWERED, transfer_id=transfer_id, forget=True)
    tx.audit("notice.answered", notice.id, after={"transfer_id": str(transfer_id)}, subject_id=pupil_id)


async def refuse_notice(
    tx: Transaction, actor: Actor, served: Served, notice_id: UUID, reason: str, version: int
) -> NoticeView:
    """対応しない: noted here with the reason, the child's facts erased; the asker is told nothing."""
    if not reason:
        message = "理由を入力してください。"
        raise Invalid(message, [Violation("reason", message)], reason="REASON_MISSING")
    notice = await store.get(tx, notice_id, lock=True)
    policy.may_handle_notice(actor, served, notice).enforce()
    if notice.direction != "in":
        raise Invalid("こちらから知らせた予定です。", reason="DIRECTION")
    if notice.version != version:
        raise Conflict("ほかの人が先に変更しました。画面を開き直してください。", reason="CHANGED_MEANWHILE")
    notice = await store.move(tx, notice, NoticeState.REFUSED, reason=reason, forget=True)
    tx.audit("notice.refused", notice.id, after={"reason": reason})
    return await view(tx, notice)


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def list_notices(
    tx: Transaction, actor: Actor, served: Served, direction: str, state: str, before: UUID | None, limit: int
) -> tuple[list[Notice], bool]:
    codes: list[str] | None = sorted(code for code in served.school_codes if code)
    if served.board and actor.holds("board_admin"):
        codes = None
    size = min(limit or 50, PAGE)
    found = await store.page(tx, direction, state, codes, before, size + 1)
    return found[:size], len(found) > size


async def get_notice(tx: Transaction, actor: Actor, served: Served, notice_id: UUID) -> NoticeView:
    notice = await store.get(tx, notice_id)
    policy.may_handle_notice(actor, served, notice).enforce()
    tx.audit("notice.read", notice.id)
    return await view(tx, notice)


async def view(tx: Transaction, notice: Notice) -> NoticeView:
    history = (await transfers.history(tx, [notice.id]))[notice.id]
    return NoticeView(notice, history, await exchange.open_delivery(tx, notice.id, "notice"))


async def delivered(tx: Transaction, notice_id: UUID) -> None:
    """The other side has it."""
    notice = await store.get(tx, notice_id, lock=True)
    if notice.state == NoticeState.SENT:
        await store.move(tx, notice, NoticeState.RECEIVED)


async def undelivered(tx: Transaction, notice_id: UUID, state: NoticeState, reason: str) -> None:
    """Refused at the door, or given up after 7 days: a person has to look."""
    notice = await store.get(tx, notice_id, lock=True)
    if notice.state == NoticeState.SENT:
        await store.move(tx, notice, state, reason=reason, last_error=reason)
        tx.audit("notice.undelivered", notice.id, after={"state": str(state)})
