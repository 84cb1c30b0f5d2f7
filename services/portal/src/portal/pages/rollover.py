"""年度更新の準備: the coming year as a list of things to decide, what is missing, what would change; publish, undo."""

import asyncio
import csv
import io
import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from komu.common.v1 import common_pb2
from komu.roster.v1 import rollover_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.errors import Conflict, Invalid, Refused, Violation

from portal.nav import NavItem
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.typed import version_of
from portal.view import redirect, view

router = APIRouter(prefix="/rollover")
READERS = {"teacher", "vice_principal", "principal", "office", "board_admin"}
NAV = [NavItem("年度更新の準備", "/rollover", roles=READERS, order=55)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]

STATES = {
    pb.ROLLOVER_STATE_PLANNING: ("準備中", "key"),
    pb.ROLLOVER_STATE_PUBLISHING: ("公開しています", "warn"),
    pb.ROLLOVER_STATE_PUBLISHED: ("公開済み", "good"),
    pb.ROLLOVER_STATE_UNDONE: ("公開を取り消しました", "warn"),
}
EDITABLE = (pb.ROLLOVER_STATE_PLANNING, pb.ROLLOVER_STATE_UNDONE)
OUTCOMES = {
    "promoted": "進級",
    "retained": "原級留置",
    "graduates": "卒業",
    "enters": "新入学",
    "leaves": "転出の手続き中",
    "unknown": "学年がわからない",
}
PARTS = {"classes": "新しい学級と担任"} | OUTCOMES
NUMBER_ORDERS = [("mixed", "五十音順（男女混合）"), ("boys_first", "男子が先"), ("girls_first", "女子が先")]
CERTIFICATE_ORDERS = [("class", "学級と出席番号の順"), ("gojuon", "五十音順")]
SEXES = {"男": roster_pb2.SEX_MALE, "女": roster_pb2.SEX_FEMALE, "その他": roster_pb2.SEX_OTHER}
_LIVE = (common_pb2.JOB_STATE_WAITING, common_pb2.JOB_STATE_RUNNING)
_LINE = re.compile(r"[ \u3000]+")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@router.get("")
async def start(request: Request, user: User, rpc: Calls) -> Response:
    """Schools of the person, their rehearsals, and the year one may be opened for."""
    me = await rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest())
    asked = [rpc.roster.ListRollovers(pb.ListRolloversRequest(school_id=one.id)) for one in me.schools]
    found = await asyncio.gather(*asked)
    facts = {
        "schools": [
            (school, listed, not any(one.school_year == listed.coming_year for one in listed.rollovers))
            for school, listed in zip(me.schools, found, strict=True)
        ],
        "states": STATES,
        "plans": user.holds("principal", "vice_principal", "office"),
    }
    return view(request, "rollover/start.html", facts, title="年度更新の準備")


@router.post("")
async def open_rollover(
    request: Request,
    user: User,
    rpc: Calls,
    school_id: Annotated[str, Form(max_length=40)],
    school_year: Annotated[int, Form(ge=2000, le=2199)],
) -> Response:
    """Begin, or go to the one that is there."""
    made = await rpc.roster.OpenRollover(pb.OpenRolloverRequest(school_id=school_id, school_year=school_year))
    return redirect(request, f"/rollover/{made.id}", notice=f"{school_year}年度の準備を始めました。")


