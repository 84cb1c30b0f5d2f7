"""A rehearsal of the coming school year: its states, its classes, its children, and where each child goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from uuid import UUID

from jpschool.school_grade import SchoolGrade
from jpschool.school_year import first_day

from roster.domain.names import Name
from roster.domain.people import Beginning
from roster.domain.period import japanese_date

PLANNING, PUBLISHING, PUBLISHED, UNDONE = "planning", "publishing", "published", "undone"
EDITABLE = frozenset({PLANNING, UNDONE})

PROMOTED = "promoted"  # 進級
RETAINED = "retained"  # 原級留置
GRADUATES = "graduates"  # 卒業
ENTERS = "enters"  # 新入学
LEAVES = "leaves"  # 転出の手続き中: no class of the coming year
UNKNOWN = "unknown"  # the register does not know its 学年
IN_CLASS = frozenset({PROMOTED, RETAINED, ENTERS})

HOMEROOM, SPECIAL_NEEDS = "homeroom", "special_needs"
APART, TOGETHER = "apart", "together"
MOST_CLASSES = 12
MOST_BAND = 5
MOST_CARE = 200


class RolloverProblem(Exception):
    """Why something cannot be planned; the text is for people."""


@dataclass(frozen=True, slots=True)
class Rollover:
    """年度更新の準備 of one school for one school year."""

    id: UUID
    school_id: UUID
    school_year: int
    state: str
    revision: int
    number_order: str  # mixed | boys_first | girls_first
    certificate_from: int
    certificate_order: str  # class | gojuon
    graduated_on: date
    created_at: datetime
    created_by: UUID | None = None
    job_id: UUID | None = None
    published_at: datetime | None = None
    published_by: UUID | None = None
    attendance_on: date | None = None

    @property
    def from_year(self) -> int:
        """The school year that ends."""
        return self.school_year - 1

    @property
    def editable(self) -> bool:
        """Whether the plan may still be changed."""
        return self.state in EDITABLE


@dataclass(frozen=True, slots=True)
class PlannedClass:
    """A class of the coming year."""

    id: UUID
    school_grade: str  # empty: of several (特別支援学級)
    name: str
    kind: str = HOMEROOM
    position: int = 0
    homeroom_staff_id: UUID | None = None
    version: int = 1

    def takes(self, school_grade: str) -> bool:
        """Whether a child of that 学年 may be put here."""
        return self.kind == SPECIAL_NEEDS or self.school_grade == school_grade


@dataclass(frozen=True, slots=True)
class PlannedPupil:
    """A child in the rehearsal. `band`: 成績の段階 1–5 as typed by the planner, 0 = none."""

    id: UUID
    name: str
    kana: str
    sex: str
    sort_key: str
    outcome: str
    school_grade: str = ""
    class_id: UUID | None = None
    number: int = 0
    certificate: int | None = None
    from_school_grade: str = ""
    from_class: str = ""
    from_number: int = 0
    care: str = ""
    band: int = 0
    version: int = 1
    moved_by: UUID | None = None
    moved_at: datetime | None = None
    in_register: bool = True
    birth_on: date | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A child to a class (None: out of its class), as the card showed it."""

    pupil_id: UUID
    class_id: UUID | None
    version: int


@dataclass(frozen=True, slots=True)
class Entrant:
    """A typed 新入学の児童生徒."""

    id: UUID
    name: Name
    kana: Name
    sex: str
    birth_on: date
    sort_key: str
    search_text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two children who shall be in different classes (`apart`: 双子, もめごと …) or in one (`together`)."""

    first_id: UUID
    second_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class Coming:
    """What the change of the year makes of one 学年."""

    outcome: str
    school_grade: str


def school_grades(school_kind: str) -> tuple[SchoolGrade, ...]:
    """学年 of a school: six in 小学校, three in 中学校 (学校教育法 32条, 47条)."""
    return tuple(each for each in SchoolGrade if each.elementary == (school_kind != "lower_secondary"))


def coming(school_kind: str) -> dict[str, Coming]:
    """学年 now → what it becomes: one up, or 卒業 from the last."""
    own = school_grades(school_kind)
    up = {now.value: Coming(PROMOTED, then.value) for now, then in pairwise(own)}
    return up | {own[-1].value: Coming(GRADUATES, "")}


def outcome_of(chosen: str, school_kind: str, from_school_grade: str) -> Coming:
    """進級 as it comes, or 原級留置: the child stays in its 学年 (施行規則 57条).

    Raises: RolloverProblem.
    """
    usual = coming(school_kind).get(from_school_grade)
    if usual is None:
        raise RolloverProblem("新入学の児童生徒や、学年のわからない児童生徒の進級は変えられません。")
    if chosen == RETAINED:
        return Coming(RETAINED, from_school_grade)
    if chosen in (PROMOTED, usual.outcome):
        return usual
    raise RolloverProblem("進級（最終学年は卒業）か原級留置を選んでください。")


def class_name(name: str, now: str, then: str) -> str:
    """「3年2組」 of P3 → 「4年2組」 of P4; a name without its 学年 in front stays."""
    old, new = now[1:], then[1:]
    for digits in (old, old.translate(str.maketrans("123456", "１２３４５６"))):
        if digits and name.startswith(digits):
            return new + name.removeprefix(digits)
    return name


def may_publish_on(rollover: Rollover, today: date) -> None:
    """The year turns on 1 April (学校教育法施行規則 59条).

    Raises: RolloverProblem before it.
    """
    begins = first_day(rollover.school_year)
    if today < begins:
        raise RolloverProblem(
            f"{rollover.school_year}年度は{japanese_date(begins)}に始まるため、それまで公開できません。"
            "準備は保存されています。4月1日になってから、もう一度公開してください。"
        )


def may_undo(rollover: Rollover) -> None:
    """A published year is taken back until the first roll is taken: from then on it has been lived.

    Raises: RolloverProblem.
    """
    if rollover.state != PUBLISHED:
        raise RolloverProblem("公開されていないため、取り消すものはありません。")
    if rollover.attendance_on is not None:
        raise RolloverProblem(
            f"{japanese_date(rollover.attendance_on)}の出欠が新しい学級で記入されているため、取り消せません。"
            "直すところは、名簿の画面で一人ずつ直してください。"
        )


def check_classes(classes: Sequence[PlannedClass]) -> None:
    """Names are told apart within a school.

    Raises: RolloverProblem.
    """
    names = [each.name for each in classes]
    if any(not name or len(name) > 20 for name in names):
        raise RolloverProblem("学級の名前を20字以内で入力してください。")
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise RolloverProblem(f"「{doubled}」が二つあります。学級の名前を分けてください。")


@dataclass(slots=True)
class Published:
    """Aggregates that a published year changed and that must be told."""

    classes: set[UUID]
    staff: set[UUID]
    enrolments: set[UUID]
    begun: Sequence[Beginning] = ()
