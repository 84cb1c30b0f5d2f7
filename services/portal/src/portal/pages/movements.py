"""異動の手続き: choose the child and the kind, enter the days, see what follows, enter; corrected and taken back."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from jpschool.school_grade import SchoolGrade
from komu.common.v1 import common_pb2
from komu.roster.v1 import movements_pb2 as mv
from komu.roster.v1 import roster_pb2 as pb
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Violation

from portal.movement_words import ENTRIES, EXITS, KEYS, KINDS, NOTES, Kind
from portal.pages.roster import pupil_page
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.typed import version_of
from portal.view import redirect, view

router = APIRouter(prefix="/roster/movements")

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
_SEXES = {"male": pb.SEX_MALE, "female": pb.SEX_FEMALE, "other": pb.SEX_OTHER}
_NEW = "new"  # in place of a pupil: one the register does not know


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, as typed."""

    pupil: str = ""
    kind: str = ""
    school: str = ""
    version: str = ""
    event: str = ""  # the one that is corrected
    correction_reason: str = ""
    effective_on: str = ""
    accepted_on: str = ""
    left_on: str = ""
    until_on: str = ""
    ground: str = ""
    school_grade: str = ""
    counterpart_name: str = ""
    counterpart_address: str = ""
    reason: str = ""
    family: str = ""
    given: str = ""
    kana_family: str = ""
    kana_given: str = ""
    official_family: str = ""
    official_given: str = ""
    alias_family: str = ""
    alias_given: str = ""
    sex: str = ""
    birth_on: str = ""
    postal_code: str = ""
    address: str = ""
    protected: str = ""
    guardian_family: str = ""
    guardian_given: str = ""
    guardian_kana_family: str = ""
    guardian_kana_given: str = ""
    relationship: str = ""
    phone: str = ""

    @classmethod
    async def read(cls, request: Request) -> "Typed":
        """Out of a posted form; what is longer than any field is cut off."""
        form = await request.form()
        return cls(**{one.name: str(form.get(one.name, ""))[:500] for one in fields(cls)})

    def command(self) -> mv.EnterMovementRequest:
        """As the register takes it."""
        kind = KINDS[self.kind]
        asked = {name: getattr(self, name).strip() for name in kind.labels}
        request = mv.EnterMovementRequest(
            pupil_id="" if self.pupil == _NEW else self.pupil, school_id=self.school if self.kind in ENTRIES else "",
            movement=mv.Movement(kind=kind.number, **asked), version=version_of(self.version),
            corrects_event_id=self.event, correction_reason=self.correction_reason,
        )  # fmt: skip
        if self.pupil == _NEW:
            request.newcomer.CopyFrom(self._newcomer())
        return request

    def names(self) -> common_pb2.PersonNames:
        """The name sets of a newcomer."""
        official = _name(self.official_family, self.official_given)
        return common_pb2.PersonNames(
            display=_name(self.family, self.given), kana=_name(self.kana_family, self.kana_given),
            official=official if official.family else None,
        )  # fmt: skip

    def _newcomer(self) -> mv.Newcomer:
        guardian = pb.Guardian(
            names=common_pb2.PersonNames(
                display=_name(self.guardian_family, self.guardian_given),
                kana=_name(self.guardian_kana_family, self.guardian_kana_given),
            ),
            relationship=self.relationship.strip(), rank=1, phone=self.phone.strip(),
        )  # fmt: skip
        return mv.Newcomer(
            names=self.names(), alias=_name(self.alias_family, self.alias_given),
            sex=_SEXES.get(self.sex, pb.SEX_UNSPECIFIED), birth_on=self.birth_on.strip(),
            postal_code=self.postal_code, address=self.address, protected_address=bool(self.protected),
            guardians=[guardian] if self.guardian_family.strip() else [],
        )  # fmt: skip

    def missing(self) -> list[Violation]:
        """Fields that are needed and empty."""
        kind = KINDS[self.kind]
        needed = {name: label for name, label in kind.labels.items() if name not in kind.optional}
        if self.pupil == _NEW:
            needed |= {
                "family": "姓", "given": "名", "kana_family": "姓のふりがな", "kana_given": "名のふりがな",
                "birth_on": "生年月日",
            }  # fmt: skip
        if self.event:
            needed["correction_reason"] = "訂正の理由"
        return [
            Violation(name, f"{label}を{'選んで' if name in ('ground', 'school_grade') else '入力して'}ください。")
            for name, label in needed.items()
            if not str(getattr(self, name)).strip()
        ]


