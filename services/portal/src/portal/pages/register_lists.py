"""在籍者数, 異動一覧, 転入簿・転出簿, 居所不明者一覧: on the screen, on paper, for Excel."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from jpschool.days import read_day
from jpschool.school_year import first_day, school_year_of
from jpschool.wareki import wareki
from komu.roster.v1 import movements_pb2 as mv
from komu.roster.v1 import roster_pb2 as pb
from servicekit.clock import today_jst
from servicekit.errors import Invalid, Violation

from portal import text
from portal.roster_words import EVENTS, SEXES
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.spreadsheet import Cell, download
from portal.view import view

router = APIRouter(prefix="/roster")

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Query(max_length=40)]
_AT_ONCE = 100
_IN_A_FILE = 1000
_ENTRIES = (
    pb.ENROLMENT_EVENT_KIND_ADMITTED_FROM_ABROAD, pb.ENROLMENT_EVENT_KIND_TRANSFERRED_IN,
    pb.ENROLMENT_EVENT_KIND_REINSTATED,
)  # fmt: skip
_EXITS = (
    pb.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT, pb.ENROLMENT_EVENT_KIND_WITHDRAWN, pb.ENROLMENT_EVENT_KIND_DEFERRED,
    pb.ENROLMENT_EVENT_KIND_NOT_ENROLLED,
)  # fmt: skip
_ABSENT = (pb.ENROLMENT_EVENT_KIND_NOT_ENROLLED, pb.ENROLMENT_EVENT_KIND_DEFERRED)
_COLUMNS = (
    "年月日", "異動", "学年", "学級", "番号", "氏名", "ふりがな", "性別", "生年月日", "保護者", "相手の学校など",
    "所在地", "去った日・不明となった日", "事由",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Book:
    """One of the lists."""

    name: str
    kinds: tuple[pb.EnrolmentEventKind.ValueType, ...]
    sub: str
    last_only: bool = False  # who came back stands on it no more


BOOKS = {
    "all": Book(
        "異動一覧", (*_ENTRIES, *_EXITS, pb.ENROLMENT_EVENT_KIND_OUT_OF_DISTRICT),
        "入学と卒業のほかの、すべての異動です。",
    ),
    "in": Book("転入簿", _ENTRIES, "転入学・編入学・復籍です。"),
    "out": Book("転出簿", _EXITS, "転学・退学・就学猶予・免除・居所不明です。"),
    "year": Book(
        "入学・卒業", (pb.ENROLMENT_EVENT_KIND_ADMITTED, pb.ENROLMENT_EVENT_KIND_GRADUATED), "入学と卒業です。"
    ),
    "absent": Book(
        "在学しない者", _ABSENT,
        "居所不明・就学猶予・免除のうち、まだ戻っていない人です。学校基本調査の不就学学齢児童生徒の基になります。",
        last_only=True,
    ),
}  # fmt: skip


@router.get("/movements")
async def movements(
    request: Request, user: User, rpc: Calls, book: Short = "all", school: Short = "", since: Short = "",
    until: Short = "", after: Annotated[str, Query(max_length=100)] = "",
) -> Response:  # fmt: skip
    """One of the lists over a period; without a period the school year so far, of those absent everybody."""
    chosen = BOOKS.get(book, BOOKS["all"])
    asked, errors = _asked(chosen, school, since, until)
    me, found = await asyncio.gather(rpc.roster.WhoAmI(pb.WhoAmIRequest()), _page(rpc, asked, after, errors))
    query = {"book": book, "school": school, "since": asked.from_on, "until": asked.to_on}
    facts = {
        "book": book,
        "chosen": chosen,
        "tabs": [
            (one.name, f"/roster/movements?{urlencode({'book': key, 'school': school})}", one is chosen)
            for key, one in BOOKS.items()
        ],
        "lines": [_line(one) for one in found.entries] if found else [],
        "entries": found.entries if found else [],
        "events": EVENTS,
        "schools": {one.id: one.name for one in me.schools},
        "school": school,
        "school_options": [("", "すべての学校"), *((one.id, one.name) for one in me.schools)],
        "since": asked.from_on,
        "until": asked.to_on,
        "file": f"/roster/movements/file?{urlencode(query)}",
        "next_url": f"/roster/movements?{urlencode(query | {'after': found.next_key})}"
        if found and found.next_key
        else None,
        "errors": errors,
    }
    return view(request, "movements/list.html", facts, title=chosen.name, status=422 if errors else 200)


def _asked(book: Book, school: str, since: str, until: str) -> tuple[mv.ListMovementsRequest, list[Violation]]:
    today = today_jst()
    errors = [
        Violation(name, "日付を「2026-11-21」の形で入力してください。")
        for name, value in (("since", since), ("until", until))
        if value and not _a_day(value)
    ]
    if not errors and since and until and since > until:
        errors = [Violation("until", "終わりの日は、始めの日以後にしてください。")]
    usual = "" if book.last_only else first_day(school_year_of(today)).isoformat()
    return (
        mv.ListMovementsRequest(
            school_id=school, kinds=book.kinds, from_on=since or usual, to_on=until, last_only=book.last_only
        ),
        errors,
    )


def _a_day(value: str) -> date | None:
    try:
        return read_day(value)
    except ValueError:
        return None


async def _page(rpc: Rpc, asked: mv.ListMovementsRequest, after: str, errors: Sequence[Violation]) -> Any:
    if errors:
        return None
    asked.after_key, asked.limit = after, _AT_ONCE
    return await rpc.roster.ListMovements(asked)


def _line(entry: Any) -> list[Cell]:
    pupil, event = entry.pupil, entry.event
    return [
        event.effective_on, EVENTS.get(event.kind, ""), text.school_grade(event.school_grade), entry.class_name,
        entry.number or None, text.full_name(pupil.names.display), text.full_name(pupil.names.kana),
        SEXES.get(pupil.sex, ""), pupil.birth_on, entry.guardian_name, event.counterpart_name,
        event.counterpart_address, event.left_on,
        event.reason + (f"（{event.until_on}まで）" if event.until_on else ""),
    ]  # fmt: skip


@router.get("/movements/file")
async def movements_file(
    user: User, rpc: Calls, book: Short = "all", school: Short = "", since: Short = "", until: Short = "",
    form: Short = "xlsx",
) -> Response:  # fmt: skip
    """The whole list, not only a page of it."""
    chosen = BOOKS.get(book, BOOKS["all"])
    asked, errors = _asked(chosen, school, since, until)
    if errors:
        raise Invalid(errors[0].message, errors)
    rows = [_line(entry) async for entry in _whole(rpc, asked)]
    period = f"{asked.from_on or '…'}から{asked.to_on or today_jst().isoformat()}まで"
    return download(chosen.name, form, f"{chosen.name}　{period}", _COLUMNS, rows)


async def _whole(rpc: Rpc, asked: mv.ListMovementsRequest) -> AsyncIterator[Any]:
    asked.limit = _IN_A_FILE
    while True:
        found = await rpc.roster.ListMovements(asked)
        for entry in found.entries:
            yield entry
        if not found.next_key:
            return
        asked.after_key = found.next_key


@router.get("/classes/{class_id}/file")
async def class_file(class_id: str, user: User, rpc: Calls, on: Short = "", form: Short = "xlsx") -> Response:
    """The class list of a day."""
    found = await rpc.roster.GetClassRoster(pb.GetClassRosterRequest(class_id=class_id, on=on))
    name = getattr(found, "class").name
    rows: list[list[Cell]] = [
        [
            one.pupil.number or None, text.full_name(one.pupil.names.display), text.full_name(one.pupil.names.kana),
            SEXES.get(one.pupil.sex, ""), text.school_grade(one.pupil.school_grade),
        ]
        for one in found.entries
    ]  # fmt: skip
    day = wareki(read_day(on) if on else today_jst())
    title = f"{found.school.name}　{name}　名簿　{day}現在"
    return download(f"{name}名簿", form, title, ("番号", "氏名", "ふりがな", "性別", "学年"), rows)


# --- 在籍者数 ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Row:
    """Children of a class, a 学年 or a school, by sex."""

    label: str
    class_id: str = ""
    male: int = 0
    female: int = 0
    other: int = 0
    kind: str = "class"  # class | special | none | total

    def add(self, count: Any) -> None:
        match count.sex:
            case pb.SEX_MALE:
                self.male += count.number
            case pb.SEX_FEMALE:
                self.female += count.number
            case _:
                self.other += count.number

    @property
    def whole(self) -> int:
        return self.male + self.female + self.other


@router.get("/counts")
async def counts(request: Request, user: User, rpc: Calls, school: Short = "", on: Short = "") -> Response:
    """在籍者数 of a day by 学年, class and sex; 5月1日 is one press away."""
    wrong = bool(on) and _a_day(on) is None
    me = await rpc.roster.WhoAmI(pb.WhoAmIRequest())
    here = next((one for one in me.schools if one.id == school), me.schools[0] if me.schools else None)
    day = today_jst() if wrong or not on else read_day(on)
    found = await rpc.roster.CountEnrolled(
        mv.CountEnrolledRequest(school_id=here.id if here else "", on=day.isoformat())
    )
    year = school_year_of(today_jst())
    fifth = [date(one, 5, 1) for one in (year, year - 1)]
    facts = {
        "school": here,
        "school_options": [(one.id, one.name) for one in me.schools],
        "on": day.isoformat(),
        "on_words": wareki(day),
        "sections": sections(found.counts),
        "total": _total(found.counts, "合計"),
        "may_firsts": [(f"{one.year}年5月1日", f"/roster/counts?{_query(here, one)}") for one in fifth],
        "file": f"/roster/counts/file?{_query(here, day)}",
        "whole": f"/roster/counts/file?{urlencode({'on': day.isoformat(), 'all': '1'})}",
        "errors": [Violation("on", "日付を「2026-11-21」の形で入力してください。")] if wrong else [],
    }
    return view(request, "movements/counts.html", facts, title="在籍者数", status=422 if wrong else 200)


def _query(school: Any, on: date) -> str:
    return urlencode({"school": school.id if school else "", "on": on.isoformat()})


def sections(counts: Sequence[Any]) -> list[tuple[str, list[Row], Row]]:
    """Per 学年: its classes, 特別支援学級 and who has no class, and the sum of the 学年."""
    found: dict[str, dict[str, Row]] = {}
    for count in counts:
        rows = found.setdefault(count.school_grade, {})
        kind = (
            "special" if count.class_kind == pb.CLASS_KIND_SPECIAL_NEEDS else "class" if count.class_id else "none"
        )
        row = rows.setdefault(count.class_id, Row(count.class_name or "学級未定", count.class_id, kind=kind))
        row.add(count)
    order = {"class": 0, "special": 1, "none": 2}
    return [
        (
            text.school_grade(key) or "学年なし",
            sorted(rows.values(), key=lambda row: (order[row.kind], row.label)),
            _total([one for one in counts if one.school_grade == key], "学年の計"),
        )
        for key, rows in sorted(found.items(), key=lambda item: ("PJ".find(item[0][:1]), item[0]))
    ]


def _total(counts: Sequence[Any], label: str) -> Row:
    row = Row(label, kind="total")
    for count in counts:
        row.add(count)
    return row


@router.get("/counts/file")
async def counts_file(
    user: User, rpc: Calls, school: Short = "", on: Short = "", form: Short = "xlsx", all: Short = ""
) -> Response:
    """The same for Excel, one line per class; `all`: every school one sees."""
    found = await rpc.roster.CountEnrolled(mv.CountEnrolledRequest(school_id="" if all else school, on=on), timeout=20)
    names = {one.id: one.name for one in found.schools}
    kinds = {"class": "通常の学級", "special": "特別支援学級", "none": ""}
    rows: list[list[Cell]] = []
    for school_id, name in names.items():
        for label, lines, _ in sections([one for one in found.counts if one.school_id == school_id]):
            rows += [
                [name, label, row.label, kinds[row.kind], row.male, row.female, row.other, row.whole] for row in lines
            ]
    columns = ("学校", "学年", "学級", "区分", "男", "女", "その他・未登録", "計")
    return download("在籍者数", form, f"在籍者数　{wareki(read_day(found.on))}現在", columns, rows)
