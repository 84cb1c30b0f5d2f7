"""学籍 in words: what codes of the register read like, and a child's history as one list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from komu.roster.v1 import roster_pb2 as pb

SEXES = {pb.SEX_MALE: "男", pb.SEX_FEMALE: "女", pb.SEX_OTHER: "その他"}
POSTS = {
    pb.POST_PRINCIPAL: "校長",
    pb.POST_VICE_PRINCIPAL: "教頭",
    pb.POST_TEACHER: "教諭",
    pb.POST_OFFICE: "事務職員",
    pb.POST_NURSE: "養護教諭",
}
DUTIES = {
    pb.DUTY_KIND_HOMEROOM: "担任",
    pb.DUTY_KIND_ASSISTANT_HOMEROOM: "副担任",
    pb.DUTY_KIND_SUBJECT: "教科担任",
    pb.DUTY_KIND_GRADE_HEAD: "学年主任",
}
NAME_KINDS = {"official": "戸籍の氏名", "display": "氏名", "kana": "ふりがな", "alias": "通称"}
STATES = {
    "active": ("在籍", "good"),
    "leaving": ("転出手続き中", "warn"),
    "undecided": ("名簿にない（要確認）", "bad"),
    "ended": ("在籍していません", "plain"),
}
EVENTS = {
    pb.ENROLMENT_EVENT_KIND_ADMITTED: "入学",
    pb.ENROLMENT_EVENT_KIND_ADMITTED_FROM_ABROAD: "編入学",
    pb.ENROLMENT_EVENT_KIND_TRANSFERRED_IN: "転入学",
    pb.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT: "転学",
    pb.ENROLMENT_EVENT_KIND_WITHDRAWN: "退学",
    pb.ENROLMENT_EVENT_KIND_GRADUATED: "卒業",
    pb.ENROLMENT_EVENT_KIND_NOT_ENROLLED: "在学しない者（居所不明）",
    pb.ENROLMENT_EVENT_KIND_DEFERRED: "在学しない者（就学猶予・免除）",
    pb.ENROLMENT_EVENT_KIND_REINSTATED: "復籍",
    pb.ENROLMENT_EVENT_KIND_OUT_OF_DISTRICT: "区域外就学",
}
_COUNTERPARTS = {
    pb.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT: "転学先",
    pb.ENROLMENT_EVENT_KIND_GRADUATED: "進学先",
    pb.ENROLMENT_EVENT_KIND_OUT_OF_DISTRICT: "住所地",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of 学籍 as people read it."""

    on: str  # ISO date; empty while it waits
    what: str
    school: str
    remarks: tuple[str, ...]
    struck: bool
    elsewhere: bool
    event_id: str = ""  # of one that may be corrected by hand
    struck_by: str = ""
    struck_at: Any = None
    strike_reason: str = ""


def history(found: Any, schools: Mapping[str, Any]) -> list[Line]:
    """Every fact of a child's 学籍, ours and those of other boards, newest first; what waits stands on top."""
    lines = []
    for roll in found.enrolments:
        school = schools[roll.school_id].name if roll.school_id in schools else ""
        lines += [_line(event, school, elsewhere=False) for event in roll.events]
    for former in found.former:
        lines += [_line(event, former.school_name, elsewhere=True) for event in former.events]
    return sorted(lines, key=lambda line: (line.on == "" and not line.struck, line.on), reverse=True)


def _line(event: Any, school: str, *, elsewhere: bool) -> Line:
    remarks = []
    if event.left_on and event.kind == pb.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT:
        remarks.append(f"学校を去った日 {_day(event.left_on)}")
    if event.left_on and event.kind == pb.ENROLMENT_EVENT_KIND_NOT_ENROLLED:
        remarks.append(f"居所が分からなくなった日 {_day(event.left_on)}")
    if event.counterpart_name:
        remarks.append(f"{_COUNTERPARTS.get(event.kind, '前の学校')} {event.counterpart_name}")
    if event.reason:
        remarks.append(event.reason)
    if event.until_on:
        remarks.append(f"{_day(event.until_on)}まで")
    if not event.effective_on and not event.struck:
        remarks.append("転学先の受入れを待っています")
    by_hand = not (elsewhere or event.struck or event.transfer_id) and event.effective_on and event.kind in EVENTS
    return Line(
        event.effective_on, EVENTS.get(event.kind, "異動"), school, tuple(remarks), event.struck, elsewhere,
        event.id if by_hand else "", event.struck_by, event.struck_at if event.HasField("struck_at") else None,
        event.strike_reason,
    )  # fmt: skip


def _day(text: str) -> str:
    year, month, day = text.split("-")
    return f"{int(year)}年{int(month)}月{int(day)}日"
