"""指導要録 様式2（指導に関する記録）: notice 30文科初第1845号; kept 5 years (学校教育法施行規則 28条)."""

from dataclasses import dataclass

from reports.domain.forms.values import Entry, SchoolKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """学級 and 整理番号 of one 学年."""

    class_name: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewpointRow:
    """観点別学習状況: A, B, C per 学年, in the order of `school_grades`; empty = not entered."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRecord:
    """One 教科. `taught`: 学年 that have it; `rated`: 学年 with a 評定. The other boxes get a slash."""

    label: str
    taught: tuple[int, ...]
    rated: tuple[int, ...]
    viewpoints: tuple[ViewpointRow, ...]
    ratings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class YearText:
    """Free text of one 学年."""

    school_grade: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegratedStudy:
    """総合的な学習の時間: 学習活動, 観点, 評価 of one 学年."""

    school_grade: int
    activity: str = ""
    viewpoint: str = ""
    assessment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialActivity:
    """特別活動: ○ where fully satisfactory; 観点 set by the school."""

    label: str
    viewpoint: str
    taught: tuple[int, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourRow:
    """行動の記録: one of the ten items (or one the school added), ○ per 学年."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceYear:
    """出欠の記録 of one 学年, in days; None = not closed yet."""

    school_grade: int
    lesson_days: int | None = None
    excused: int | None = None
    required: int | None = None
    absent: int | None = None
    present: int | None = None
    remarks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceRecord2:
    """Everything printed on 様式2 of one child."""

    school_kind: SchoolKind
    school_grades: tuple[int, ...]
    pupil_names: tuple[Entry, ...]
    school_name: str
    places: tuple[Place, ...]
    subjects: tuple[SubjectRecord, ...]
    moral: tuple[YearText, ...]
    foreign_language_activity: tuple[YearText, ...]
    integrated: tuple[IntegratedStudy, ...]
    special_activities: tuple[SpecialActivity, ...]
    behaviour: tuple[BehaviourRow, ...]
    remarks: tuple[YearText, ...]
    attendance: tuple[AttendanceYear, ...]
