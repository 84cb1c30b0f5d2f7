"""What attendance knows of the register: a projection of roster's events, never its own truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """学級 of one school year."""

    id: UUID
    school_id: UUID
    school_year: int
    school_grade: str
    name: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A child's days in a class, both inclusive; `ends_on` None = open."""

    pupil_id: UUID
    class_id: UUID
    number: int
    starts_on: date
    ends_on: date | None

    def covers(self, on: date) -> bool:
        """Whether the child is a member on that day."""
        return self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member of staff is today at one school: posts held there and classes led there."""

    posts: frozenset[str]  # principal, vice_principal, teacher, office, nurse
    homeroom_class_ids: frozenset[UUID]  # 担任・副担任
    headed_school_grades: frozenset[str]  # 学年主任

    @property
    def serves(self) -> bool:
        """Whether the person works at that school at all today."""
        return bool(self.posts or self.homeroom_class_ids)


@dataclass(frozen=True, slots=True)
class TermLock:
    """A closed term of a school: its days can no longer be changed."""

    term: str
    starts_on: date
    ends_on: date
    closed_on: date

    def reason(self) -> str:
        """Why, since when, and who can reopen it."""
        since = f"{self.closed_on.year}年{self.closed_on.month}月{self.closed_on.day}日"
        return f"{since}に校長が学期を締めたため変更できません。再開できるのは校長です（「学期の締め」の画面）。"
