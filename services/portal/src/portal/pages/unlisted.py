"""名簿にない児童生徒: on the roll, missing from the roster file; what became of them is decided, and taken back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from komu.roster.v1 import roster_pb2 as pb
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Violation

from portal import text
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

router = APIRouter(prefix="/roster/unlisted")

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
REGISTRARS = ("principal", "vice_principal", "office")
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to decide: its word, what the button says, and which of the fields it asks for."""

    number: pb.UnlistedDecision.ValueType
    word: str
    hint: str
    done: str
    day: str = ""  # label of the day


KINDS = {
    "keep": Kind(
        pb.UNLISTED_DECISION_KEEP, "在籍のまま", "名簿の誤りなど。学級に戻り、この先の名簿になくてもたずねません。",
        "在籍を続けることにしました。",
    ),
    "withdraw": Kind(
        pb.UNLISTED_DECISION_WITHDRAW, "退学", "外国への転出か学齢超過のときだけ。", "退学を登録しました。",
        "校長が退学を認めた日",
    ),
    "graduate": Kind(
        pb.UNLISTED_DECISION_GRADUATE, "卒業", "最終学年だけ。", "卒業を登録しました。", "校長が卒業を認めた日",
    ),
    "whereabouts_unknown": Kind(
        pb.UNLISTED_DECISION_WHEREABOUTS_UNKNOWN, "居所不明", "1年以上のとき。在学しない者として扱います。",
        "居所不明を登録しました。", "在学しない者とした日",
    ),
}  # fmt: skip
GROUNDS = {
    "abroad": (pb.WITHDRAWAL_GROUND_ABROAD, "外国への転出"),
    "over_age": (pb.WITHDRAWAL_GROUND_OVER_AGE, "学齢超過"),
}
_OF_THE_BOARD = ("keep", "whereabouts_unknown")


def _offered(user: SignedIn) -> dict[str, Kind]:
    """The 教育委員会 leaves 退学 and 卒業 to the school; the register says so, too."""
    return KINDS if user.holds(*REGISTRARS) else {key: KINDS[key] for key in _OF_THE_BOARD}


