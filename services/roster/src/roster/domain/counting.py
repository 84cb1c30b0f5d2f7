"""在籍者数 and 異動一覧: what is listed and counted from the dated events of 学籍."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from jpschool.school_grade import SchoolGrade

from roster.domain.enrolment import EnrolmentEvent
from roster.domain.people import Pupil


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of 異動一覧, 転入簿, 転出簿."""

    pupil: Pupil  # with today's place
    event: EnrolmentEvent
    class_name: str  # of that day, or the first one after an entry
    number: int
    guardian_name: str

    def veiled(self) -> Listed:
        """Without what tells where a protected child is (支援措置)."""
        event = replace(self.event, counterpart_name="", counterpart_address="", reason="")
        return replace(self, event=event, guardian_name="")


class ListedPlace(NamedTuple):
    """Where the last page of the list ended."""

    effective_on: date
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Count:
    """Children of one class, 学年 and sex on the roll of a school on a day; `class_id` None: in no class."""

    school_id: UUID
    class_id: UUID | None
    class_name: str
    class_kind: str
    school_grade: str
    sex: str
    number: int


def years_before(school_grade: str, years: int) -> str:
    """学年 that many school years ago, of who was moved up every year; empty where there was none."""
    if school_grade not in set(SchoolGrade):
        return ""
    ordered = tuple(SchoolGrade)
    place = ordered.index(SchoolGrade(school_grade)) - years
    return ordered[place].value if 0 <= place < len(ordered) else ""
