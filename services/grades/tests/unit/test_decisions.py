"""What a board may decide about 学期 and 通知表 for a year (学校教育法施行令 29条1項)."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from grades.domain.board_rules import DEFAULT_LIMITS, BoardRules, Part, Use
from grades.domain.decisions import (
    LIMIT_LABELS,
    PART_LABELS,
    TERM_KEYS,
    Difference,
    TermWish,
    a_year_later,
    allowed_uses,
    differences_of_report_card,
    differences_of_terms,
    faults_of_closed,
    faults_of_dropped,
    faults_of_report_card,
    faults_of_wishes,
    lay_terms,
    may_change_year,
)
from grades.domain.terms import TermKey, default_terms
from hypothesis import given
from hypothesis import strategies as st

YEAR = 2026
DEFAULTS = default_terms(YEAR)[:3]
DAYS = st.dates(date(YEAR, 3, 1), date(YEAR + 1, 4, 30))


def wishes(first: date | None, second: date | None, labels: tuple[str, ...] = ("1学期", "2学期", "3学期")):
    ends = (first, second, None)
    return tuple(TermWish(key, label, on) for key, label, on in zip(TERM_KEYS, labels, ends, strict=True))


def fields(*args: object) -> list[str]:
    return [fault.field for fault in faults_of_wishes(YEAR, wishes(*args))]  # type: ignore[arg-type]


@given(DAYS, DAYS)
def test_terms_without_faults_fill_the_year_without_gap_or_overlap(first: date, second: date):
    wish = wishes(first, second)
    laid = lay_terms(YEAR, wish)
    good = date(YEAR, 4, 1) <= first < second < date(YEAR + 1, 3, 31)
    assert (faults_of_wishes(YEAR, wish) == []) == good
    if good:
        assert (laid[0].starts_on, laid[-1].ends_on) == (date(YEAR, 4, 1), date(YEAR + 1, 3, 31))
        assert [b.starts_on - a.ends_on for a, b in pairwise(laid)] == [timedelta(days=1)] * 2
        assert all(term.starts_on <= term.ends_on for term in laid)


def test_a_wrong_end_is_told_at_its_field():
    assert fields(date(2026, 7, 31), date(2026, 12, 31)) == []
    assert fields(date(2026, 3, 31), date(2026, 12, 31)) == ["terms.0.ends_on"]
    assert fields(date(2026, 7, 31), date(2027, 3, 31)) == ["terms.1.ends_on"]
    assert fields(None, date(2026, 12, 31)) == ["terms.0.ends_on"]
    (fault,) = faults_of_wishes(YEAR, wishes(date(2026, 7, 31), date(2026, 7, 20)))
    assert fault.message == "1学期の終わり（2026年7月31日）より後の日にしてください。"


def test_names_are_there_short_and_different():
    ends = date(2026, 7, 31), date(2026, 12, 31)
    assert fields(*ends, ("前期", "中期", "後期")) == []
    assert fields(*ends, ("", "あ" * 11, "3学期")) == ["terms.0.label", "terms.1.label"]
    assert fields(*ends, ("1学期", "1学期", "3学期")) == ["terms.1.label"]
    assert [fault.field for fault in faults_of_wishes(YEAR, wishes(*ends)[1:])] == [""]


def test_a_year_of_two_terms_fills_the_year_too():
    """二学期制."""
    two = wishes(date(2026, 10, 11), None, ("前期", "後期", ""))[:2]
    assert faults_of_wishes(YEAR, two) == []
    laid = lay_terms(YEAR, two)
    assert [(term.starts_on, term.ends_on) for term in laid] == [
        (date(2026, 4, 1), date(2026, 10, 11)),
        (date(2026, 10, 12), date(2027, 3, 31)),
    ]
    assert differences_of_terms(DEFAULTS, laid)[0] == Difference("3学期", "期間", "2027年1月1日〜2027年3月31日", "")
    assert differences_of_terms(laid, DEFAULTS)[-1] == Difference("3学期", "期間", "", "2027年1月1日〜2027年3月31日")


def test_a_term_goes_only_while_nothing_is_in_it():
    laid = lay_terms(YEAR, wishes(date(2026, 10, 11), None)[:2])
    assert faults_of_dropped(DEFAULTS, laid, {TermKey.FIRST: ("青空小",)}, {TermKey.FIRST}) == []
    (entered,) = faults_of_dropped(DEFAULTS, laid, {}, {TermKey.THIRD})
    (closed,) = faults_of_dropped(DEFAULTS, laid, {TermKey.THIRD: ("青空小",)}, {TermKey.THIRD})
    assert "すでに成績が入力されている" in entered.message
    assert "青空小で締められている" in closed.message


def test_a_closed_term_stays_as_it_is_and_says_where_and_who_can_reopen():
    now = lay_terms(YEAR, wishes(date(2026, 7, 31), date(2026, 12, 31)))
    moved = lay_terms(YEAR, wishes(date(2026, 7, 24), date(2026, 12, 31)))
    closed = {TermKey.FIRST: ("青空小", "青空中", "海小", "山小")}
    (fault,) = faults_of_closed(now, moved, closed)
    assert fault.field == "terms.0.ends_on"
    assert "1学期は青空小・青空中・海小ほか1校で締められているため" in fault.message
    assert "再開できるのは各校の校長です" in fault.message
    # 2学期 would begin on another day, because of the end of 1学期.
    assert [one.field for one in faults_of_closed(now, moved, {TermKey.SECOND: ("青空小",)})] == ["terms.0.ends_on"]
    assert faults_of_closed(now, moved, {TermKey.THIRD: ("青空小",)}) == []
    renamed = lay_terms(YEAR, wishes(date(2026, 7, 31), date(2026, 12, 31), ("前期", "2学期", "3学期")))
    assert [one.field for one in faults_of_closed(now, renamed, closed)] == ["terms.0.label"]
    assert faults_of_closed(now, now, closed) == []


def test_last_years_terms_move_on_by_a_year():
    before = lay_terms(2027, wishes(date(2027, 7, 31), date(2028, 2, 29)))
    after = lay_terms(2028, a_year_later(before))
    assert [term.ends_on for term in after] == [date(2028, 7, 31), date(2029, 2, 28), date(2029, 3, 31)]
    assert lay_terms(YEAR + 1, a_year_later(DEFAULTS)) == default_terms(YEAR + 1)[:3]


def test_parts_of_circles_cannot_be_asked_for():
    """An empty cell says something there: 行動の記録, 特別活動."""
    uses = [(part, Use.REQUIRED) for part in Part]
    found = faults_of_report_card(uses, [])
    assert [uses[int(fault.field.split(".")[1])][0] for fault in found] == [Part.SPECIAL_ACTIVITY, Part.BEHAVIOUR]
    assert all(Use.UNUSED in allowed_uses(part) for part in Part)


@pytest.mark.parametrize(("characters", "good"), [(9, False), (10, True), (200, True), (201, False)])
def test_a_text_is_never_longer_than_the_form_holds(characters: int, good: bool):
    faults = faults_of_report_card([], [(("remarks.comment", False), characters)])
    assert (faults == []) == good
    assert [fault.field for fault in faults] == ([] if good else ["limits.0.max_characters"])


def test_every_part_and_length_has_a_name():
    assert set(PART_LABELS) == set(Part)
    assert {column for column, _ in DEFAULT_LIMITS} == set(LIMIT_LABELS)


def test_differences_are_told_in_words():
    after = BoardRules.of({Part.MORAL: Use.UNUSED}, {("remarks.comment", False): 150})
    assert differences_of_report_card(BoardRules.of({}, {}), after) == [
        Difference("特別の教科 道徳", "扱い", "入力してもよい", "使わない"),
        Difference("学級担任の所見（通知表）", "字数", "200字", "150字"),
    ]
    moved = lay_terms(YEAR, wishes(date(2026, 7, 31), date(2026, 12, 31), ("前期", "2学期", "3学期")))
    assert differences_of_terms(DEFAULTS, moved)[:2] == [
        Difference("前期", "名前", "1学期", "前期"),
        Difference("前期", "期間", "2026年4月1日〜2026年8月31日", "2026年4月1日〜2026年7月31日"),
    ]


def test_the_past_is_settled_and_only_the_next_year_can_be_prepared():
    assert "終わった年度" in may_change_year(2025, 2026)
    assert [may_change_year(year, 2026) for year in (2026, 2027)] == ["", ""]
    assert may_change_year(2028, 2026) == "決められるのは2027年度までです。"