@router.get("")
async def overview(
    request: Request,
    user: User,
    rpc: Calls,
    school: Annotated[str, Query(max_length=40)] = "",
    source: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    """Who is missing, by school and class; `source`: only those whom that file did not list."""
    return await _overview(request, user, rpc, school=school, source=source, after=after)


async def _overview(
    request: Request, user: SignedIn, rpc: Rpc, *, school: str = "", source: str = "", after: str = "",
    errors: Sequence[Violation] = (), status: int = 200,
) -> Response:  # fmt: skip
    asked = pb.ListUnlistedPupilsRequest(school_id=school, import_id=source, after_key=after, limit=_AT_ONCE)
    me, found = await asyncio.gather(rpc.roster.WhoAmI(pb.WhoAmIRequest()), rpc.roster.ListUnlistedPupils(asked))
    query = urlencode({"school": school, "source": source, "after": found.next_key})
    facts = {
        "found": found.pupils,
        "total": found.total,
        "schools": {one.id: one.name for one in me.schools},
        "school": school,
        "source": source,
        "transfers": user.holds(*REGISTRARS),
        "kinds": _offered(user),
        "next_url": f"/roster/unlisted?{query}" if found.next_key else None,
        "errors": errors,
    }
    return view(request, "roster/unlisted.html", facts, title="名簿にない児童生徒", status=status)


@dataclass(frozen=True, slots=True)
class Typed:
    """A decision as typed. `pupils`: `id:version` of each child."""

    pupils: list[str] = field(default_factory=list)
    decision: str = ""
    effective_on: str = ""
    ground: str = ""
    unknown_since: str = ""
    reason: str = ""

    def request(self) -> pb.DecideUnlistedRequest:
        """As the register takes it. Raises: Invalid."""
        chosen = []
        for one in self.pupils:
            pupil_id, _, version = one.partition(":")
            if not version.isdecimal():
                raise Invalid("児童生徒を選び直してください。")
            chosen.append(pb.UnlistedChoice(pupil_id=pupil_id, version=int(version)))
        return pb.DecideUnlistedRequest(
            pupils=chosen,
            decision=KINDS[self.decision].number,
            effective_on=self.effective_on,
            ground=GROUNDS[self.ground][0] if self.ground in GROUNDS else pb.WITHDRAWAL_GROUND_UNSPECIFIED,
            unknown_since=self.unknown_since,
            reason=self.reason,
        )

    def missing(self) -> list[Violation]:
        """Fields that the decision asks for and that are empty."""
        needed = {
            "effective_on": KINDS[self.decision].day,
            "reason": "理由" if self.decision == "keep" else "",
            "ground": "退学の事由" if self.decision == "withdraw" else "",
            "unknown_since": "居所が分からなくなった日" if self.decision == "whereabouts_unknown" else "",
        }
        return [
            Violation(name, f"{label}を入力してください。")
            for name, label in needed.items()
            if label and not str(getattr(self, name)).strip()
        ]


@router.post("/decide")
async def decide(
    request: Request,
    user: User,
    rpc: Calls,
    pupil: Annotated[list[str] | None, Form()] = None,
    decision: Annotated[str, Form(max_length=30)] = "",
    effective_on: Annotated[str, Form(max_length=10)] = "",
    ground: Annotated[str, Form(max_length=20)] = "",
    unknown_since: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
    step: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """First the fields of the decision, then what it would do to each child, then it is done (`step`)."""
    typed = Typed(pupil or [], decision, effective_on, ground, unknown_since, reason)
    if not typed.pupils or decision not in _offered(user):
        said = "児童生徒を選んでください。" if not typed.pupils else "どう扱うかを選んでください。"
        wrong = [Violation("pupil" if not typed.pupils else "decision", said)]
        return await _overview(request, user, rpc, errors=wrong, status=422)
    if not step:
        return await _decide_page(request, rpc, typed)
    missing = typed.missing()
    if missing:
        return await _decide_page(request, rpc, typed, errors=missing, status=422)
    try:
        if step == "preview":
            shown = await rpc.roster.PreviewUnlistedDecision(typed.request())
            return await _decide_page(request, rpc, typed, lines=shown.lines)
        await rpc.roster.DecideUnlisted(typed.request(), timeout=20)
    except (Invalid, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return await _decide_page(request, rpc, typed, errors=_violations(error), status=status)
    return redirect(request, "/roster/unlisted", notice=f"{len(typed.pupils)}人の{KINDS[decision].done}")


async def _decide_page(
    request: Request, rpc: Rpc, typed: Typed, *, lines: Sequence[Any] = (), errors: Sequence[Violation] = (),
    status: int = 200,
) -> Response:  # fmt: skip
    """`lines`: what would happen. Before that the same question without its answers tells who the children are."""
    previewed = bool(lines)
    if not previewed:
        lines = (await rpc.roster.PreviewUnlistedDecision(Typed(typed.pupils, typed.decision).request())).lines
    facts = {
        "typed": typed,
        "kind": KINDS[typed.decision],
        "lines": lines,
        "previewed": previewed,
        "possible": previewed and not any(line.refusal for line in lines),
        "grounds": [("", "選んでください"), *((key, label) for key, (_, label) in GROUNDS.items())],
        "today": today_jst().isoformat(),
        "errors": errors,
    }
    return view(
        request, "roster/unlisted_decide.html", facts, title=f"{KINDS[typed.decision].word}とする", status=status
    )


def _violations(error: Invalid | Conflict) -> list[Violation]:
    return list(error.violations) if isinstance(error, Invalid) and error.violations else [Violation("", error.message)]


@router.get("/decisions")
async def decisions(
    request: Request, user: User, rpc: Calls, before: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """What was decided, newest first."""
    return await _decisions_page(request, user, rpc, before=before)


async def _decisions_page(
    request: Request, user: SignedIn, rpc: Rpc, *, before: str = "", errors: Sequence[Violation] = (), status: int = 200
) -> Response:
    asked = pb.ListUnlistedDecisionsRequest(before_decision_id=before, limit=_AT_ONCE)
    found = await rpc.roster.ListUnlistedDecisions(asked)
    people = sorted({one.decided_by for one in found.decisions if one.decided_by})
    named = await rpc.roster.GetPeopleNames(pb.GetPeopleNamesRequest(person_ids=people)) if people else None
    facts = {
        "decisions": found.decisions,
        "names": {one.person_id: text.full_name(one.names.display) for one in named.people} if named else {},
        "words": {kind.number: kind.word for kind in KINDS.values()},
        "may": {kind.number for kind in _offered(user).values()},
        "next_url": f"/roster/unlisted/decisions?before={found.decisions[-1].id}" if found.more else None,
        "errors": errors,
    }
    return view(request, "roster/unlisted_decisions.html", facts, title="決めた児童生徒", status=status)


@router.post("/decisions/{decision_id}/take-back")
async def take_back(
    request: Request, decision_id: str, user: User, rpc: Calls, reason: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """The child is undecided again; the reason stays with the struck entry."""
    if not reason.strip():
        missing = [Violation(f"reason-{decision_id}", "取り消す理由を入力してください。")]
        return await _decisions_page(request, user, rpc, errors=missing, status=422)
    try:
        await rpc.roster.TakeBackUnlistedDecision(
            pb.TakeBackUnlistedDecisionRequest(decision_id=decision_id, reason=reason)
        )
    except Conflict as error:
        return await _decisions_page(request, user, rpc, errors=_violations(error), status=409)
    return redirect(request, "/roster/unlisted", notice="決定を取り消しました。児童生徒は一覧に戻っています。")
