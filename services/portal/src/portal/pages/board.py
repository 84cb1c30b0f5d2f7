"""学校の決まり: what the board decides per school year. The board changes it, 校長 and 教頭 read it.

A form is posted whole; adding, moving and removing a row sends it back unsaved, so it works without scripts.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from jpschool.school_year import school_year_of
from komu.attendance.v1 import attendance_pb2
from komu.grades.v1 import grades_pb2
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from starlette.datastructures import FormData

from portal import text
from portal.nav import NavItem
from portal.rpc import Rpc, if_allowed, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

router = APIRouter(prefix="/board")
NAV = [NavItem("学校の決まり", "/board", roles={"board_admin", "principal", "vice_principal"}, order=80)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Year = Annotated[int, Path(ge=2000, le=2100)]
Version = Annotated[int, Form(ge=0, le=999_999_999)]

_ROW = re.compile(r"(symbols|terms|parts|limits)\.(\d{1,3})\.(\w+)")


@dataclass(frozen=True, slots=True)
class Topic:
    """One tab: what is decided on its own. `turn`: the number that names it where it is copied or undone."""

    key: str
    title: str
    service: str
    state: str
    turn: int


TOPICS = {
    topic.key: topic
    for topic in (
        Topic("symbols", "出欠記号", "attendance", "symbols_state", attendance_pb2.BOARD_TOPIC_SYMBOLS),
        Topic("reasons", "欠席理由", "attendance", "reasons_state", attendance_pb2.BOARD_TOPIC_REASONS),
        Topic("terms", "学期", "grades", "terms_state", grades_pb2.BOARD_RULE_TOPIC_TERMS),
        Topic("report-card", "通知表の構成", "grades", "report_card_state", grades_pb2.BOARD_RULE_TOPIC_REPORT_CARD),
    )
}
USES = [
    (grades_pb2.PART_USE_REQUIRED, "必ず入力"),
    (grades_pb2.PART_USE_OPTIONAL, "入力してもよい"),
    (grades_pb2.PART_USE_UNUSED, "使わない"),
]


@dataclass(frozen=True, slots=True)
class SymbolRow:
    """One line of the table of symbols, as saved or as typed."""

    key: str = ""
    sign: str = ""
    label: str = ""
    category: int = 0
    shortcut: str = ""
    late: bool = False
    early: bool = False
    retired: bool = False


@router.get("")
async def start(request: Request, user: User) -> Response:
    """This year's symbols."""
    return redirect(request, f"/board/{school_year_of(today_jst())}/symbols")


@router.get("/{year}/{topic}")
async def page(request: Request, year: Year, topic: str, user: User, rpc: Calls) -> Response:
    """One topic of a year."""
    return await _page(request, rpc, _topic(topic), year)


@router.post("/{year}/symbols")
async def save_symbols(request: Request, year: Year, user: User, rpc: Calls) -> Response:
    """Save the table, or send it back with a row added, moved or removed."""
    form = await request.form()
    rows = [
        SymbolRow(
            one.get("key", ""),
            one.get("sign", ""),
            one.get("label", ""),
            _number(one.get("category", "")),
            one.get("shortcut", ""),
            "late" in one,
            "early" in one,
            "retired" in one,
        )
        for one in _rows(form, "symbols")
    ]
    done = str(form.get("do", "save"))
    if done != "save":
        rows, focus = rearranged(rows, done)
        return await _page(request, rpc, TOPICS["symbols"], year, {"rows": rows, "focus": focus}, unsaved=True)
    asked = attendance_pb2.SetBoardSymbolsRequest(
        school_year=year,
        version=_number(form.get("version")),
        symbols=[
            attendance_pb2.Symbol(
                key=row.key,
                sign=row.sign,
                label=row.label,
                category=row.category,  # type: ignore[arg-type]
                shortcut=row.shortcut,
                late=row.late,
                early=row.early,
                retired=row.retired,
            )
            for row in rows
        ],
    )
    return await _saved(request, rpc, TOPICS["symbols"], year, rpc.attendance.SetBoardSymbols(asked), {"rows": rows})


@router.post("/{year}/reasons")
async def save_reasons(
    request: Request, year: Year, user: User, rpc: Calls, version: Version, reasons: Annotated[str, Form()] = ""
) -> Response:
    """One reason a line."""
    lines = reasons.splitlines()
    asked = attendance_pb2.SetBoardReasonsRequest(school_year=year, version=version, reasons=lines)
    return await _saved(request, rpc, TOPICS["reasons"], year, rpc.attendance.SetBoardReasons(asked), {"lines": lines})


