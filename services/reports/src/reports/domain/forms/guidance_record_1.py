"""指導要録 様式1（学籍に関する記録）: notice 30文科初第1845号; kept 20 years (学校教育法施行規則 28条)."""

from dataclasses import dataclass
from typing import Literal

from reports.domain.forms.values import Entry, SchoolKind, StaffPeriod

EventKind = Literal[
    "admitted", "admitted_from_abroad", "transferred_in", "transferred_out", "withdrawn", "not_enrolled", "graduated"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterYear:
    """One 学年: 年度 (0 = not reached yet), 学級, 整理番号, every 校長 and 担任 of that year."""

    school_grade: int
    school_year: int = 0
    class_name: str = ""
    number: str = ""
    principals: tuple[StaffPeriod, ...] = ()
    homeroom_teachers: tuple[StaffPeriod, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredPerson:
    """児童・生徒 of the form: former names and addresses stay, struck."""

    names: tuple[Entry, ...]
    kana: tuple[Entry, ...]
    sex: str
    birth_on: str
    addresses: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredGuardian:
    """保護者: 親権者, else 後見人; the address may read 児童の欄に同じ."""

    names: tuple[Entry, ...] = ()
    kana: tuple[Entry, ...] = ()
    addresses: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEvent:
    """入学, 編入学, 転入学, 転学, 退学, 卒業 … with the dates of the notice.

    転学: `effective_on` is the day before the new school accepted the child, `left_on` the day it left this school.
    """

    kind: EventKind
    label: str
    effective_on: str
    school_grade: int
    left_on: str = ""
    counterpart_name: str = ""
    counterpart_address: str = ""
    reason: str = ""
    struck: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceRecord1:
    """Everything printed on 様式1 of one child."""

    school_kind: SchoolKind
    years: tuple[RegisterYear, ...]
    pupil: RegisteredPerson
    guardian: RegisteredGuardian
    prior_history: str
    events: tuple[RegisterEvent, ...]
    schools: tuple[Entry, ...]
    next_label: str
    next_school: str = ""
    next_school_address: str = ""
    seal_label: str = "印"
