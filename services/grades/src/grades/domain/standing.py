"""Where a member of staff stands on a day: appointments and duties, as the register of that day tells."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from jpschool.school_grade import SchoolGrade


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


class ClassKind(StrEnum):
    HOMEROOM = "homeroom"
    SPECIAL_NEEDS = "special_needs"
    COURSE = "course"


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """学級 of the register. With several 学年 (特別支援学級, 複式学級) `school_grade` is the lowest or none."""

    id: UUID
    school_id: UUID
    school_year: int
    school_grade: SchoolGrade | None
    name: str
    kind: ClassKind = ClassKind.HOMEROOM
    of_members: tuple[SchoolGrade, ...] = ()

    @property
    def school_grades(self) -> tuple[SchoolGrade, ...]:
        """Every 学年 of the class, youngest first."""
        return self.of_members or ((self.school_grade,) if self.school_grade else ())

    @property
    def several(self) -> bool:
        """Whether each pupil's own 学年 says what is entered."""
        return self.school_grades != (self.school_grade,)

    @property
    def elementary(self) -> bool:
        return any(school_grade.elementary for school_grade in self.school_grades)


@dataclass(frozen=True, slots=True)
class Duty:
    """One 校務分掌 that holds on the day. Without a class it is of the whole school."""

    kind: DutyKind
    school_id: UUID
    class_id: UUID | None = None
    subject: str = ""
    school_grade: SchoolGrade | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the register says of one person on one day."""

    posts: frozenset[tuple[UUID, Post]] = frozenset()  # (school, post)
    duties: tuple[Duty, ...] = ()

    def serves(self, school_id: UUID) -> bool:
        return any(school == school_id for school, _ in self.posts)

    def leads(self, school_id: UUID) -> bool:
        """校長 or 教頭 of that school."""
        return bool(self.posts & {(school_id, Post.PRINCIPAL), (school_id, Post.VICE_PRINCIPAL)})

    def is_principal(self, school_id: UUID) -> bool:
        return (school_id, Post.PRINCIPAL) in self.posts

    def has_homeroom(self, class_id: UUID) -> bool:
        """学級担任 of that class."""
        return any(duty.kind is DutyKind.HOMEROOM and duty.class_id == class_id for duty in self.duties)

    def assists_homeroom(self, class_id: UUID) -> bool:
        """副担任 of that class."""
        return any(duty.kind is DutyKind.ASSISTANT_HOMEROOM and duty.class_id == class_id for duty in self.duties)

    def heads(self, school_class: SchoolClass) -> bool:
        """学年主任 of that class's 学年; a class of several has none."""
        return not school_class.several and any(
            duty.kind is DutyKind.GRADE_HEAD
            and duty.school_id == school_class.school_id
            and duty.school_grade == school_class.school_grade
            for duty in self.duties
        )

    def teaches(self, class_id: UUID, subject: str) -> bool:
        """教科担任 of that subject in that class."""
        return subject in self.taught_subjects(class_id)

    def taught_subjects(self, class_id: UUID) -> frozenset[str]:
        return frozenset(d.subject for d in self.duties if d.kind is DutyKind.SUBJECT and d.class_id == class_id)