@router.post("/{year}/terms")
async def save_terms(request: Request, year: Year, user: User, rpc: Calls) -> Response:
    """Names, and the days on which the terms end."""
    form = await request.form()
    typed = [
        grades_pb2.BoardTerm(key=one.get("key", ""), label=one.get("label", ""), ends_on=one.get("ends_on", ""))
        for one in _rows(form, "terms")
    ]
    done = str(form.get("do", "save"))
    if done in ("two", "three"):
        typed = typed[:2] + ([grades_pb2.BoardTerm(key="3", label="3学期")] if done == "three" else [])
        focus = f"f-terms.{len(typed) - 2}.ends_on"
        return await _page(request, rpc, TOPICS["terms"], year, {"typed": typed, "focus": focus}, unsaved=True)
    asked = grades_pb2.SetBoardTermsRequest(school_year=year, version=_number(form.get("version")), terms=typed)
    return await _saved(request, rpc, TOPICS["terms"], year, rpc.grades.SetBoardTerms(asked), {"typed": typed})


@router.post("/{year}/report-card")
async def save_report_card(request: Request, year: Year, user: User, rpc: Calls) -> Response:
    """Parts and lengths."""
    form = await request.form()
    parts = [
        grades_pb2.BoardPart(key=one.get("key", ""), use=_number(one.get("use", "")))  # type: ignore[arg-type]
        for one in _rows(form, "parts")
    ]
    limits = [
        grades_pb2.BoardLimit(
            column=one.get("column", ""),
            guidance_record=one.get("guidance_record") == "1",
            max_characters=_number(one.get("max_characters", "")),
        )
        for one in _rows(form, "limits")
    ]
    asked = grades_pb2.SetBoardReportCardRequest(
        school_year=year, version=_number(form.get("version")), parts=parts, limits=limits
    )
    typed = {
        "uses": {one.key: one.use for one in parts},
        "lengths": {(one.column, one.guidance_record): one.max_characters for one in limits},
    }
    return await _saved(request, rpc, TOPICS["report-card"], year, rpc.grades.SetBoardReportCard(asked), typed)


@router.get("/{year}/{topic}/copy")
async def preview(request: Request, year: Year, topic: str, user: User, rpc: Calls) -> Response:
    """What copying last year's decision would change."""
    return await _page(request, rpc, _topic(topic), year, copying=True)


@router.post("/{year}/{topic}/copy")
async def copy(request: Request, year: Year, topic: str, user: User, rpc: Calls, version: Version) -> Response:
    """Last year's decision becomes this one's."""
    one = _topic(topic)
    call = _turn(rpc, one, "CopyBoardDecision", "CopyBoardRules", year, version)
    return await _saved(request, rpc, one, year, call, notice=f"{year - 1}年度の{one.title}を写しました。")


@router.post("/{year}/{topic}/undo")
async def undo(request: Request, year: Year, topic: str, user: User, rpc: Calls, version: Version) -> Response:
    """The last change is turned back."""
    one = _topic(topic)
    call = _turn(rpc, one, "UndoBoardDecision", "UndoBoardRules", year, version)
    return await _saved(request, rpc, one, year, call, notice=f"{one.title}の直前の変更を取り消しました。")


def _turn(rpc: Rpc, topic: Topic, in_attendance: str, in_grades: str, year: int, version: int) -> Any:
    if topic.service == "attendance":
        asked: Any = attendance_pb2.ChangeBoardDecisionRequest(
            topic=topic.turn,  # type: ignore[arg-type]
            school_year=year,
            version=version,
        )
        return getattr(rpc.attendance, in_attendance)(asked)
    asked = grades_pb2.ChangeBoardRulesRequest(topic=topic.turn, school_year=year, version=version)  # type: ignore[arg-type]
    return getattr(rpc.grades, in_grades)(asked)


async def _saved(
    request: Request,
    rpc: Rpc,
    topic: Topic,
    year: int,
    call: Any,
    typed: dict[str, Any] | None = None,
    *,
    notice: str = "",
) -> Response:
    """Away to the page when it is saved; else the page again, with what was typed and why not."""
    try:
        await call
    except Invalid as invalid:
        errors = invalid.violations or [Violation("", invalid.message)]
        if typed is None:  # the faults are of a decision that is not on the page
            errors = [Violation("", one.message) for one in errors]
        return await _page(request, rpc, topic, year, typed, errors=errors, unsaved=typed is not None, status=422)
    except Conflict as conflict:
        return await _page(
            request, rpc, topic, year, typed, conflict=conflict.message, unsaved=typed is not None, status=409
        )
    notice = notice or f"{year}年度の{topic.title}を保存しました。"
    return redirect(request, f"/board/{year}/{topic.key}", notice=notice)


