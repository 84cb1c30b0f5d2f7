"""MEXCBT利用申込: the founder applies, the school confirms; each page says who acts next and where at the site."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from jpschool.school_year import school_year_of
from komu.learning.v1 import mexcbt_pb2 as pb
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Unseen, Violation

from portal.mexcbt_words import status as status_of
from portal.mexcbt_words import violations, words
from portal.nav import NavItem
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.typed import Version
from portal.view import redirect, view

router = APIRouter(prefix="/mexcbt")
NAV = [NavItem("MEXCBT利用申込", "/mexcbt", roles={"board_admin", "principal", "vice_principal", "office"}, order=75)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Count = Annotated[int, Form(ge=0, le=999_999_999)]
Line = Annotated[str, Form(max_length=300)]
Day = Annotated[str, Form(max_length=10)]

KINDS = [(1, "公立"), (2, "国立"), (3, "私立")]


@router.get("")
async def overview(request: Request, user: User, rpc: Calls) -> Response:
    """What is next, for the board or for the own school."""
    return await _overview(request, rpc)


async def _overview(request: Request, rpc: Rpc, errors: Sequence[Violation] = (), status: int = 200) -> Response:
    found = await rpc.learning.GetMexcbt(pb.GetMexcbtRequest())
    by_id = {one.id: one for one in found.applications}
    facts = {
        "found": found,
        "by_id": by_id,
        "going": [one for one in found.applications if one.state not in ("removed", "withdrawn")],
        "ended": [one for one in found.applications if one.state in ("removed", "withdrawn")],
        "next_side": {task.application_id: task.side for task in found.tasks if task.application_id},
        "today": today_jst().isoformat(),
        "errors": errors,
    }
    return view(request, "mexcbt/overview.html", words() | facts, title="MEXCBT利用申込", status=status)


@router.get("/founder")
async def founder(request: Request, user: User, rpc: Calls) -> Response:
    """設置者情報."""
    found = await rpc.learning.GetMexcbt(pb.GetMexcbtRequest())
    if not found.of_board:
        raise Unseen
    return _founder_page(request, found.founder, bool(found.founder.notes_read_on))


@router.post("/founder")
async def save_founder(
    request: Request,
    user: User,
    rpc: Calls,
    version: Version,
    kind: Annotated[int, Form(ge=0, le=9)] = 0,
    name: Line = "",
    code: Line = "",
    department: Line = "",
    contact_name: Line = "",
    mail: Line = "",
    phone: Line = "",
    wants_authoring: Annotated[str, Form(max_length=5)] = "",
    applied_before: Annotated[str, Form(max_length=5)] = "",
    notes_read: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Saved as far as it is known; what is missing stays on the list of what to do."""
    typed = pb.MexcbtFounder(
        kind=kind,  # type: ignore[arg-type]
        name=name,
        code=code,
        department=department,
        contact=pb.MexcbtContact(name=contact_name, mail=mail, phone=phone),
        wants_authoring=wants_authoring == "1",
        applied_before=applied_before == "1",
        version=version,
    )
    asked = pb.SaveMexcbtFounderRequest(founder=typed, notes_read=notes_read == "1")
    try:
        await rpc.learning.SaveMexcbtFounder(asked)
    except (Invalid, Conflict) as error:
        return _founder_page(request, typed, notes_read == "1", violations(error), status_of(error))
    return redirect(request, "/mexcbt", notice="設置者情報を保存しました。")


def _founder_page(
    request: Request, typed: Any, notes_read: bool, errors: Sequence[Violation] = (), status: int = 200
) -> Response:
    facts = {"typed": typed, "notes_read": notes_read, "kinds": KINDS, "errors": errors, "unsaved": bool(errors)}
    return view(request, "mexcbt/founder.html", facts, title="設置者情報", status=status)


@router.post("/founder/registered")
async def mark_founder(request: Request, user: User, rpc: Calls, version: Version, on: Day = "") -> Response:
    """The founder was registered at the site on that day; without a day it is taken back."""
    try:
        await rpc.learning.MarkMexcbtFounder(pb.MarkMexcbtFounderRequest(registered_on=on, version=version))
    except (Invalid, Conflict) as error:
        return await _overview(request, rpc, violations(error), status_of(error))
    notice = "設置者の新規登録を記しました。" if on else "設置者の新規登録を取り消しました。"
    return redirect(request, "/mexcbt", notice=notice)


@router.get("/intake")
async def intake(
    request: Request, user: User, rpc: Calls, year: Annotated[int, Query(ge=2000, le=2100)] = 0
) -> Response:
    """受付期間 of this year and the next."""
    found = await rpc.learning.GetMexcbt(pb.GetMexcbtRequest(school_year=year))
    if not found.of_board:
        raise Unseen
    return _intake_page(request, found.intake)


@router.post("/intake")
async def save_intake(
    request: Request,
    user: User,
    rpc: Calls,
    version: Version,
    school_year: Annotated[int, Form(ge=2000, le=2100)],
    opens_on: Day = "",
    closes_on: Day = "",
    source: Line = "",
) -> Response:
    """As the ministry told it."""
    typed = pb.MexcbtIntake(
        school_year=school_year, opens_on=opens_on, closes_on=closes_on, source=source, version=version
    )
    try:
        await rpc.learning.SetMexcbtIntake(pb.SetMexcbtIntakeRequest(intake=typed))
    except (Invalid, Conflict) as error:
        return _intake_page(request, typed, violations(error), status_of(error))
    return redirect(request, "/mexcbt", notice=f"{school_year}年度の受付期間を保存しました。")


def _intake_page(request: Request, typed: Any, errors: Sequence[Violation] = (), status: int = 200) -> Response:
    this_year = school_year_of(today_jst())
    years = [
        (f"{one}年度", f"/mexcbt/intake?year={one}", one == typed.school_year) for one in (this_year, this_year + 1)
    ]
    facts = {"typed": typed, "years": years, "errors": errors, "unsaved": bool(errors)}
    return view(request, "mexcbt/intake.html", facts, title="MEXCBTの受付期間", status=status)


@router.get("/sheets/{number}.csv")
async def sheet(number: Annotated[int, Path(ge=0, le=9)], user: User, rpc: Calls) -> Response:
    """What is to be typed at the site, for a spreadsheet."""
    found = await rpc.learning.GetMexcbtSheets(pb.GetMexcbtSheetsRequest())
    if number >= len(found.sheets):
        raise Unseen
    made = found.sheets[number]
    return _csv(f"MEXCBT_{made.name}.csv", [made.columns, *(row.values for row in made.rows)])


def _csv(name: str, rows: Iterable[Iterable[str]]) -> Response:
    """With BOM, so that a spreadsheet opens it rightly; what it would run as a formula is shown as text."""
    target = io.StringIO()
    lines = ([f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value for value in row] for row in rows)
    csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(lines)
    return Response(
        b"\xef\xbb\xbf" + target.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"},
    )
