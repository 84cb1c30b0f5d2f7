"""通知表: what the school tells the family each term (no legal duty; the form is the school's)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TermViewpoint:
    """One 観点 and its value per term, in the order of `terms`."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermSubject:
    """One 教科 with its 観点 and, where the 学年 has them, 評定 per term."""

    label: str
    viewpoints: tuple[TermViewpoint, ...]
    rated: bool
    ratings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text block such as 特別の教科 道徳; `always` keeps its box when it is empty."""

    label: str
    text: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TermAttendance:
    """出欠 of one term, in days (遅刻・早退 in times); None = the term is not closed."""

    label: str
    lesson_days: int | None = None
    excused: int | None = None
    required: int | None = None
    absent: int | None = None
    present: int | None = None
    late: int | None = None
    early: int | None = None
    remarks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """修了証 at the end of the school year."""

    text: str
    issued_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCard:
    """Everything printed on the 通知表 of one child."""

    title: str
    term_label: str
    school_year: int
    school_name: str
    class_name: str
    number: str
    pupil_name: str
    principal_name: str
    homeroom_teachers: tuple[str, ...]
    terms: tuple[str, ...]
    subjects: tuple[TermSubject, ...]
    legend: str
    texts: tuple[LabelledText, ...]
    behaviour: tuple[TermViewpoint, ...]
    comments: tuple[LabelledText, ...]
    attendance: tuple[TermAttendance, ...]
    completion: Completion | None = None