async def _page(
    request: Request,
    rpc: Rpc,
    topic: Topic,
    year: int,
    typed: dict[str, Any] | None = None,
    *,
    errors: Sequence[Violation] = (),
    conflict: str = "",
    unsaved: bool = False,
    copying: bool = False,
    status: int = 200,
) -> Response:
    found = await (
        rpc.attendance.GetBoardDecisions(attendance_pb2.GetBoardDecisionsRequest(school_year=year))
        if topic.service == "attendance"
        else rpc.grades.GetBoardRules(grades_pb2.GetBoardRulesRequest(school_year=year))
    )
    state = getattr(found, topic.state)
    this_year = school_year_of(today_jst())
    facts = {
        "found": found,
        "state": state,
        "topic": topic,
        "topics": [(one.title, f"/board/{year}/{one.key}", one is topic) for one in TOPICS.values()],
        "years": [
            (f"{one}年度{told}", f"/board/{one}/{topic.key}", one == year)
            for one, told in ((this_year - 1, ""), (this_year, "（今年度）"), (this_year + 1, "（次の年度）"))
        ],
        "year": year,
        "running": year == this_year,
        "may": not state.locked_reason,
        "decided_by": await _name(rpc, state.decided_by),
        "errors": errors,
        "conflict": conflict,
        "unsaved": unsaved,
        "focus": "",
        "here": f"/board/{year}/{topic.key}",
    } | _content(topic, found)
    template = "copy" if copying else topic.key.replace("-", "_")
    title = f"{topic.title}（{year}年度）"
    shown = {} if state.locked_reason else typed or {}  # what cannot be changed shows what stands, whatever was sent
    return view(request, f"board/{template}.html", facts | shown, title=title, status=status)


def _content(topic: Topic, found: Any) -> dict[str, Any]:
    """What stands, in the shape the form posts it."""
    match topic.key:
        case "symbols":
            fields = SymbolRow.__dataclass_fields__
            rows = [SymbolRow(**{name: getattr(one, name) for name in fields}) for one in found.symbols]
            return {"rows": rows, "used": set(found.used), "saved": {row.key: row for row in rows}}
        case "reasons":
            return {"lines": list(found.reasons)}
        case "terms":
            return {"typed": found.terms, "saved": {term.key: term for term in found.terms}}
        case _:
            return {
                "uses": {one.key: one.use for one in found.parts},
                "lengths": {(one.column, one.guidance_record): one.max_characters for one in found.limits},
                "columns": list(dict.fromkeys(one.column for one in found.limits)),
                "use_words": USES,
            }


def rearranged(rows: Sequence[SymbolRow], done: str) -> tuple[list[SymbolRow], str]:
    """The rows after `add`, `up:2`, `down:2` or `remove:2`, and the id of what the keyboard is on then.

    What cannot be done (the first row up) changes nothing.
    """
    changed = [replace(row) for row in rows]
    verb, _, number = done.partition(":")
    at = _number(number)
    if verb == "add":
        return [*changed, SymbolRow()], f"f-symbols.{len(changed)}.sign"
    if verb not in ("up", "down", "remove") or at >= len(changed):
        return changed, ""
    if verb == "remove":
        del changed[at]
        return changed, "add"
    to = at - 1 if verb == "up" else at + 1
    if 0 <= to < len(changed):
        changed[at], changed[to] = changed[to], changed[at]
        return changed, f"{verb}-{to}"
    return changed, f"{verb}-{at}"


def _rows(form: FormData, name: str) -> Iterable[dict[str, str]]:
    """The rows `name.0.…`, `name.1.…` in the order they stand in the form."""
    found: dict[str, dict[str, str]] = {}
    for key, value in form.items():
        matched = _ROW.fullmatch(key)
        if matched and matched[1] == name:
            found.setdefault(matched[2], {})[matched[3]] = str(value)
    return found.values()


def _number(value: Any) -> int:
    """What is no number is 0, which no rule takes for an answer."""
    typed = str(value or "").strip()
    return int(typed) if typed.isdecimal() and len(typed) < 10 else 0


def _topic(key: str) -> Topic:
    """Raises: Unseen."""
    if key not in TOPICS:
        raise Unseen
    return TOPICS[key]


async def _name(rpc: Rpc, person_id: str) -> str:
    if not person_id:
        return ""
    answer = await if_allowed(rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=[person_id])))
    return text.full_name(answer.people[0].names.display) if answer and answer.people else "教育委員会の担当者"