@router.get("/{rollover_id}")
async def overview(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """What is decided and what is missing."""
    return await _overview(request, rpc, rollover_id)


async def _overview(
    request: Request, rpc: Rpc, rollover_id: str, *, errors: Sequence[Violation] = (), status: int = 200
) -> Response:
    found = await rpc.roster.GetRollover(pb.RolloverRequest(rollover_id=rollover_id))
    special = [one for one in found.classes if not one.school_grade]
    facts = {
        "found": found,
        "plan": found.rollover,
        "state": STATES[found.rollover.state],
        "editable": found.rollover.state in EDITABLE,
        "published": found.rollover.state == pb.ROLLOVER_STATE_PUBLISHED,
        "boards": [
            (each, [one for one in found.classes if one.school_grade == each], each in found.own_school_grades)
            for each in found.school_grades
        ],
        "special": special,
        "blocking": [gap for gap in found.gaps if gap.blocking],
        "hints": [gap for gap in found.gaps if not gap.blocking],
        "outcomes": [(word, found.counts[key]) for key, word in OUTCOMES.items() if found.counts.get(key)],
        "number_orders": NUMBER_ORDERS,
        "job": found.job if found.HasField("job") else None,
        "live": found.HasField("job") and found.job.state in _LIVE,
        "failed": found.HasField("job") and found.job.state == common_pb2.JOB_STATE_FAILED,
        "errors": errors,
    }
    title = f"{found.rollover.school_year}年度の準備"
    return view(request, "rollover/overview.html", facts, title=title, status=status)


@router.get("/{rollover_id}/progress")
async def progress(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """The bar while it is published; afterwards the page as a whole."""
    found = await rpc.roster.GetRollover(pb.RolloverRequest(rollover_id=rollover_id))
    if not found.HasField("job") or found.job.state not in _LIVE:
        return redirect(request, f"/rollover/{rollover_id}")
    facts = {"job": found.job, "plan": found.rollover}
    return view(request, "rollover/progress.html", facts, title="公開", fragment="bar")


async def _act(request: Request, rpc: Rpc, rollover_id: str, call: Any, notice: str) -> Response:
    """A step of the overview: what is refused is told there."""
    try:
        await call
    except (Refused, Conflict, Invalid) as refused:
        status = 409 if isinstance(refused, Conflict) else 422
        return await _overview(request, rpc, rollover_id, errors=[Violation("", refused.message)], status=status)
    return redirect(request, f"/rollover/{rollover_id}", notice=notice)


@router.post("/{rollover_id}/refresh")
async def refresh(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """名簿に合わせる."""
    reply = await rpc.roster.RefreshRollover(pb.RolloverRequest(rollover_id=rollover_id))
    said = f"名簿に合わせました（増えた人 {reply.came}人、外れた人 {reply.went}人）。"
    return redirect(request, f"/rollover/{rollover_id}", notice=said)


@router.post("/{rollover_id}/numbers")
async def number(
    request: Request, rollover_id: str, user: User, rpc: Calls, order: Annotated[str, Form(max_length=20)]
) -> Response:
    """出席番号を付ける."""
    call = rpc.roster.NumberRollover(pb.NumberRolloverRequest(rollover_id=rollover_id, order=order))
    return await _act(request, rpc, rollover_id, call, "出席番号を付けました。")


@router.post("/{rollover_id}/publish")
async def publish(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """公開する."""
    call = rpc.roster.PublishRollover(pb.RolloverRequest(rollover_id=rollover_id))
    return await _act(request, rpc, rollover_id, call, "公開を始めました。")


@router.post("/{rollover_id}/undo")
async def undo(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """公開を取り消す."""
    call = rpc.roster.UndoRollover(pb.RolloverRequest(rollover_id=rollover_id), timeout=30)
    return await _act(request, rpc, rollover_id, call, "公開を取り消し、名簿を元に戻しました。")


@router.post("/{rollover_id}/discard")
async def discard(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """準備を取りやめる."""
    await rpc.roster.DiscardRollover(pb.RolloverRequest(rollover_id=rollover_id))
    return redirect(request, "/rollover", notice="準備を取りやめました。名簿は変わっていません。")


@router.get("/{rollover_id}/diff")
async def diff(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """公開すると変わること, with names."""
    found = await rpc.roster.GetRolloverDiff(pb.RolloverRequest(rollover_id=rollover_id))
    facts = {"plan": found.rollover, "parts": [(PARTS[part.kind], part) for part in found.parts]}
    title = "公開すると変わること" if found.rollover.state in EDITABLE else "公開で変わったこと"
    return view(request, "rollover/diff.html", facts, title=title)


# --- 学級と担任 ----------------------------------------------------------------------------------------


@router.get("/{rollover_id}/classes")
async def classes(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """Classes of every 学年 and their 担任."""
    return await _classes(request, rpc, rollover_id)


async def _classes(
    request: Request, rpc: Rpc, rollover_id: str, *, errors: Sequence[Violation] = (), status: int = 200
) -> Response:
    found = await rpc.roster.GetRollover(pb.RolloverRequest(rollover_id=rollover_id))
    asked = roster_pb2.ListStaffRequest(school_id=found.rollover.school_id)
    staff = await rpc.roster.ListStaff(asked)
    names = [
        (one.name.staff_id, f"{one.name.names.display.family}\u3000{one.name.names.display.given}")
        for one in staff.staff
    ]
    listed = {key for key, _ in names}
    gone = {
        (one.homeroom_staff_id, one.homeroom_name)
        for one in found.classes
        if one.homeroom_staff_id and one.homeroom_staff_id not in listed
    }
    facts = {
        "plan": found.rollover,
        "editable": found.rollover.state in EDITABLE and found.whole_school,
        "classes": found.classes,
        "rows": [
            (each, "、".join(one.name for one in found.classes if one.school_grade == each))
            for each in (*found.school_grades, "")
        ],
        "staff": [("", "決めていない"), *names, *sorted(gone)],
        "errors": errors,
    }
    return view(request, "rollover/classes.html", facts, title="学級と担任", status=status)


@router.post("/{rollover_id}/classes")
async def set_classes(
    request: Request,
    rollover_id: str,
    user: User,
    rpc: Calls,
    school_grade: Annotated[str, Form(max_length=2)] = "",
    names: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Names of a 学年, separated by 読点 or commas."""
    listed = [name.strip() for name in re.split("[、,，\n]", names) if name.strip()]
    asked = pb.SetRolloverClassesRequest(rollover_id=rollover_id, school_grade=school_grade, names=listed)
    try:
        await rpc.roster.SetRolloverClasses(asked)
    except (Invalid, Conflict) as wrong:
        told = [Violation(f"names-{school_grade}", wrong.message)]
        return await _classes(request, rpc, rollover_id, errors=told, status=422)
    return redirect(request, f"/rollover/{rollover_id}/classes", notice="学級を決めました。")


@router.post("/{rollover_id}/teachers")
async def set_teachers(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """担任 of all classes; only what was changed is sent, each with the version the page showed."""
    form = await request.form()
    wrong = []
    for key, value in form.multi_items():
        kind, _, class_id = key.partition("-")
        if kind != "staff" or str(value) == str(form.get(f"was-{class_id}", "")):
            continue
        asked = pb.SetRolloverTeacherRequest(
            rollover_id=rollover_id, class_id=class_id, staff_id=str(value),
            version=version_of(form.get(f"version-{class_id}", "")),
        )  # fmt: skip
        try:
            await rpc.roster.SetRolloverTeacher(asked)
        except (Invalid, Conflict) as refused:
            wrong.append(Violation(key, refused.message))
    if wrong:
        return await _classes(request, rpc, rollover_id, errors=wrong, status=409)
    return redirect(request, f"/rollover/{rollover_id}/classes", notice="担任を決めました。")


# --- 新入学と卒業 ---------------------------------------------------------------------------------------


@router.get("/{rollover_id}/entrants")
async def entrants(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """新入学の児童生徒."""
    return await _entrants(request, rpc, rollover_id)


async def _entrants(
    request: Request, rpc: Rpc, rollover_id: str, *, typed: str = "", errors: Sequence[Violation] = (),
    status: int = 200,
) -> Response:  # fmt: skip
    found = await rpc.roster.GetRollover(pb.RolloverRequest(rollover_id=rollover_id))
    first = found.school_grades[0]
    board = await rpc.roster.GetRolloverBoard(pb.GetRolloverBoardRequest(rollover_id=rollover_id, school_grade=first))
    facts = {
        "plan": found.rollover,
        "editable": found.rollover.state in EDITABLE and found.whole_school,
        "pupils": [one for one in board.pupils if one.outcome == pb.ROLLOVER_OUTCOME_ENTERS],
        "class_names": {one.id: one.name for one in board.classes},
        "typed": typed,
        "errors": errors,
    }
    return view(request, "rollover/entrants.html", facts, title="新入学", status=status)


@router.post("/{rollover_id}/entrants")
async def add_entrants(
    request: Request,
    rollover_id: str,
    user: User,
    rpc: Calls,
    lines: Annotated[str, Form(max_length=40_000)] = "",
) -> Response:
    """A child a line, as copied from a spreadsheet."""
    try:
        asked = pb.AddRolloverEntrantsRequest(rollover_id=rollover_id, entrants=read_entrants(lines))
        reply = await rpc.roster.AddRolloverEntrants(asked)
    except (Invalid, Conflict) as wrong:
        told = [Violation("lines", one.message) for one in getattr(wrong, "violations", ())]
        told = told or [Violation("lines", wrong.message)]
        return await _entrants(request, rpc, rollover_id, typed=lines, errors=told, status=422)
    known = f"（うち{reply.known}人は名簿にいる児童生徒）" if reply.known else ""
    return redirect(request, f"/rollover/{rollover_id}/entrants", notice=f"{reply.added}人を加えました{known}。")


def read_entrants(typed: str) -> list[pb.RolloverEntrant]:
    """姓・名・セイ・メイ・性別・生年月日, by tabs (a spreadsheet), commas or spaces. Raises Invalid with the line."""
    found, wrong = [], []
    for place, line in enumerate(typed.splitlines(), 1):
        if not line.strip():
            continue
        mark = next((sign for sign in "\t,，、" if sign in line), None)
        parts = next(csv.reader(io.StringIO(line), delimiter=mark)) if mark else _LINE.split(line.strip())
        parts = [part.strip() for part in parts]
        day = _DAY.fullmatch(parts[5]) if len(parts) == 6 else None
        if day is None or parts[4] not in ("", *SEXES):
            said = f"{place}行目：姓、名、セイ、メイ、性別（男・女）、生年月日（2020-04-02）の順に入力してください。"
            wrong.append(Violation("lines", said))
            continue
        born = f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}"
        found.append(
            pb.RolloverEntrant(
                family=parts[0], given=parts[1], kana_family=parts[2], kana_given=parts[3],
                sex=SEXES.get(parts[4], roster_pb2.SEX_UNSPECIFIED), birth_on=born,
            )
        )  # fmt: skip
    if not found and not wrong:
        wrong.append(Violation("lines", "新入学の児童生徒を、一行に一人ずつ入力してください。"))
    if wrong:
        raise Invalid(wrong[0].message, wrong)
    return found


@router.post("/{rollover_id}/entrants/{pupil_id}/remove")
async def remove_entrant(request: Request, rollover_id: str, pupil_id: str, user: User, rpc: Calls) -> Response:
    """A child that does not come."""
    await rpc.roster.RemoveRolloverEntrant(pb.RemoveRolloverEntrantRequest(rollover_id=rollover_id, pupil_id=pupil_id))
    return redirect(request, f"/rollover/{rollover_id}/entrants", notice="新入学から外しました。")


@router.get("/{rollover_id}/graduation")
async def graduation(request: Request, rollover_id: str, user: User, rpc: Calls) -> Response:
    """卒業 with 証書番号."""
    return await _graduation(request, rpc, rollover_id)


async def _graduation(
    request: Request, rpc: Rpc, rollover_id: str, *, errors: Sequence[Violation] = (), status: int = 200
) -> Response:
    board = await rpc.roster.GetRolloverBoard(pb.GetRolloverBoardRequest(rollover_id=rollover_id))
    plan = board.rollover
    facts = {
        "plan": plan,
        "editable": plan.state in EDITABLE,
        "pupils": sorted(board.pupils, key=lambda one: (one.certificate, one.from_class, one.from_number)),
        "orders": CERTIFICATE_ORDERS,
        "errors": errors,
    }
    return view(request, "rollover/graduation.html", facts, title="卒業", status=status)


@router.post("/{rollover_id}/graduation")
async def set_graduation(
    request: Request,
    rollover_id: str,
    user: User,
    rpc: Calls,
    certificate_from: Annotated[int, Form(ge=0, le=99_999_999)] = 0,
    order: Annotated[str, Form(max_length=10)] = "class",
    graduated_on: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """証書番号を付ける."""
    asked = pb.SetRolloverGraduationRequest(
        rollover_id=rollover_id, certificate_from=certificate_from, order=order, graduated_on=graduated_on
    )
    try:
        await rpc.roster.SetRolloverGraduation(asked)
    except Invalid as wrong:
        told = list(wrong.violations)
        return await _graduation(request, rpc, rollover_id, errors=told, status=422)
    return redirect(request, f"/rollover/{rollover_id}/graduation", notice="証書番号を付けました。")


@router.post("/{rollover_id}/graduation/{pupil_id}/retain")
async def retain(request: Request, rollover_id: str, pupil_id: str, user: User, rpc: Calls) -> Response:
    """原級留置 of a child of the last 学年: it goes to the board of that 学年."""
    board = await rpc.roster.GetRolloverBoard(pb.GetRolloverBoardRequest(rollover_id=rollover_id))
    here = next((one for one in board.pupils if one.id == pupil_id), None)
    if here is None:
        raise Conflict("卒業する児童生徒の中に見つかりません。画面を開き直してください。")
    await rpc.roster.SetRolloverPupil(
        pb.SetRolloverPupilRequest(
            rollover_id=rollover_id, pupil_id=pupil_id, version=here.version, care=here.care, band=here.band,
            outcome=pb.ROLLOVER_OUTCOME_RETAINED,
        )
    )  # fmt: skip
    return redirect(request, f"/rollover/{rollover_id}/graduation", notice=f"{here.name}を原級留置にしました。")
