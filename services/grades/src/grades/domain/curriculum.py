"""What is entered for whom: sheets and their columns by 学年, as the law fixes them.

Sources: 学校教育法施行規則 24条 (指導要録) and the notice 30文科初第1845号 (2019-03-29), 別紙1 小学校, 別紙2 中学校;
教科 by 学校教育法施行規則 50条・別表第1 (小) and 72条・別表第2 (中). What a board decides (optional parts, lengths)
comes in as `BoardRules`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from jpschool.school_grade import SchoolGrade

from grades.domain.board_rules import BoardRules, Part, Use
from grades.domain.terms import TermKey


class CellKind(StrEnum):
    """What one cell holds."""

    VIEWPOINT = "viewpoint"  # 観点別学習状況
    RATING = "rating"  # 評定
    COMMENT = "comment"  # 通知表の所見
    BEHAVIOUR = "behaviour"  # 行動の記録
    MORAL = "moral"  # 特別の教科 道徳
    FOREIGN_LANGUAGE_ACTIVITY = "foreign_language_activity"  # 外国語活動
    INTEGRATED_ACTIVITY = "integrated_activity"  # 総合: 学習活動
    INTEGRATED_VIEWPOINT = "integrated_viewpoint"  # 総合: 観点
    INTEGRATED_ASSESSMENT = "integrated_assessment"  # 総合: 評価
    SPECIAL_ACTIVITY = "special_activity"  # 特別活動の記録
    GENERAL_REMARKS = "general_remarks"  # 総合所見及び指導上参考となる諸事項
    ATTENDANCE_REMARK = "attendance_remark"  # 出欠の備考


@dataclass(frozen=True, slots=True)
class Subject:
    """One sheet: a 教科 with 観点 and 評定, or a part of 指導要録 that is none."""

    key: str
    label: str
    is_subject: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet. `allowed` empty = text of at most `max_characters`."""

    key: str
    kind: CellKind
    label: str
    allowed: tuple[str, ...] = ()
    max_characters: int = 0
    required: bool = False
    help: str = ""

    @property
    def is_text(self) -> bool:
        return not self.allowed


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """A sheet with its columns for one 学年 and term."""

    subject: Subject
    columns: tuple[Column, ...]

    def column(self, key: str) -> Column | None:
        return next((column for column in self.columns if column.key == key), None)


_P = tuple(school_grade for school_grade in SchoolGrade if school_grade.elementary)
_J = tuple(school_grade for school_grade in SchoolGrade if not school_grade.elementary)

# 教科 in the order of 指導要録 様式2, with the 学年 that have them.
_SUBJECTS: tuple[tuple[Subject, tuple[SchoolGrade, ...]], ...] = (
    (Subject("japanese", "国語"), _P + _J),
    (Subject("social_studies", "社会"), _P[2:] + _J),
    (Subject("arithmetic", "算数"), _P),
    (Subject("mathematics", "数学"), _J),
    (Subject("science", "理科"), _P[2:] + _J),
    (Subject("life_environment", "生活"), _P[:2]),
    (Subject("music", "音楽"), _P + _J),
    (Subject("arts_and_crafts", "図画工作"), _P),
    (Subject("fine_arts", "美術"), _J),
    (Subject("home_economics", "家庭"), _P[4:]),
    (Subject("physical_education", "体育"), _P),
    (Subject("health_physical_education", "保健体育"), _J),
    (Subject("technology_home_economics", "技術・家庭"), _J),
    (Subject("foreign_language", "外国語"), _P[4:] + _J),
)

MORAL = Subject("moral", "特別の教科 道徳", is_subject=False)
FOREIGN_LANGUAGE_ACTIVITY = Subject("foreign_language_activity", "外国語活動", is_subject=False)
INTEGRATED = Subject("integrated", "総合的な学習の時間", is_subject=False)
SPECIAL_ACTIVITY = Subject("special_activity", "特別活動", is_subject=False)
BEHAVIOUR = Subject("behaviour", "行動の記録", is_subject=False)
REMARKS = Subject("remarks", "所見", is_subject=False)

ABC = ("A", "B", "C")
_ABC_HELP = "A 十分満足できる・B おおむね満足できる・C 努力を要する"
CIRCLE = ("○",)