def _name(family: str, given: str) -> common_pb2.Name:
    return common_pb2.Name(family=family.strip(), given=given.strip())


@router.get("/new")
async def start(
    request: Request,
    user: User,
    rpc: Calls,
    q: Annotated[str, Query(max_length=100)] = "",
    pupil: Annotated[str, Query(max_length=40)] = "",
    kind: Annotated[str, Query(max_length=30)] = "",
    event: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Who, which kind, then the form; `event`: the entry that is corrected."""
    if not pupil:
        return await _who(request, rpc, q)
    typed = Typed(pupil=pupil, kind=kind if kind in KINDS else "", event=event)
    return await _form(request, rpc, typed, fresh=True)


async def _who(request: Request, rpc: Rpc, q: str) -> Response:
    found = []
    if q.strip():
        asked = pb.SearchPupilsRequest(query=q.strip(), include_left=True, limit=30)
        found = (await rpc.roster.SearchPupils(asked)).pupils
    return view(request, "movements/who.html", {"q": q, "found": found, "new": _NEW}, title="異動の手続き")


@router.post("/new")
async def enter(request: Request, user: User, rpc: Calls, step: Annotated[str, Form(max_length=10)] = "") -> Response:
    """`step`: preview shows what would follow, do enters it."""
    typed = await Typed.read(request)
    if typed.kind not in KINDS or not typed.pupil:
        return await _form(request, rpc, typed, errors=[Violation("kind", "異動の種類を選んでください。")], status=422)
    missing = typed.missing()
    if missing:
        return await _form(request, rpc, typed, errors=missing, status=422)
    try:
        if step != "do":
            shown = await rpc.roster.PreviewMovement(typed.command())
            return await _form(request, rpc, typed, shown=shown)
        made = await rpc.roster.EnterMovement(typed.command(), timeout=20)
    except (Invalid, Conflict) as error:
        return await _form(request, rpc, typed, errors=_violations(error), status=_status(error))
    said = f"{KINDS[typed.kind].word}を{'訂正しました。前の記録も残っています。' if typed.event else '入力しました。'}"
    return redirect(request, f"/roster/pupils/{made.pupil_id}", notice=said)


def _violations(error: Invalid | Conflict) -> list[Violation]:
    return list(error.violations) if isinstance(error, Invalid) and error.violations else [Violation("", error.message)]


def _status(error: Invalid | Conflict) -> int:
    return 409 if isinstance(error, Conflict) else 422


async def _form(
    request: Request, rpc: Rpc, typed: Typed, *, fresh: bool = False, shown: Any = None,
    errors: Sequence[Violation] = (), status: int = 200,
) -> Response:  # fmt: skip
    newcomer = typed.pupil == _NEW
    me, found = await asyncio.gather(
        rpc.roster.WhoAmI(pb.WhoAmIRequest()), _nobody() if newcomer else _pupil(rpc, typed.pupil)
    )
    roll = next((one for one in reversed(found.enrolments) if one.state != "ended"), None) if found else None
    if fresh:
        typed = _begun(typed, found, roll, me)
    facts = {
        "typed": typed,
        "newcomer": newcomer,
        "child": found.pupil if found else None,
        "offered": _offered(roll, newcomer=newcomer),
        "kind": KINDS.get(typed.kind),
        "entry": typed.kind in ENTRIES,
        "leaving": roll is not None and roll.state == "leaving",
        "schools": [(one.id, one.name) for one in me.schools],
        "school_grades": [("", "選んでください"), *_school_grades(me.schools)],
        "sexes": [("", "選んでください"), ("male", "男"), ("female", "女"), ("other", "その他")],
        "shown": shown,
        "alike": await _alike(rpc, typed) if newcomer and shown else [],
        "today": today_jst().isoformat(),
        "errors": errors,
    }
    return view(request, "movements/form.html", facts, title=_title(typed), status=status)


def _title(typed: Typed) -> str:
    if typed.kind not in KINDS:
        return "異動の手続き"
    return f"{KINDS[typed.kind].word}を{'訂正' if typed.event else '入力'}する"


def _school_grades(schools: Sequence[Any]) -> list[tuple[str, str]]:
    """学年 of the schools one enters children at."""
    elementary = {one.kind == pb.SCHOOL_KIND_ELEMENTARY for one in schools}
    return [(one.value, one.full_label) for one in SchoolGrade if one.elementary in elementary]


async def _nobody() -> None:
    return None


async def _pupil(rpc: Rpc, pupil_id: str) -> Any:
    return await rpc.roster.GetPupil(pb.GetPupilRequest(pupil_id=pupil_id))


async def _alike(rpc: Rpc, typed: Typed) -> Sequence[Any]:
    """Children on our books who may be the same: entered twice, a child has two histories."""
    asked = pb.MatchPupilRequest(names=typed.names(), birth_on=typed.birth_on)
    return list((await rpc.roster.MatchPupil(asked)).candidates)


def _offered(roll: Any, *, newcomer: bool) -> list[tuple[str, dict[str, Kind]]]:
    """What may have happened to this child, in groups."""
    if newcomer:
        return [("学校に入る", {key: kind for key, kind in ENTRIES.items() if key != "reinstated"})]
    if roll is None:
        return [("ふたたび学校に入る", ENTRIES)]
    return [("学校を離れる", EXITS), ("在籍のまま", NOTES)]


def _begun(typed: Typed, found: Any, roll: Any, me: Any) -> Typed:
    """The form as it opens: the school, the version, and of a correction what stands now."""
    values = asdict(typed) | {"version": str(roll.version) if roll else ""}
    values["school"] = me.schools[0].id if me.schools else ""
    if found and not roll:
        values["school_grade"] = found.pupil.school_grade
    rolls = found.enrolments if found else ()
    place = next(((one, event) for one in rolls for event in one.events if event.id == typed.event), None)
    if place is None:
        return Typed(**values | {"event": ""})
    held, event = place
    ground, _, reason = event.reason.partition("　")
    grounds = {label: key for key, label in KINDS[KEYS[event.kind]].grounds}
    values |= {
        "kind": KEYS[event.kind], "version": str(held.version), "school": held.school_id,
        "effective_on": event.effective_on, "left_on": event.left_on, "until_on": event.until_on,
        "school_grade": event.school_grade, "counterpart_name": event.counterpart_name,
        "counterpart_address": event.counterpart_address, "ground": grounds.get(ground, ""),
        "reason": reason if ground in grounds else event.reason,
        "accepted_on": _next_day(event.effective_on),
    }  # fmt: skip
    return Typed(**values)


def _next_day(text: str) -> str:
    return (date.fromisoformat(text) + timedelta(days=1)).isoformat() if text else ""


@router.post("/{event_id}/take-back")
async def take_back(
    request: Request,
    event_id: str,
    user: User,
    rpc: Calls,
    pupil: Annotated[str, Form(max_length=40)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The entry was a mistake; the reason stays with it."""
    try:
        await rpc.roster.TakeBackMovement(mv.TakeBackMovementRequest(event_id=event_id, reason=reason))
    except (Invalid, Conflict) as error:
        wrong = [Violation(f"reason-{event_id}" if one.field else "", one.message) for one in _violations(error)]
        return await pupil_page(request, user, rpc, pupil, errors=wrong, status=_status(error))
    said = "異動を取り消しました。取り消した記録は「訂正された記録」に残っています。"
    return redirect(request, f"/roster/pupils/{pupil}", notice=said)
