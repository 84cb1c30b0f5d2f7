"""How a time on the roll ends otherwise than by 転学: what may be entered, and on which day (様式1 記入要領)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from jpschool.school_year import last_day, school_year_of

from roster.domain.enrolment import ENDED, Enrolment, EnrolmentEvent, EnrolmentProblem
from roster.domain.period import Period, day_before, japanese_date

WITHDRAW, GRADUATE, WHEREABOUTS_UNKNOWN, DEFER = "withdraw", "graduate", "whereabouts_unknown", "defer"
LEFT_BY = {
    WITHDRAW: "withdrawn", GRADUATE: "graduated", WHEREABOUTS_UNKNOWN: "not_enrolled", DEFER: "deferred",
}  # fmt: skip
"""Decision → kind of the 異動 that ends the roll. 転学 is none of them: the next school's acceptance ends it."""

GROUNDS = {"abroad": "外国への転出", "over_age": "学齢超過"}
"""Why a child may leave a school of compulsory schooling by 退学 (notice 30文科初第1845号 様式1 記入要領)."""
DEFERRALS = {"defer": "就学猶予", "exempt": "就学免除"}
"""What the 教育委員会 grants to a child who cannot attend (学校教育法 18条)."""

_LAST_SCHOOL_GRADES = frozenset({"P6", "J3"})


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one child or several.

    `effective_on`: 退学 the day the 校長 allowed it, 卒業 the day it was recognised, 居所不明 the day it is recorded,
    就学猶予・免除 the day the 教育委員会 granted it.
    """

    kind: str
    reason: str = ""
    effective_on: date | None = None
    ground: str = ""  # of 退学 and of 就学猶予・免除
    unknown_since: date | None = None  # of 居所不明
    until_on: date | None = None  # of 就学猶予
    next_name: str = ""  # 進学先 of 卒業
    next_address: str = ""


def leave(
    roll: Enrolment, decision: Decision, *, born_on: date | None, today: date, event_id: UUID, at: datetime,
    by: UUID | None,
) -> Enrolment:  # fmt: skip
    """The roll, ended with its 異動.

    Raises: EnrolmentProblem.
    """
    on = _effective_on(roll, decision, today)
    match decision.kind:
        case "withdraw":
            _may_withdraw(decision, on, born_on)
        case "graduate":
            if roll.school_grade not in _LAST_SCHOOL_GRADES:
                raise EnrolmentProblem("卒業にできるのは、最終学年（小学6年・中学3年）の児童生徒だけです。")
        case "defer":
            _may_defer(decision, on)
        case _:
            _may_be_unknown(roll, decision, on)
    event = EnrolmentEvent(
        event_id, roll.id, roll.pupil_id, LEFT_BY[decision.kind], roll.school_id, on, decision.unknown_since,
        roll.school_grade, decision.next_name, decision.next_address, reason_of(decision), at, by,
        until_on=decision.until_on,
    )  # fmt: skip
    return replace(
        roll, period=Period(roll.period.starts_on, on), state=ENDED, left_by=event.kind,
        events=(*roll.events, event), version=roll.version + 1,
    )  # fmt: skip


def reason_of(decision: Decision) -> str:
    """The reason as it stands on 様式1: the ground, then what was typed."""
    ground = GROUNDS.get(decision.ground, "") or DEFERRALS.get(decision.ground, "")
    return "　".join(part for part in (ground, decision.reason) if part)


def _effective_on(roll: Enrolment, decision: Decision, today: date) -> date:
    on = decision.effective_on
    if on is None:
        raise EnrolmentProblem("異動の日を入力してください。", "effective_on")
    if on > today:
        raise EnrolmentProblem("異動の日は、今日までの日付にしてください。", "effective_on")
    if on < roll.period.starts_on:
        began = japanese_date(roll.period.starts_on)
        raise EnrolmentProblem(f"異動の日は、在籍の始まった{began}以後の日付にしてください。", "effective_on")
    return on


def _may_withdraw(decision: Decision, on: date, born_on: date | None) -> None:
    if decision.ground not in GROUNDS:
        raise EnrolmentProblem("義務教育の学校を退学できるのは、外国への転出か学齢超過のときだけです。", "ground")
    if decision.ground == "over_age":
        if born_on is None:
            raise EnrolmentProblem(
                "生年月日が登録されていないため、学齢超過か判断できません。学籍補足で登録してください。", "ground"
            )
        if on <= compulsory_until(born_on):
            until = japanese_date(compulsory_until(born_on))
            raise EnrolmentProblem(f"{until}までは学齢のため、学齢超過による退学にはできません。", "effective_on")


def compulsory_until(born_on: date) -> date:
    """Last day of 学齢: end of the school year in which the child turns 15 (学校教育法 17条2項).

    An age is reached at the end of the day before the birthday (年齢計算ニ関する法律, 民法 143条).
    """
    leap_day = (born_on.month, born_on.day) == (2, 29)
    fifteenth = date(born_on.year + 15, 3, 1) if leap_day else born_on.replace(year=born_on.year + 15)
    return last_day(school_year_of(day_before(fifteenth)))


def _may_be_unknown(roll: Enrolment, decision: Decision, on: date) -> None:
    since = decision.unknown_since
    if since is None:
        raise EnrolmentProblem("居所が分からなくなった日を入力してください。", "unknown_since")
    if since < roll.period.starts_on:
        raise EnrolmentProblem("居所が分からなくなった日が、在籍の始まった日より前です。", "unknown_since")
    leap_day = (since.month, since.day) == (2, 29)
    year_later = date(since.year + 1, 3, 1) if leap_day else since.replace(year=since.year + 1)
    if on < year_later:
        raise EnrolmentProblem(
            f"居所不明として在学しない者とするのは、1年を経過した{japanese_date(year_later)}以後です。"
            "それまでは在籍のまま、欠席として扱います。",
            "effective_on",
        )


def _may_defer(decision: Decision, on: date) -> None:
    if decision.ground not in DEFERRALS:
        raise EnrolmentProblem("教育委員会が認めたのが就学猶予か就学免除かを選んでください。", "ground")
    if not decision.reason:
        raise EnrolmentProblem(
            "事由を入力してください。病弱・発育不完全その他やむを得ない事由が必要です（学校教育法18条）。", "reason"
        )
    if decision.ground == "exempt" and decision.until_on is not None:
        raise EnrolmentProblem("期間の終わりを入力できるのは就学猶予です。就学免除では空欄にしてください。", "until_on")
    if decision.until_on is not None and decision.until_on < on:
        raise EnrolmentProblem("猶予の終わりの日は、異動の日以後の日付にしてください。", "until_on")
