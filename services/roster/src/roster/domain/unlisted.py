"""名簿にない児童生徒: a roster file cannot say why a child is missing; a person decides, and may take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from jpschool.school_year import last_day, school_year_of

from roster.domain.enrolment import ACTIVE, ENDED, UNDECIDED, Enrolment, EnrolmentEvent, EnrolmentProblem
from roster.domain.people import Pupil
from roster.domain.period import Period, day_before, japanese_date

KEEP, WITHDRAW, GRADUATE, WHEREABOUTS_UNKNOWN = "keep", "withdraw", "graduate", "whereabouts_unknown"
LEFT_BY = {WITHDRAW: "withdrawn", GRADUATE: "graduated", WHEREABOUTS_UNKNOWN: "not_enrolled"}
"""Decision → kind of the 異動 that ends the roll. 転学 is none of them: the next school's acceptance ends it."""

GROUNDS = {"abroad": "外国への転出", "over_age": "学齢超過"}
"""Why a child may leave a school of compulsory schooling by 退学 (notice 30文科初第1845号 様式1 記入要領)."""

_LAST_SCHOOL_GRADES = frozenset({"P6", "J3"})


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A child on the roll whom the last files did not list."""

    pupil: Pupil  # with the last class at the school
    version: int  # of the enrolment
    missing_on: date | None
    import_id: UUID | None
    import_source: str
    source_id: str  # of the person in the roster files


class Place(NamedTuple):
    """Where the last page of the list ended: school, class and pupil in the order of the list."""

    school_code: str
    school_grade: str
    class_name: str
    number: int
    sort_key: str
    pupil_id: UUID


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one child or several.

    `effective_on`: 退学 the day the 校長 allowed it, 卒業 the day it was recognised, 居所不明 the day it is recorded.
    """

    kind: str
    reason: str = ""
    effective_on: date | None = None
    ground: str = ""  # of 退学
    unknown_since: date | None = None  # of 居所不明


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it was made about one child."""

    id: UUID
    enrolment_id: UUID
    pupil_id: UUID
    school_id: UUID
    kind: str
    effective_on: date | None
    reason: str
    decided_at: datetime
    decided_by: UUID | None
    taken_back: bool = False
    taken_back_reason: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """A child's days in a class of a school year."""

    class_id: UUID
    pupil_id: UUID
    starts_on: date
    ends_on: date | None
    school_year: int

    def decided(self, missing_on: date | None, leaves_on: date | None) -> Membership:
        """The same after a decision: what only the file cut off goes on, and nothing outlasts the roll."""
        ends_on = self.ends_on
        if missing_on is not None and ends_on == day_before(max(missing_on, self.starts_on)):
            ends_on = last_day(self.school_year)
        if leaves_on is not None and (ends_on is None or ends_on > leaves_on):
            ends_on = max(leaves_on, day_before(self.starts_on))
        return replace(self, ends_on=ends_on)


def decide(
    roll: Enrolment, decision: Decision, *, born_on: date | None, today: date, event_id: UUID, at: datetime,
    by: UUID | None,
) -> Enrolment:  # fmt: skip
    """The roll after the decision: it goes on, or ends with its 異動.

    Raises: EnrolmentProblem.
    """
    if roll.state != UNDECIDED:
        raise EnrolmentProblem("すでに決まっているか、新しい名簿に載ったため、決める必要はありません。")
    if decision.kind == KEEP:
        if not decision.reason:
            raise EnrolmentProblem("在籍のままとする理由を入力してください。")
        return replace(roll, state=ACTIVE, version=roll.version + 1)
    on = _effective_on(roll, decision, today)
    match decision.kind:
        case "withdraw":
            _may_withdraw(decision, on, born_on)
        case "graduate":
            if roll.school_grade not in _LAST_SCHOOL_GRADES:
                raise EnrolmentProblem("卒業にできるのは、最終学年（小学6年・中学3年）の児童生徒だけです。")
        case _:
            _may_be_unknown(roll, decision, on)
    event = EnrolmentEvent(
        event_id, roll.id, roll.pupil_id, LEFT_BY[decision.kind], roll.school_id, on, decision.unknown_since,
        roll.school_grade, "", "", reason_of(decision), at, by,
    )  # fmt: skip
    return replace(
        roll, period=Period(roll.period.starts_on, on), state=ENDED, left_by=event.kind,
        events=(*roll.events, event), version=roll.version + 1,
    )  # fmt: skip


def reason_of(decision: Decision) -> str:
    """The reason as it stands on 様式1: the ground of the 退学, then what was typed."""
    return "　".join(part for part in (GROUNDS.get(decision.ground, ""), decision.reason) if part)


def _effective_on(roll: Enrolment, decision: Decision, today: date) -> date:
    on = decision.effective_on
    if on is None:
        raise EnrolmentProblem("異動の日を入力してください。")
    if on > today:
        raise EnrolmentProblem("異動の日は、今日までの日付にしてください。")
    if on < roll.period.starts_on:
        began = japanese_date(roll.period.starts_on)
        raise EnrolmentProblem(f"異動の日は、在籍の始まった{began}以後の日付にしてください。")
    return on


def _may_withdraw(decision: Decision, on: date, born_on: date | None) -> None:
    if decision.ground not in GROUNDS:
        raise EnrolmentProblem("義務教育の学校を退学できるのは、外国への転出か学齢超過のときだけです。")
    if decision.ground == "over_age":
        if born_on is None:
            raise EnrolmentProblem(
                "生年月日が登録されていないため、学齢超過か判断できません。学籍補足で登録してください。"
            )
        if on <= compulsory_until(born_on):
            until = japanese_date(compulsory_until(born_on))
            raise EnrolmentProblem(f"{until}までは学齢のため、学齢超過による退学にはできません。")


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
        raise EnrolmentProblem("居所が分からなくなった日を入力してください。")
    if since < roll.period.starts_on:
        raise EnrolmentProblem("居所が分からなくなった日が、在籍の始まった日より前です。")
    leap_day = (since.month, since.day) == (2, 29)
    year_later = date(since.year + 1, 3, 1) if leap_day else since.replace(year=since.year + 1)
    if on < year_later:
        raise EnrolmentProblem(
            f"居所不明として在学しない者とするのは、1年を経過した{japanese_date(year_later)}以後です。"
            "それまでは在籍のまま、欠席として扱います。"
        )


def take_back(roll: Enrolment, kind: str, others: Sequence[Enrolment]) -> Enrolment:
    """The child stands on the roll again, undecided; the 異動 is struck and stays readable.

    `others`: the child's other times on a roll. Raises: EnrolmentProblem.
    """
    if kind == KEEP:
        if roll.state != ACTIVE:
            raise EnrolmentProblem(
                "その後に異動が入力されているため、取り消せません。先にその異動を取り消してください。"
            )
        return replace(roll, state=UNDECIDED, version=roll.version + 1)
    if roll.state != ENDED or roll.left_by != LEFT_BY[kind]:
        raise EnrolmentProblem("その後に学籍が変わっているため、取り消せません。")
    if any(other.period.overlaps(Period(roll.period.starts_on)) for other in others):
        raise EnrolmentProblem("その後にほかの学校に在籍しているため、取り消せません。")
    return replace(
        roll, period=Period(roll.period.starts_on), state=UNDECIDED, left_by="", version=roll.version + 1,
        events=tuple(replace(event, struck=True) if event.kind == roll.left_by else event for event in roll.events),
    )  # fmt: skip
