"""学籍の異動: entry, leaving and the dates the law wants (notice 30文科初第1845号 様式1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from roster.domain.period import Period, day_before, japanese_date

ENTRIES = frozenset({"admitted", "admitted_from_abroad", "transferred_in", "reinstated"})
EXITS = frozenset({"transferred_out", "withdrawn", "graduated", "not_enrolled", "deferred"})
OUT_OF_DISTRICT = "out_of_district"
"""区域外就学 (学校教育法施行令 9条): neither begins nor ends the roll."""

ACTIVE = "active"
LEAVING = "leaving"  # 転学 is entered, the next school has not accepted yet
UNDECIDED = "undecided"  # gone from the roster file: the office decides what happened
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class EnrolmentEvent:
    """One dated fact of 学籍. Corrected facts are struck and stay readable.

    `effective_on` is None while a 転学 waits for the acceptance of the next school.
    """

    id: UUID
    enrolment_id: UUID
    pupil_id: UUID
    kind: str
    school_id: UUID
    effective_on: date | None
    left_on: date | None
    school_grade: str
    counterpart_name: str
    counterpart_address: str
    reason: str
    recorded_at: datetime
    recorded_by: UUID | None
    struck: bool = False
    transfer_id: UUID | None = None
    until_on: date | None = None  # of 就学猶予 and 区域外就学
    struck_at: datetime | None = None
    struck_by: UUID | None = None
    strike_reason: str = ""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A child's time on the roll of one school."""

    id: UUID
    pupil_id: UUID
    school_id: UUID
    period: Period
    state: str
    entered_by: str
    left_by: str
    school_grade: str
    version: int
    events: tuple[EnrolmentEvent, ...] = ()


class EnrolmentProblem(Exception):
    """Why a change of 学籍 cannot be entered; the text is for people, `field` says what they typed wrong."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def depart(enrolment: Enrolment, departure: EnrolmentEvent) -> Enrolment:
    """Enter that the child is leaving for another school. The roll stays open until that school accepts.

    Raises: EnrolmentProblem.
    """
    if enrolment.state == LEAVING:
        raise EnrolmentProblem("転出はすでに入力されています。入力し直すときは、先に転出を取り消してください。")
    if enrolment.state == ENDED:
        raise EnrolmentProblem("この学校の在籍はすでに終わっています。")
    if departure.left_on is None or departure.left_on < enrolment.period.starts_on:
        raise EnrolmentProblem(
            f"学校を去る日は、在籍の始まった{japanese_date(enrolment.period.starts_on)}以後の日付にしてください。"
        )
    return replace(enrolment, state=LEAVING, events=(*enrolment.events, departure), version=enrolment.version + 1)


def pending_departure(enrolment: Enrolment) -> EnrolmentEvent | None:
    """The 転学 that waits for acceptance."""
    return next(
        (
            event
            for event in enrolment.events
            if event.kind == "transferred_out" and event.effective_on is None and not event.struck
        ),
        None,
    )


def close_transferred(enrolment: Enrolment, left_on: date, accepted_on: date) -> Enrolment:
    """End the roll with both dates: the day the child left, and 転学 on the day before the next school accepted.

    No gap and no overlap between the two schools: old end = new start − 1 (様式1 記入要領).
    Raises: EnrolmentProblem when the child would leave before it came.
    """
    effective_on = day_before(accepted_on)
    if effective_on < enrolment.period.starts_on:
        raise EnrolmentProblem("転学の日が、在籍の始まった日より前になります。", "accepted_on")
    pending = pending_departure(enrolment)
    events = tuple(
        replace(event, effective_on=effective_on, left_on=left_on) if event is pending else event
        for event in enrolment.events
    )
    return replace(
        enrolment,
        period=Period(enrolment.period.starts_on, effective_on),
        state=ENDED,
        left_by="transferred_out",
        events=events,
        version=enrolment.version + 1,
    )


def stay(enrolment: Enrolment) -> Enrolment:
    """The transfer came to nothing: the child stays, the entered 転学 is struck and stays readable."""
    pending = pending_departure(enrolment)
    if enrolment.state != LEAVING or pending is None:
        raise EnrolmentProblem("取り消す転出の入力はありません。")
    return replace(
        enrolment,
        state=ACTIVE,
        events=tuple(replace(event, struck=True) if event is pending else event for event in enrolment.events),
        version=enrolment.version + 1,
    )


def may_begin(existing: Sequence[Enrolment], begins_on: date, school_names: dict[UUID, str]) -> None:
    """Refuse to put one child on two rolls on one day.

    Raises: EnrolmentProblem naming the school and the days.
    """
    wanted = Period(begins_on)
    for enrolment in existing:
        if enrolment.period.overlaps(wanted):
            school = school_names.get(enrolment.school_id, "ほかの学校")
            until = japanese_date(enrolment.period.ends_on) if enrolment.period.ends_on else "現在"
            raise EnrolmentProblem(
                f"{school}に{japanese_date(enrolment.period.starts_on)}から{until}まで在籍しているため、"
                f"{japanese_date(begins_on)}からの在籍と重なります。先にその在籍を終えてください。"
            )
