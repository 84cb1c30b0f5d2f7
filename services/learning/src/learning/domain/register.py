"""The register (名簿) as learning knows it: a projection of roster's events, without names of people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class ClassKind(StrEnum):
    HOMEROOM = "homeroom"
    SPECIAL_NEEDS = "special_needs"
    COURSE = "course"


class Post(StrEnum):
    PRINCIPAL = "principal"
    VICE_PRINCIPAL = "vice_principal"
    TEACHER = "teacher"
    OFFICE = "office"
    NURSE = "nurse"


class DutyKind(StrEnum):
    HOMEROOM = "homeroom"
    ASSISTANT_HOMEROOM = "assistant_homeroom"
    SUBJECT = "subject"
    GRADE_HEAD = "grade_head"


@dataclass(frozen=True, slots=True)
class School:
    """A school of the board. `code` is 学校コード (13 characters); empty where the register has none."""

    id: UUID
    code: str
    name: str
    kind: str
    """elementary | lower_secondary"""


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """学級 or 講座 of one school year. `school_grade` is empty where the class has several 学年."""

    id: UUID
    school_id: UUID
    school_year: int
    school_grade: str
    name: str
    kind: ClassKind = ClassKind.HOMEROOM


@dataclass(frozen=True, slots=True)
class Member:
    """A child's days in a class, both inclusive; `ends_on` None = open. `school_grade` is the child's own 学年."""

    pupil_id: UUID
    number: int
    starts_on: date
    ends_on: date | None
    school_grade: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a child sits on a day: the class, 出席番号, and the child's 学年 there."""

    pupil_id: UUID
    school_class: SchoolClass
    number: int
    school_grade: str


@dataclass(frozen=True, slots=True)
class Duty:
    """One 校務分掌. Without a class it is of the whole school or, with `school_grade`, of that 学年."""

    kind: DutyKind
    school_id: UUID
    class_id: UUID | None = None
    subject: str = ""
    school_grade: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the register says of one person on one day."""

    posts: frozenset[tuple[UUID, Post]] = frozenset()  # (school, post)
    duties: frozenset[Duty] = frozenset()

    def serves(self, school_id: UUID) -> bool:
        """Whether the person works at that school at all."""
        return any(school == school_id for school, _ in self.posts)

    def leads(self, school_id: UUID) -> bool:
        """校長 or 教頭 of that school."""
        return bool(self.posts & {(school_id, Post.PRINCIPAL), (school_id, Post.VICE_PRINCIPAL)})

    def has_homeroom(self, class_id: UUID) -> bool:
        """担任 or 副担任 of that class."""
        kinds = (DutyKind.HOMEROOM, DutyKind.ASSISTANT_HOMEROOM)
        return any(duty.kind in kinds and duty.class_id == class_id for duty in self.duties)

    def heads(self, school_class: SchoolClass) -> bool:
        """学年主任 of that class's 学年; a class of several has none."""
        return bool(school_class.school_grade) and any(
            duty.kind is DutyKind.GRADE_HEAD
            and duty.school_id == school_class.school_id
            and duty.school_grade == school_class.school_grade
            for duty in self.duties
        )

    def taught_subjects(self, class_id: UUID) -> frozenset[str]:
        """教科 of which the person is 教科担任 in that class."""
        return frozenset(d.subject for d in self.duties if d.kind is DutyKind.SUBJECT and d.class_id == class_id)
