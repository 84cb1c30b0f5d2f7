"""転入学: the office looks, matches, accepts or refuses. Nothing is visible to a teacher before the acceptance."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen
from servicekit.ids import uuid7

from dataexchange import events, policy
from dataexchange.domain import instants
from dataexchange.domain.commands import Admission
from dataexchange.domain.ourselves import Ourselves, last_of
from dataexchange.domain.package import archive, building, manifest, records
from dataexchange.domain.refusals import Code, Refusal
from dataexchange.domain.states import ArrivalState, arrival_step, check_accepted_on
from dataexchange.domain.transfers import Arrival, ArrivalPart, ArrivalView
from dataexchange.policy import Served
from dataexchange.store import arrivals, exchange, transfers
from dataexchange.usecases.departures import PAGE, TRIES_FOR

# 学校教育法施行規則 28条2項; counted from the child's graduation for 写し received at 転入.
_BASIS: Final[Mapping[str, str]] = {
    "guidance_record_form_1": "卒業の日から20年(様式1の写し)",
    "guidance_record_form_2": "卒業の日から5年(様式2の写し)",
    "guidance_record_copy": "卒業の日から20年(様式1)・5年(様式2)",
    "health_record": "卒業の日から5年(健康診断票 原本)",
    "textbook_certificate": "転入の日から5年(教科用図書給与証明書)",
}
_OTHERWISE: Final = "在学中(転入時に受けた書類)"


def basis_of(part: ArrivalPart) -> str:
    """Under which rule a received document is kept."""
    return _BASIS.get(part.role, _OTHERWISE)


async def list_arrivals(
    tx: Transaction, actor: Actor, served: Served, state: str, before: UUID | None, limit: int
) -> tuple[list[ArrivalView], bool]:
    codes: list[str] | None = sorted(code for code in served.school_codes if code)
    if served.board and actor.holds("board_admin"):
        codes = None
    size = min(limit or 50, PAGE)
    found = await arrivals.page(tx, codes, state, before, size + 1)
    shown = found[:size]
    kept = await arrivals.records(tx, [arrival.id for arrival in shown], ["learner"])
    return [ArrivalView(arrival, learner=kept[arrival.id].get("learner")) for arrival in shown], len(found) > size


async def get_arrival(tx: Transaction, actor: Actor, served: Served, arrival_id: UUID) -> ArrivalView:
    arrival = await arrivals.get(tx, arrival_id)
    if arrival.kind == "return":
        raise Unseen
    policy.may_handle_arrival(actor, served, arrival).enforce()
    tx.audit("arrival.read", arrival.id, information_class=2, subject_id=arrival.pupil_id or arrival.school_id)
    return await view(tx, arrival)


async def view(tx: Transaction, arrival: Arrival) -> ArrivalView:
    kept = (await arrivals.records(tx, [arrival.id], ["learner", "enrolment_history", ""]))[arrival.id]
    return ArrivalView(
        arrival,
        history=(await transfers.history(tx, [arrival.id]))[arrival.id],
        receipts=(await exchange.receipts(tx, [arrival.id]))[arrival.id],
        parts=(await arrivals.parts(tx, [arrival.id]))[arrival.id],
        learner=kept.get("learner"),
        manifest=kept.get(""),
        enrolment_history=kept.get("enrolment_history"),
    )


async def _arrival(tx: Transaction, actor: Actor, served: Served, arrival_id: UUID, version: int) -> Arrival:
    arrival = await arrivals.get(tx, arrival_id, lock=True)
    policy.may_handle_arrival(actor, served, arrival).enforce()
    if arrival.version != version:
        raise Conflict("ほかの人が先に変更しました。画面を開き直してください。", reason="CHANGED_MEANWHILE")
    return arrival


async def match_arrival(
    tx: Transaction, actor: Actor, served: Served, arrival_id: UUID, pupil_id: UUID | None, version: int
) -> ArrivalView:
    """A person decides who it is: one of the register's children, or (pupil_id None) a child new to us."""
    arrival = await _arrival(tx, actor, served, arrival_id, version)
    arrival_step(arrival.state, ArrivalState.MATCHED)
    kept = (await arrivals.records(tx, [arrival.id], ["learner"]))[arrival.id]
    learner = records.parse("learner/1.0", kept["learner"], "record/learner.json")
    assert isinstance(learner, records.Learner)
    matched = pupil_id or UUID(learner.person_id)
    reason = "名簿の児童生徒と照合" if pupil_id else "新しい児童生徒として照合"
    arrival = await arrivals.move(tx, arrival, ArrivalState.MATCHED, reason=reason, matched_pupil_id=matched)
    tx.audit("arrival.matched", arrival.id, after={"pupil_id": str(matched)}, subject_id=matched)
    return await view(tx, arrival)


