"""名簿にない児童生徒: a roster file cannot say why a child is missing; a person decides, and may take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from jpschool.school_year import last_day

from roster.domain.enrolment import ACTIVE, ENDED, UNDECIDED, Enrolment, EnrolmentProblem
from roster.domain.leaving import LEFT_BY, Decision, leave
from roster.domain.people import Pupil
from roster.domain.period import Period, day_before

KEEP = "keep"


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
    return leave(roll, decision, born_on=born_on, today=today, event_id=event_id, at=at, by=by)


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
