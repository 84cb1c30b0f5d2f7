"""What a package says, in the register's words: rows without the file format around them."""

from typing import NamedTuple


class OrgRow(NamedTuple):
    """A board (教育委員会) or a school."""

    source_id: str
    name: str
    code: str  # 学校コード or 教育委員会コード
    is_board: bool


class ClassRow(NamedTuple):
    """学級 or 講座. `kind` is homeroom, special_needs or course."""

    source_id: str
    org_source_id: str
    school_year: int
    school_grade: str
    name: str
    kind: str
    subject: str


class PersonRow(NamedTuple):
    """A pupil, a member of staff or a guardian. `kind` is pupil, staff or guardian. Names are the display set."""

    source_id: str
    person_id: str
    kind: str
    family: str
    given: str
    middle: str
    kana_family: str
    kana_given: str
    kana_middle: str
    org_source_id: str
    school_grade: str
    home_class_source_id: str


class MemberRow(NamedTuple):
    """A pupil in a class. Both days inclusive, ISO dates; number 0 = none."""

    class_source_id: str
    person_source_id: str
    number: int
    starts_on: str
    ends_on: str


class AppointmentRow(NamedTuple):
    """Who serves where as what. `post` is principal, vice_principal, teacher or office; ends_on blank = open."""

    person_source_id: str
    org_source_id: str
    post: str
    starts_on: str
    ends_on: str


class DutyRow(NamedTuple):
    """担任, 副担任 or 教科担任. `kind` is homeroom, assistant_homeroom or subject."""

    person_source_id: str
    class_source_id: str
    kind: str
    subject: str
    starts_on: str
    ends_on: str


RosterRow = OrgRow | ClassRow | PersonRow | MemberRow | AppointmentRow | DutyRow
