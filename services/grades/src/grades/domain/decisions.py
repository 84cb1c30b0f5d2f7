"""What a board may decide for one school year: 学期, the parts of 通知表, how long texts may be; and what differs.

学校教育法施行令 29条1項: the founder decides 学期. 通知表 has no legal form. A text may be as long as the form holds
(`DEFAULT_LIMITS`), never longer; 指導要録 keeps every part the law asks for, whatever 通知表 leaves out.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from jpschool.school_year import first_day, last_day

from grades.domain.board_rules import DEFAULT_LIMITS, BoardRules, Part, Use
from grades.domain.terms import TermDates, TermKey

TERM_KEYS = (TermKey.FIRST, TermKey.SECOND, TermKey.THIRD)
LONGEST_LABEL = 10
FEWEST_CHARACTERS = 10
"""Below this no sentence can be written."""

PART_LABELS: Mapping[Part, str] = MappingProxyType(
    {
        Part.RATING: "学期の評定",
        Part.SUBJECT_COMMENT: "教科ごとの所見",
        Part.MORAL: "特別の教科 道徳",
        Part.FOREIGN_LANGUAGE_ACTIVITY: "外国語活動",
        Part.INTEGRATED: "総合的な学習の時間",
        Part.SPECIAL_ACTIVITY: "特別活動",
        Part.BEHAVIOUR: "行動の記録",
        Part.REMARKS: "学級担任の所見",
        Part.ATTENDANCE_REMARK: "出欠の備考",
    }
)
USE_LABELS = {Use.REQUIRED: "必ず入力", Use.OPTIONAL: "入力してもよい", Use.UNUSED: "使わない"}

LIMIT_LABELS: Mapping[str, tuple[str, Part]] = MappingProxyType(
    {
        "comment": ("教科ごとの所見", Part.SUBJECT_COMMENT),
        "moral": ("特別の教科 道徳", Part.MORAL),
        "foreign_language_activity": ("外国語活動", Part.FOREIGN_LANGUAGE_ACTIVITY),
        "integrated.activity": ("総合：学習活動", Part.INTEGRATED),
        "integrated.viewpoint": ("総合：観点", Part.INTEGRATED),
        "integrated.assessment": ("総合：評価", Part.INTEGRATED),
        "remarks.comment": ("学級担任の所見", Part.REMARKS),
        "remarks.general": ("総合所見", Part.REMARKS),
        "remarks.attendance": ("出欠の備考", Part.ATTENDANCE_REMARK),
    }
)

_CIRCLES_ONLY = frozenset({Part.SPECIAL_ACTIVITY, Part.BEHAVIOUR})

Limits = Mapping[tuple[str, bool], int]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a decision: the path of the field (empty = the whole) and the sentence beside it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs between two decisions, in words. `before` empty = new, `after` empty = gone."""

    subject: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TermWish:
    """A 学期 as the board wants it. It begins the day after the one before ends, so nothing can gap or overlap."""

    key: TermKey
    label: str
    ends_on: date | None
    """Not asked of the last: it ends with the year."""


def lay_terms(school_year: int, wishes: Sequence[TermWish]) -> tuple[TermDates, ...]:
    """The year cut at the ends wished for; with faults in `wishes` the dates mean nothing."""
    laid: list[TermDates] = []
    starts_on = first_day(school_year)
    for at, wish in enumerate(wishes):
        ends_on = wish.ends_on if at < len(wishes) - 1 and wish.ends_on else last_day(school_year)
        laid.append(TermDates(wish.key, wish.label.strip(), starts_on, ends_on))
        starts_on = min(ends_on, last_day(school_year)) + timedelta(days=1)
    return tuple(laid)


def faults_of_wishes(school_year: int, wishes: Sequence[TermWish]) -> list[Fault]:
    """Why these 学期 cannot be laid: names missing or twice, ends outside the year or out of order."""
    if tuple(wish.key for wish in wishes) not in (TERM_KEYS, TERM_KEYS[:2]):
        return [Fault("", "学期は二つか三つです（二学期制・三学期制）。")]
    faults = []
    labels = [wish.label.strip() for wish in wishes]
    for at, label in enumerate(labels):
        if not label:
            faults.append(Fault(f"terms.{at}.label", "学期の名前を入力してください（例：1学期）。"))
        elif len(label) > LONGEST_LABEL:
            faults.append(Fault(f"terms.{at}.label", f"学期の名前は{LONGEST_LABEL}字までです。"))
        elif label in labels[:at]:
            faults.append(Fault(f"terms.{at}.label", f"「{label}」が二つあります。別の名前にしてください。"))
    first, last = first_day(school_year), last_day(school_year)
    before, name = first - timedelta(days=1), ""
    for at, wish in enumerate(wishes[:-1]):
        field = f"terms.{at}.ends_on"
        if wish.ends_on is None:
            faults.append(Fault(field, "終わりの日を入力してください。"))
            continue
        if not first <= wish.ends_on < last:
            until = _day(last - timedelta(days=1))
            faults.append(Fault(field, f"{school_year}年度の日（{_day(first)}から{until}まで）にしてください。"))
        elif wish.ends_on <= before:
            faults.append(Fault(field, f"{name}の終わり（{_day(before)}）より後の日にしてください。"))
        else:
            before, name = wish.ends_on, labels[at] or "前の学期"
    return faults