async def look_for_acceptance(tx: Transaction, actor: Actor, served: Served, admission: Admission) -> ArrivalView:
    """May it be accepted now? Answers with what the register needs to know. Raises: Refused, Unseen, Conflict."""
    arrival = await _arrival(tx, actor, served, admission.arrival_id, admission.version)
    policy.may_admit(actor, served, arrival, admission.school_id).enforce()
    arrival_step(arrival.state, ArrivalState.ACCEPTED)
    assert arrival.left_on is not None
    check_accepted_on(admission.accepted_on, arrival.left_on, day_in_jst(tx.now))
    return await view(tx, arrival)


async def accept_arrival(
    tx: Transaction, actor: Actor, us: Ourselves, served: Served, admission: Admission
) -> ArrivalView:
    """The register has the child; now the papers are ours and the other side is told."""
    arrival = (await look_for_acceptance(tx, actor, served, admission)).arrival
    pupil_id = arrival.matched_pupil_id
    assert pupil_id is not None
    arrival = await arrivals.move(
        tx, arrival, ArrivalState.ACCEPTED, pupil_id=pupil_id, school_id=admission.school_id,
        accepted_on=admission.accepted_on,
    )  # fmt: skip
    await _answer(tx, us, arrival, "accepted", accepted_on=admission.accepted_on.isoformat())
    held = (await arrivals.parts(tx, [arrival.id]))[arrival.id]
    documents = [part for part in held if part.media_type == "application/pdf"]
    basis = {part.path: basis_of(part) for part in documents}
    await arrivals.keep_custody(tx, arrival, documents, pupil_id, basis, admission.accepted_on)
    tx.audit(
        "arrival.accepted", arrival.id, after={"accepted_on": admission.accepted_on.isoformat()}, information_class=2,
        subject_id=pupil_id,
    )  # fmt: skip
    tx.emit(events.arrival_accepted(arrival))
    return await view(tx, arrival)


async def refuse_arrival(
    tx: Transaction, actor: Actor, us: Ourselves, served: Served, arrival_id: UUID, code: str, reason: str, version: int
) -> ArrivalView:
    """Not ours: the child's data is erased here, the other side gets the reason as receipt and as `return` package."""
    if not reason.strip():
        raise Invalid("受け取らない理由を入力してください。", reason="REASON_MISSING")
    if code not in (Code.NOT_OUR_PUPIL, Code.DECLINED):
        code = Code.DECLINED
    arrival = await _arrival(tx, actor, served, arrival_id, version)
    arrival_step(arrival.state, ArrivalState.REFUSED)
    await arrivals.forget_parts(tx, arrival.id)
    arrival = await arrivals.move(tx, arrival, ArrivalState.REFUSED, reason=reason, code=code)
    await _answer(tx, us, arrival, "refused", code=code, text=reason)
    try:
        await _send_back(tx, us, served, arrival, code, reason)
    except Refusal as refusal:
        raise Invalid(f"返送できません。{refusal.say()}", reason=str(refusal.code).upper()) from None
    tx.audit("arrival.refused", arrival.id, after={"code": code, "reason": reason}, subject_id=arrival.school_id)
    return await view(tx, arrival)


async def _answer(
    tx: Transaction, us: Ourselves, arrival: Arrival, kind: str, *, accepted_on: str | None = None,
    code: str | None = None, text: str | None = None,
) -> None:  # fmt: skip
    kept = (await exchange.receipts(tx, [arrival.id]))[arrival.id]
    own = arrival.to_organisation
    try:
        receipt = us.receipt(
            "accepted" if kind == "accepted" else "refused", str(arrival.id), arrival.sha256, by=own,
            to=arrival.from_organisation, before=last_of(kept, own), at=tx.now, accepted_on=accepted_on, code=code,
            text=text,
        )  # fmt: skip
    except Refusal as refusal:
        raise Invalid(f"受領書に署名できません。{refusal.say()}", reason=str(refusal.code).upper()) from None
    await exchange.add_receipt(tx, receipt)
    await exchange.add_delivery(
        tx, "receipt", arrival.id, own, arrival.from_organisation, tx.now + TRIES_FOR, receipt.sha256
    )


