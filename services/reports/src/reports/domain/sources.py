"""What the other services answered, as plain values: the facts a form is assembled from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from jpschool.school_grade import SchoolGrade


@dataclass(frozen=True, slots=True)
class DatedText:
    """A name or address with its days. `kind` of names: official, display, kana, alias (通称)."""

    kind: str
    text: str
    starts_on: str = ""
    ends_on: str = ""


@dataclass(frozen=True, slots=True)
class GuardianFact:
    """保護者; `rank` 1 stands on 様式1. An empty address means that of the pupil."""

    name: str
    kana: str
    address: str
    rank: int
    ends_on: str = ""


@dataclass(frozen=True, slots=True)
class EventFact:
    """One 異動 of 学籍; kinds as in the register's contract, in lower case."""

    kind: str
    school_id: str
    effective_on: str
    left_on: str = ""
    school_grade: str = ""
    counterpart_name: str = ""
    counterpart_address: str = ""
    reason: str = ""
    struck: bool = False
    recorded_on: str = ""


@dataclass(frozen=True, slots=True)
class StaffFact:
    """校長 or 担任 with the days served. `post`: 校長, 教諭 …, where the form asks for it."""

    name: str
    starts_on: str = ""
    ends_on: str = ""
    post: str = ""


@dataclass(frozen=True, slots=True)
class YearFact:
    """One school year of a pupil: class, number, 校長 and 担任."""

    school_year: int
    school_grade: str
    class_id: str
    class_name: str
    number: int
    principals: tuple[StaffFact, ...] = ()
    homeroom_teachers: tuple[StaffFact, ...] = ()


@dataclass(frozen=True, slots=True)
class School:
    """A school as the register has it. `kind`: elementary or lower_secondary."""

    id: str
    name: str
    address: str
    kind: str


@dataclass(frozen=True, slots=True)
class Register:
    """様式1's facts of one pupil."""

    pupil_id: UUID
    school: School
    class_id: str
    school_grade: str
    number: int
    sex: str
    birth_on: str
    display_name: str
    names: tuple[DatedText, ...] = ()
    addresses: tuple[DatedText, ...] = ()
    guardians: tuple[GuardianFact, ...] = ()
    events: tuple[EventFact, ...] = ()
    years: tuple[YearFact, ...] = ()
    prior_history: str = ""
    next_school: str = ""
    next_school_address: str = ""
    former_guardians: tuple[GuardianFact, ...] = ()
    """Who stood on the sheet before, oldest first."""
    principals: tuple[StaffFact, ...] = ()
    """校長 of the school in every year."""
    enrolled: bool = True
    """Whether the pupil stands on the school's roll today."""

    def year(self, school_year: int) -> YearFact | None:
        """The pupil's last place in that school year; None when not on the roll then."""
        found = [year for year in self.years if year.school_year == school_year]
        return found[-1] if found else None

    @property
    def as_school_grade(self) -> SchoolGrade:
        return SchoolGrade(self.school_grade)


@dataclass(frozen=True, slots=True)
class ColumnFact:
    """A column of a sheet of grades; `kind` as in its contract, in lower case."""

    key: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class SubjectFact:
    """A sheet: a 教科, or a part of the form that is none."""

    key: str
    label: str
    is_subject: bool
    columns: tuple[ColumnFact, ...] = ()

    def has(self, kind: str) -> bool:
        return any(column.kind == kind for column in self.columns)


@dataclass(frozen=True, slots=True)
class Curriculum:
    """The sheets of one 学年 in one school year."""

    school_year: int
    school_grade: str
    subjects: tuple[SubjectFact, ...]


RecordKey = tuple[int, str, str, str]
"""School year, term, subject, column."""


@dataclass(frozen=True, slots=True)
class Records:
    """One pupil's entered values."""

    values: Mapping[RecordKey, str] = field(default_factory=dict)

    def get(self, school_year: int, term: str, subject: str, column: str) -> str:
        return self.values.get((school_year, term, subject, column), "")

    def with_overlay(self, overlay: Mapping[RecordKey, str]) -> "Records":
        """The same with what is being typed and not saved yet."""
        return Records({**self.values, **overlay}) if overlay else self


@dataclass(frozen=True, slots=True)
class TermFact:
    """学期 or 学年末 (key "year")."""

    key: str
    label: str
    starts_on: str
    ends_on: str


@dataclass(frozen=True, slots=True)
class SumsFact:
    """出欠の記録 of one pupil over one range of days (notice 30文科初第1845号)."""

    lesson_days: int = 0
    excused: int = 0
    required: int = 0
    absent: int = 0
    present: int = 0
    absent_illness: int = 0
    absent_other: int = 0
    late: int = 0
    early: int = 0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassFact:
    """A class with its school, and the members in 出席番号 order."""

    id: str
    name: str
    school: School
    school_year: int
    school_grade: str
    members: tuple[tuple[UUID, int, str], ...]
    """(pupil, 出席番号, display name)"""


@dataclass(frozen=True, slots=True)
class RegisterNames:
    """Who stands on 出席簿 of a class: names with their days by pupil, 校長 and 担任 of the year with theirs."""

    pupils: Mapping[UUID, tuple[DatedText, ...]]
    principals: tuple[StaffFact, ...] = ()
    homeroom_teachers: tuple[StaffFact, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthFact:
    """The month sheet as attendance answers it: days, pupils' cells and sums, symbols, statistics."""

    month: str
    days: tuple[tuple[str, str, str, bool], ...]
    """(ISO date, state, note, whether the roll was taken)"""
    pupils: tuple[tuple[UUID, tuple[tuple[str, bool, bool], ...], SumsFact], ...]
    """(pupil, cells (sign, outside, corrected) per day, sums)"""
    symbols: tuple[tuple[str, str, str], ...]
    """(sign, label, category in lower case)"""
    statistics: Mapping[str, Any]