# 観点: the three of the 2017 学習指導要領; names in notice 30文科初第1845号, 別紙4.
VIEWPOINTS = (
    ("viewpoint.knowledge", "知識・技能"),
    ("viewpoint.thinking", "思考・判断・表現"),
    ("viewpoint.attitude", "主体的に学習に取り組む態度"),
)

# 行動の記録: ten items, same names for 小 and 中 (別紙1, 別紙2).
BEHAVIOUR_ITEMS = (
    ("behaviour.lifestyle", "基本的な生活習慣"),
    ("behaviour.health", "健康・体力の向上"),
    ("behaviour.autonomy", "自主・自律"),
    ("behaviour.responsibility", "責任感"),
    ("behaviour.creativity", "創意工夫"),
    ("behaviour.consideration", "思いやり・協力"),
    ("behaviour.life_and_nature", "生命尊重・自然愛護"),
    ("behaviour.work_and_service", "勤労・奉仕"),
    ("behaviour.fairness", "公正・公平"),
    ("behaviour.public_spirit", "公共心・公徳心"),
)


def subjects_of(school_grade: SchoolGrade) -> tuple[Subject, ...]:
    """教科 of that 学年, in form order."""
    return tuple(subject for subject, school_grades in _SUBJECTS if school_grade in school_grades)


def rating_values(school_grade: SchoolGrade) -> tuple[str, ...]:
    """評定: none in 小1–2, 3–1 in 小3–6, 5–1 in 中 (別紙1, 別紙2)."""
    if not school_grade.elementary:
        return ("5", "4", "3", "2", "1")
    return ("3", "2", "1") if school_grade.year >= 3 else ()


@lru_cache(maxsize=512)
def sheets(school_grade: SchoolGrade, term: TermKey, rules: BoardRules) -> tuple[SheetPlan, ...]:
    """Every sheet of that 学年 in form order. `TermKey.YEAR` plans 指導要録, the other terms 通知表."""
    return tuple(plan for plan in _plans(school_grade, term, rules) if plan.columns)


def sheet(school_grade: SchoolGrade, subject: str, term: TermKey, rules: BoardRules) -> SheetPlan | None:
    """One sheet; None where that 学年 has none of that name."""
    return next((plan for plan in sheets(school_grade, term, rules) if plan.subject.key == subject), None)


def every_subject(school_grade: SchoolGrade, rules: BoardRules) -> tuple[Subject, ...]:
    """The sheets of all terms together, in form order."""
    found = {plan.subject.key: plan.subject for term in TermKey for plan in sheets(school_grade, term, rules)}
    return tuple(subject for subject in SUBJECT_ORDER if subject.key in found)


def _plans(school_grade: SchoolGrade, term: TermKey, rules: BoardRules) -> Iterator[SheetPlan]:
    for subject in subjects_of(school_grade):
        yield SheetPlan(subject, tuple(_subject_columns(school_grade, term, rules)))
    moral = _text("moral", CellKind.MORAL, "学習状況及び道徳性に係る成長の様子", Part.MORAL, term, rules)
    yield SheetPlan(MORAL, tuple(moral))
    if school_grade in (SchoolGrade.P3, SchoolGrade.P4):
        yield SheetPlan(FOREIGN_LANGUAGE_ACTIVITY, tuple(_foreign_language_activity(term, rules)))
    if school_grade not in (SchoolGrade.P1, SchoolGrade.P2):
        yield SheetPlan(INTEGRATED, tuple(_integrated_columns(term, rules)))
    yield SheetPlan(SPECIAL_ACTIVITY, tuple(_special_activity_columns(school_grade, term, rules)))
    yield SheetPlan(BEHAVIOUR, tuple(_behaviour_columns(term, rules)))
    yield SheetPlan(REMARKS, tuple(_remarks_columns(term, rules)))


def _use(part: Part, term: TermKey, rules: BoardRules, *, by_law: Use) -> Use:
    """指導要録 asks by law; 通知表 has no legal form, so the board says."""
    return by_law if term is TermKey.YEAR else rules.use(part)


def _text(
    key: str, kind: CellKind, label: str, part: Part, term: TermKey, rules: BoardRules, by_law: Use = Use.REQUIRED
) -> Iterator[Column]:
    use = _use(part, term, rules, by_law=by_law)
    if use is not Use.UNUSED:
        limit = rules.limit(key, term)
        yield Column(key, kind, label, max_characters=limit, required=use is Use.REQUIRED, help=f"{limit}字まで")