def faults_of_dropped(
    now: Sequence[TermDates],
    wanted: Sequence[TermDates],
    closed: Mapping[TermKey, Sequence[str]],
    entered: AbstractSet[TermKey],
) -> list[Fault]:
    """A term goes (三学期制 to 二学期制) only while nothing is in it; `entered`: terms in which a cell is filled."""
    kept = {term.key for term in wanted}
    faults = []
    for term in now:
        if term.key in kept:
            continue
        if schools := closed.get(term.key):
            message = f"{term.label}は{name_schools(schools)}で締められているため、なくせません。"
            faults.append(Fault("", message))
        elif term.key in entered:
            faults.append(Fault("", f"{term.label}にはすでに成績が入力されているため、なくせません。"))
    return faults


def faults_of_closed(
    now: Sequence[TermDates], wanted: Sequence[TermDates], closed: Mapping[TermKey, Sequence[str]]
) -> list[Fault]:
    """A term some school has closed stays as it is; `closed`: names of those schools by term."""
    was = {term.key: term for term in now}
    faults = []
    for at, term in enumerate(wanted):
        schools, old = closed.get(term.key, ()), was.get(term.key)
        if not schools or old is None or old == term:
            continue
        if term.label != old.label:
            field = f"terms.{at}.label"
        elif term.ends_on != old.ends_on:
            field = f"terms.{at}.ends_on"
        else:
            field = f"terms.{at - 1}.ends_on"
        message = (
            f"{old.label}は{name_schools(schools)}で締められているため、名前も日付も変えられません。"
            "再開できるのは各校の校長です（「学期の締め」の画面）。"
        )
        faults.append(Fault(field, message))
    return faults


def name_schools(schools: Sequence[str]) -> str:
    """The first three by name."""
    named = "・".join(schools[:3])
    return named if len(schools) <= 3 else f"{named}ほか{len(schools) - 3}校"


def a_year_later(terms: Sequence[TermDates]) -> tuple[TermWish, ...]:
    """Last year's 学期 as wishes for the year after it."""
    return tuple(TermWish(term.key, term.label, _year_later(term.ends_on)) for term in terms)


def _year_later(day: date) -> date:
    leap = (day.month, day.day) == (2, 29)
    return date(day.year + 1, 2, 28) if leap else day.replace(year=day.year + 1)


def allowed_uses(part: Part) -> tuple[Use, ...]:
    """Parts of ○ cannot be asked for: an empty cell says something there."""
    return (Use.OPTIONAL, Use.UNUSED) if part in _CIRCLES_ONLY else (Use.REQUIRED, Use.OPTIONAL, Use.UNUSED)


def faults_of_report_card(
    uses: Sequence[tuple[Part, Use]], limits: Sequence[tuple[tuple[str, bool], int]]
) -> list[Fault]:
    """Why these parts and lengths cannot be decided."""
    faults = [
        Fault(f"parts.{at}.use", f"{PART_LABELS[part]}は○を付ける欄なので、「必ず入力」にはできません。")
        for at, (part, use) in enumerate(uses)
        if use not in allowed_uses(part)
    ]
    for at, (column, characters) in enumerate(limits):
        most = DEFAULT_LIMITS[column]
        if not FEWEST_CHARACTERS <= characters <= most:
            label = limit_label(column)
            message = f"{label}は{FEWEST_CHARACTERS}字から{most}字までです（{most}字が様式に入る最大です）。"
            faults.append(Fault(f"limits.{at}.max_characters", message))
    return faults


def limit_label(column: tuple[str, bool]) -> str:
    """The column with the form it is printed on."""
    return f"{LIMIT_LABELS[column[0]][0]}（{'指導要録' if column[1] else '通知表'}）"


def differences_of_terms(before: Sequence[TermDates], after: Sequence[TermDates]) -> list[Difference]:
    """Terms that come and go, names and dates that change."""
    was = {term.key: term for term in before}
    kept = {term.key for term in after}
    found = [Difference(term.label, "期間", _span(term), "") for term in before if term.key not in kept]
    for term in after:
        old = was.get(term.key)
        if old is None:
            found.append(Difference(term.label, "期間", "", _span(term)))
            continue
        if old.label != term.label:
            found.append(Difference(term.label, "名前", old.label, term.label))
        if (old.starts_on, old.ends_on) != (term.starts_on, term.ends_on):
            found.append(Difference(term.label, "期間", _span(old), _span(term)))
    return found


def differences_of_report_card(before: BoardRules, after: BoardRules) -> list[Difference]:
    """Parts and lengths that change, in form order."""
    found = [
        Difference(label, "扱い", USE_LABELS[before.use(part)], USE_LABELS[after.use(part)])
        for part, label in PART_LABELS.items()
        if before.use(part) is not after.use(part)
    ]
    old, new = dict(before.limits), dict(after.limits)
    found += [
        Difference(limit_label(column), "字数", f"{old[column]}字", f"{new[column]}字")
        for column in DEFAULT_LIMITS
        if old[column] != new[column]
    ]
    return found


def _span(term: TermDates) -> str:
    return f"{_day(term.starts_on)}〜{_day(term.ends_on)}"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def may_change_year(school_year: int, this_year: int) -> str:
    """Empty where the year's decisions may change: this one and the next. The past stands on paper already."""
    if school_year < this_year:
        return "終わった年度の決まりは変えられません。その年度の出席簿・通知表がこの決まりで作られています。"
    if school_year > this_year + 1:
        return f"決められるのは{this_year + 1}年度までです。"
    return ""
