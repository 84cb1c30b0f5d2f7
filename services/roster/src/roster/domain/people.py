"""Boards, schools, classes and people as the register knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from roster.domain.duty import Duty
from roster.domain.enrolment import Enrolment
from roster.domain.names import DatedName, Name, NameSets
from roster.domain.period import Period


@dataclass(frozen=True, slots=True)
class Board:
    """教育委員会."""

    id: UUID
    tenant: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class School:
    """学校."""

    id: UUID
    code: str
    name: str
    kind: str  # elementary | lower_secondary
    address: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """学級 (or 講座) of one school year."""

    id: UUID
    school_id: UUID
    school_year: int
    school_grade: str
    name: str
    kind: str  # homeroom | special_needs | course
    version: int


@dataclass(frozen=True, slots=True)
class Member:
    """A child's days in a class and the 出席番号 there; 0 = not numbered yet."""

    pupil_id: UUID
    number: int
    period: Period
    school_grade: str = ""  # the child's own in that school year


@dataclass(frozen=True, slots=True)
class Placement:
    """The same from the child's side."""

    homeroom: SchoolClass
    number: int
    period: Period


@dataclass(frozen=True, slots=True)
class Pupil:
    """児童生徒 with today's class."""

    id: UUID
    names: NameSets
    sex: str
    birth_on: date | None
    school_id: UUID | None
    class_id: UUID | None
    school_grade: str
    number: int
    enrolled: bool
    protected_address: bool
    version: int
    sort_key: str = ""
    class_name: str = ""


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """One line of a class list."""

    pupil: Pupil
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """現住所 with its days."""

    postal_code: str
    text: str
    period: Period


@dataclass(frozen=True, slots=True)
class Guardian:
    """保護者; rank 1 is printed on 様式1 (親権者, else 後見人). Empty address = 児童の欄に同じ."""

    id: UUID
    names: NameSets
    relationship: str
    rank: int
    phone: str
    address: str
    period: Period | None = None  # of a former one


@dataclass(frozen=True, slots=True)
class Appointment:
    """配置: a post at a school; no school = the 教育委員会 itself."""

    staff_id: UUID
    school_id: UUID | None
    post: str
    period: Period


@dataclass(frozen=True, slots=True)
class StaffName:
    """A member of staff as named in lists."""

    staff_id: UUID
    names: NameSets
    post: str


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A member of staff with posts and duties."""

    name: StaffName
    appointments: tuple[Appointment, ...]
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True)
class ClassSummary:
    """A class with its size of today and its 担任."""

    homeroom: SchoolClass
    size: int
    homeroom_teachers: tuple[StaffName, ...]


@dataclass(frozen=True, slots=True)
class ClassList:
    """A class with its members, in 出席番号 order, and who teaches it."""

    homeroom: SchoolClass
    school: School
    entries: tuple[RosterEntry, ...]
    duties: tuple[Duty, ...]
    staff: tuple[StaffName, ...]


@dataclass(frozen=True, slots=True)
class FormerEvent:
    """A fact of 学籍 at a school of another board, as it came with the child."""

    kind: str
    effective_on: str
    left_on: str
    school_grade: str
    counterpart_name: str
    counterpart_address: str
    reason: str


@dataclass(frozen=True, slots=True)
class FormerEnrolment:
    """A child's time at a school of another board."""

    school_code: str
    school_name: str
    school_address: str
    events: tuple[FormerEvent, ...]


@dataclass(frozen=True, slots=True)
class PupilRecord:
    """Everything the pupil's own page shows."""

    pupil: Pupil
    names: tuple[DatedName, ...]
    addresses: tuple[Address, ...]
    guardians: tuple[Guardian, ...]
    enrolments: tuple[Enrolment, ...]
    placements: tuple[Placement, ...]
    former: tuple[FormerEnrolment, ...] = ()


@dataclass(frozen=True, slots=True)
class DatedStaff:
    """校長 or 担任 with the days served: a predecessor's period is noted (様式1)."""

    name: Name
    period: Period
    post: str = ""  # held then; empty = not known


@dataclass(frozen=True, slots=True)
class YearLine:
    """One school year on 様式1."""

    school_year: int
    school_grade: str
    class_id: UUID
    class_name: str
    number: int
    principals: tuple[DatedStaff, ...]
    homeroom_teachers: tuple[DatedStaff, ...]


@dataclass(frozen=True, slots=True)
class RegisterSheet:
    """指導要録 様式1 of one pupil; `principals` of the school in every year."""

    record: PupilRecord
    school: School
    years: tuple[YearLine, ...]
    prior_history: str
    next_school: str
    next_school_address: str
    former_guardians: tuple[Guardian, ...] = ()
    principals: tuple[DatedStaff, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterNames:
    """Who stands on 出席簿 of a class and school year."""

    pupils: tuple[tuple[UUID, tuple[DatedName, ...]], ...]  # by 出席番号
    principals: tuple[DatedStaff, ...]
    homeroom_teachers: tuple[DatedStaff, ...]


@dataclass(frozen=True, slots=True)
class ClassRosterState:
    """A class with everybody who is or was in it this year."""

    homeroom: SchoolClass
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class StaffState:
    """Posts and duties of one person."""

    staff_id: UUID
    appointments: tuple[Appointment, ...]
    duties: tuple[Duty, ...]
    version: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """Children who came on the roll of one school on one day in one way, as a roster file brings them."""

    school_id: UUID
    starts_on: date
    entered_by: str
    pupil_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """A time on the roll as others need it."""

    id: UUID
    pupil_id: UUID
    school_id: UUID
    period: Period
    entered_by: str
    left_by: str
    version: int