def _subject_columns(school_grade: SchoolGrade, term: TermKey, rules: BoardRules) -> Iterator[Column]:
    for key, label in VIEWPOINTS:
        yield Column(key, CellKind.VIEWPOINT, label, ABC, required=True, help=_ABC_HELP)
    if values := rating_values(school_grade):
        use = _use(Part.RATING, term, rules, by_law=Use.REQUIRED)
        if use is not Use.UNUSED:
            scale = f"{values[0]}～{values[-1]}"
            yield Column("rating", CellKind.RATING, "評定", values, required=use is Use.REQUIRED, help=scale)
    # 指導要録 has no 所見 per 教科: it goes into 総合所見.
    yield from _text("comment", CellKind.COMMENT, "所見", Part.SUBJECT_COMMENT, term, rules, by_law=Use.UNUSED)


def _foreign_language_activity(term: TermKey, rules: BoardRules) -> Iterator[Column]:
    # One text since 2019, only "特に必要がある場合".
    kind, part = CellKind.FOREIGN_LANGUAGE_ACTIVITY, Part.FOREIGN_LANGUAGE_ACTIVITY
    return _text("foreign_language_activity", kind, "学習状況の特徴", part, term, rules, by_law=Use.OPTIONAL)


def _integrated_columns(term: TermKey, rules: BoardRules) -> Iterator[Column]:
    yield from _text("integrated.activity", CellKind.INTEGRATED_ACTIVITY, "学習活動", Part.INTEGRATED, term, rules)
    yield from _text("integrated.viewpoint", CellKind.INTEGRATED_VIEWPOINT, "観点", Part.INTEGRATED, term, rules)
    yield from _text("integrated.assessment", CellKind.INTEGRATED_ASSESSMENT, "評価", Part.INTEGRATED, term, rules)


def _special_activity_columns(school_grade: SchoolGrade, term: TermKey, rules: BoardRules) -> Iterator[Column]:
    if _use(Part.SPECIAL_ACTIVITY, term, rules, by_law=Use.OPTIONAL) is Use.UNUSED:
        return
    items = [("special_activity.class", "学級活動")]
    if school_grade.elementary:
        items.append(("special_activity.council", "児童会活動"))
        if school_grade.year >= 4:  # クラブ活動 begins in 小4 (小学校学習指導要領 第6章)
            items.append(("special_activity.club", "クラブ活動"))
    else:
        items.append(("special_activity.council", "生徒会活動"))
    items.append(("special_activity.events", "学校行事"))
    for key, label in items:
        yield Column(key, CellKind.SPECIAL_ACTIVITY, label, CIRCLE, help="十分満足できる活動の状況にある場合に○")


def _behaviour_columns(term: TermKey, rules: BoardRules) -> Iterator[Column]:
    if _use(Part.BEHAVIOUR, term, rules, by_law=Use.OPTIONAL) is Use.UNUSED:
        return
    for key, label in BEHAVIOUR_ITEMS:
        yield Column(key, CellKind.BEHAVIOUR, label, CIRCLE, help="十分満足できる状況にある場合に○")


def _remarks_columns(term: TermKey, rules: BoardRules) -> Iterator[Column]:
    if term is TermKey.YEAR:
        label = "総合所見及び指導上参考となる諸事項"
        yield from _text("remarks.general", CellKind.GENERAL_REMARKS, label, Part.REMARKS, term, rules)
    else:
        yield from _text("remarks.comment", CellKind.COMMENT, "通知表所見", Part.REMARKS, term, rules)
    kind, part = CellKind.ATTENDANCE_REMARK, Part.ATTENDANCE_REMARK
    yield from _text("remarks.attendance", kind, "出欠の備考", part, term, rules, by_law=Use.OPTIONAL)


SUBJECT_ORDER: tuple[Subject, ...] = (
    *(subject for subject, _ in _SUBJECTS),
    MORAL,
    FOREIGN_LANGUAGE_ACTIVITY,
    INTEGRATED,
    SPECIAL_ACTIVITY,
    BEHAVIOUR,
    REMARKS,
)
"""Every sheet there is, in form order."""
