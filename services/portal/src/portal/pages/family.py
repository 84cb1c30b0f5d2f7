"""家族・連絡先・住所: shown with their days, changed from a day on; nothing is overwritten."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from komu.common.v1 import common_pb2
from komu.roster.v1 import family_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Violation

from portal import text
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

router = APIRouter(prefix="/roster/pupils/{pupil_id}/family")

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Form(max_length=60)]
Long = Annotated[str, Form(max_length=200)]
CUSTODIES = [
    ("0", "把握していない"), ("1", "共同親権"), ("2", "単独親権"), ("3", "未成年後見人"), ("4", "親権なし"),
]  # fmt: skip
_KINDS = {"guardian": "保護者", "contact": "連絡先", "address": "住所"}


@router.get("")
async def family(
    request: Request, pupil_id: str, user: User, rpc: Calls, q: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """The family; `q` looks for a sibling."""
    return await _page(request, rpc, pupil_id, q=q)


async def _page(
    request: Request, rpc: Rpc, pupil_id: str, *, q: str = "", typed: dict[str, str] | None = None,
    errors: Sequence[Violation] = (), status: int = 200,
) -> Response:  # fmt: skip
    """`typed`: what came back, with `form`, the form (and entry) it belongs to."""
    found = await rpc.roster.GetFamily(pb.GetFamilyRequest(pupil_id=pupil_id))
    people = sorted({one.struck_by for one in found.struck if one.struck_by})
    named = await rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=people)) if people else None
    alike = (
        await rpc.roster.SearchPupils(roster_pb2.SearchPupilsRequest(query=q.strip(), limit=20)) if q.strip() else None
    )
    already = {pupil_id, *(one.id for one in found.siblings)}
    facts = {
        "family": found,
        "child": found.pupil,
        "guardians": [one for one in found.guardians if not one.period.ends_on],
        "former_guardians": [one for one in found.guardians if one.period.ends_on],
        "contacts": [one for one in found.contacts if not one.period.ends_on],
        "former_contacts": [one for one in found.contacts if one.period.ends_on],
        "custodies": CUSTODIES,
        "custody": {int(key): label for key, label in CUSTODIES if key != "0"},
        "kinds": _KINDS,
        "names": {one.person_id: text.full_name(one.names.display) for one in named.people} if named else {},
        "q": q,
        "candidates": [one for one in alike.pupils if one.id not in already] if alike else [],
        "today": today_jst().isoformat(),
        "typed": typed or {"form": ""},
        "errors": errors,
    }
    return view(request, "roster/family.html", facts, title="家族・連絡先・住所", status=status)


async def _changed(
    request: Request, rpc: Rpc, pupil_id: str, typed: dict[str, str], call: Callable[[], Awaitable[Any]], notice: str
) -> Response:
    """Call, and back to the page; the form again where something is wrong with it."""
    try:
        await call()
    except (Invalid, Conflict) as error:
        told = list(error.violations) if isinstance(error, Invalid) else []
        wrong = [Violation(f"{typed['form']}-{one.field}", one.message) for one in told]
        return await _page(
            request, rpc, pupil_id, typed=typed, errors=wrong or [Violation("", error.message)],
            status=409 if isinstance(error, Conflict) else 422,
        )  # fmt: skip
    return redirect(request, f"/roster/pupils/{pupil_id}/family", notice=notice)


@router.post("/guardian")
async def change_guardian(
    request: Request, pupil_id: str, user: User, rpc: Calls, entry: Short = "", family: Short = "", given: Short = "",
    kana_family: Short = "", kana_given: Short = "", relationship: Short = "", rank: Short = "", custody: Short = "0",
    cares: Short = "", phone: Short = "", address: Long = "", on: Short = "", reason: Long = "",
) -> Response:  # fmt: skip
    """保護者, new or changed."""
    guardian = pb.FamilyGuardian(
        id=entry, relationship=relationship, rank=_rank(rank), cares=bool(cares), phone=phone, address=address,
        custody=_custody(custody),
        names=common_pb2.PersonNames(
            display=common_pb2.Name(family=family, given=given),
            kana=common_pb2.Name(family=kana_family, given=kana_given),
        ),
    )  # fmt: skip
    typed = {
        "form": f"guardian-{entry}", "family": family, "given": given, "kana_family": kana_family,
        "kana_given": kana_given, "relationship": relationship, "rank": rank, "custody": custody, "cares": cares,
        "phone": phone, "address": address, "on": on, "reason": reason,
    }  # fmt: skip
    asked = pb.ChangeGuardianRequest(pupil_id=pupil_id, guardian=guardian, on=on, reason=reason)
    return await _changed(
        request, rpc, pupil_id, typed, lambda: rpc.roster.ChangeGuardian(asked), "保護者を登録しました。"
    )


def _rank(typed: str) -> int:
    return int(typed) if typed.isdecimal() and len(typed) < 3 else 0


def _custody(typed: str) -> pb.Custody.ValueType:
    return next((one for one in pb.Custody.values() if one == _rank(typed)), pb.CUSTODY_UNSPECIFIED)


@router.post("/guardian/end")
async def end_guardian(
    request: Request, pupil_id: str, user: User, rpc: Calls, entry: Short = "", last_on: Short = ""
) -> Response:
    """保護者 until a day."""
    asked = pb.EndGuardianRequest(pupil_id=pupil_id, guardian_id=entry, last_on=last_on)
    typed = {"form": f"guardian-{entry}", "last_on": last_on}
    return await _changed(
        request, rpc, pupil_id, typed, lambda: rpc.roster.EndGuardian(asked), "登録を終えました。履歴に残っています。"
    )


@router.post("/contact")
async def change_contact(
    request: Request, pupil_id: str, user: User, rpc: Calls, entry: Short = "", label: Short = "", phone: Short = "",
    note: Long = "", rank: Short = "", on: Short = "", reason: Long = "",
) -> Response:  # fmt: skip
    """連絡先, new or changed."""
    contact = pb.Contact(id=entry, label=label, phone=phone, note=note, rank=_rank(rank))
    asked = pb.ChangeContactRequest(pupil_id=pupil_id, contact=contact, on=on, reason=reason)
    typed = {
        "form": f"contact-{entry}", "label": label, "phone": phone, "note": note, "rank": rank, "on": on,
        "reason": reason,
    }  # fmt: skip
    return await _changed(
        request, rpc, pupil_id, typed, lambda: rpc.roster.ChangeContact(asked), "連絡先を登録しました。"
    )


@router.post("/contact/end")
async def end_contact(
    request: Request, pupil_id: str, user: User, rpc: Calls, entry: Short = "", last_on: Short = ""
) -> Response:
    """連絡先 until a day."""
    asked = pb.EndContactRequest(pupil_id=pupil_id, contact_id=entry, last_on=last_on)
    typed = {"form": f"contact-{entry}", "last_on": last_on}
    return await _changed(
        request, rpc, pupil_id, typed, lambda: rpc.roster.EndContact(asked), "登録を終えました。履歴に残っています。"
    )


@router.post("/address")
async def change_address(
    request: Request, pupil_id: str, user: User, rpc: Calls, postal_code: Short = "", text: Long = "", on: Short = "",
    reason: Long = "",
) -> Response:  # fmt: skip
    """現住所 from a day on."""
    asked = pb.ChangeAddressRequest(pupil_id=pupil_id, postal_code=postal_code, text=text, on=on, reason=reason)
    typed = {"form": "address", "postal_code": postal_code, "text": text, "on": on, "reason": reason}
    return await _changed(
        request, rpc, pupil_id, typed, lambda: rpc.roster.ChangeAddress(asked), "住所を登録しました。"
    )


@router.post("/protection")
async def set_protection(
    request: Request, pupil_id: str, user: User, rpc: Calls, protected: Short = "", protection_reason: Long = ""
) -> Response:
    """支援措置 set or lifted."""
    asked = pb.SetProtectionRequest(pupil_id=pupil_id, protected=bool(protected), reason=protection_reason)
    said = "住所・連絡先を、校長・教頭・事務職員だけに見せます。" if protected else "支援措置の扱いを解きました。"
    typed = {"form": "protection", "reason": protection_reason}
    return await _changed(request, rpc, pupil_id, typed, lambda: rpc.roster.SetProtection(asked), said)


@router.post("/siblings")
async def link_sibling(
    request: Request, pupil_id: str, user: User, rpc: Calls, sibling: Short = "", apart: Short = ""
) -> Response:
    """きょうだい, or not after all."""
    asked = pb.LinkSiblingRequest(pupil_id=pupil_id, sibling_id=sibling, apart=bool(apart))
    said = "きょうだいの登録を外しました。" if apart else "きょうだいとして登録しました。"
    return await _changed(request, rpc, pupil_id, {"form": "siblings"}, lambda: rpc.roster.LinkSibling(asked), said)