async def _send_back(tx: Transaction, us: Ourselves, served: Served, arrival: Arrival, code: str, reason: str) -> None:
    own, directory = arrival.to_organisation, us.directory(tx.now)
    record = records.Reason.model_validate(
        {"schema": "reason/1.0", "code": code, "text": reason, "package_id": str(arrival.id)}
    )
    data = records.to_bytes(record)
    line = manifest.part(
        "record/reason.json", data, role="reason", title="返送の理由", information_class=3, custody="original",
        schema="reason/1.0",
    )  # fmt: skip
    built = building.build(
        [building.Content(line, data)], package_id=uuid7(), transfer_id=arrival.transfer_id, kind="return",
        sender=manifest.Party(organisation=own, name=directory.organisation(own).name),
        receiver=manifest.Party(organisation=arrival.from_organisation, name=arrival.from_organisation_name),
        decided_by=manifest.Decision(office="受入れ担当", name=served.name, at=instants.to_text(tx.now)),
        at=tx.now, signing=us.keys[own].signing_key(tx.now),
    )  # fmt: skip
    sealed = building.seal(built.archive, directory.key_for(arrival.from_organisation, "enc", tx.now))
    await transfers.add_package(tx, built, sealed, transfer_id=arrival.transfer_id, arrival_id=arrival.id)
    package_id = UUID(built.manifest.package_id)
    await exchange.add_delivery(tx, "package", package_id, own, arrival.from_organisation, tx.now + TRIES_FOR)


async def read_part(
    tx: Transaction, actor: Actor, served: Served, arrival_id: UUID, path: str
) -> tuple[ArrivalPart, bytes]:
    """One document, before the acceptance for those who decide. The look is audited."""
    arrival = await arrivals.get(tx, arrival_id)
    policy.may_handle_arrival(actor, served, arrival).enforce()
    return await _part(tx, arrival, path)


async def read_received_part(
    tx: Transaction, actor: Actor, served: Served, school_id: UUID, class_id: UUID | None, arrival_id: UUID, path: str
) -> tuple[ArrivalPart, bytes]:
    """One document that was received with a child of one's own class or school, after the acceptance."""
    arrival = await arrivals.get(tx, arrival_id)
    if arrival.state != ArrivalState.ACCEPTED:
        raise Unseen
    policy.may_read_received(actor, served, school_id, class_id).enforce()
    return await _part(tx, arrival, path)


async def _part(tx: Transaction, arrival: Arrival, path: str) -> tuple[ArrivalPart, bytes]:
    if path in WHOLE:
        part, data = await WHOLE[path](tx, arrival)
    else:
        part, data = await arrivals.part_bytes(tx, arrival.id, path)
    tx.audit(
        "arrival.document.read", arrival.id, after={"path": path}, information_class=part.information_class,
        subject_id=arrival.pupil_id or arrival.school_id,
    )  # fmt: skip
    return part, data


async def _whole_package(tx: Transaction, arrival: Arrival) -> tuple[ArrivalPart, bytes]:
    """The archive as it was signed, byte by byte: anyone can check it with `verify`."""
    entries = await arrivals.all_bytes(tx, arrival.id)
    if not entries:
        raise Unseen
    return _file("package.zip", "application/zip", "パッケージ全体", archive.write(entries))


async def _all_receipts(tx: Transaction, arrival: Arrival) -> tuple[ArrivalPart, bytes]:
    """The chain of receipts, as `verify` reads it."""
    kept = (await exchange.receipts(tx, [arrival.id]))[arrival.id]
    data = json.dumps({"receipts": [receipt.jws for receipt in kept]}, indent=1).encode()
    return _file("receipts.json", "application/json", "受領書", data)


def _file(path: str, media_type: str, title: str, data: bytes) -> tuple[ArrivalPart, bytes]:
    sha256 = hashlib.sha256(data).hexdigest()
    return ArrivalPart(path, media_type, "", title, 1, "copy", sha256, len(data)), data


WHOLE: Final = {"package.zip": _whole_package, "receipts.json": _all_receipts}
"""Names that no part of a package can have, for the package and its receipts as files."""


async def find_accepted(tx: Transaction, actor: Actor, arrival_id: UUID) -> Arrival:
    """The arrival, if it was accepted; its child tells who may read it. Raises: Unseen."""
    del actor
    arrival = await arrivals.get(tx, arrival_id)
    if arrival.state != ArrivalState.ACCEPTED or arrival.pupil_id is None:
        raise Unseen
    return arrival


async def received_documents(
    tx: Transaction, actor: Actor, served: Served, pupil_id: UUID, school_id: UUID, class_id: UUID | None
) -> list[tuple[Arrival, ArrivalPart, str]]:
    """What came with the child from former schools, with the rule under which it is kept."""
    policy.may_read_received(actor, served, school_id, class_id).enforce()
    tx.audit("received_documents.read", pupil_id, information_class=2, subject_id=pupil_id)
    accepted = await arrivals.accepted_of_pupil(tx, pupil_id)
    held = await arrivals.parts(tx, [arrival.id for arrival in accepted])
    return [
        (arrival, part, basis_of(part))
        for arrival in accepted
        for part in held[arrival.id]
        if part.media_type == "application/pdf"
    ]
