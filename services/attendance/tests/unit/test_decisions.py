"""What a board may decide about 出欠 for a year, and what it may not (categories are national: school-records §4.3)."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from attendance.domain.calendar import DayState
from attendance.domain.decisions import (
    CATEGORY_BASES,
    CATEGORY_LABELS,
    EFFECT_LABELS,
    Difference,
    differences_of_reasons,
    differences_of_symbols,
    faults_of_reasons,
    faults_of_symbols,
    may_change_year,
    tidy_reasons,
    tidy_symbols,
)
from attendance.domain.marks import DEFAULT_SYMBOLS, Category, Mark, RetiredSymbol, Symbol, changes_of_day
from attendance.domain.sums import PupilDay, sums
from hypothesis import given
from hypothesis import strategies as st

ILL, OTHER = DEFAULT_SYMBOLS[:2]
NURSE = Symbol("", "保", "保健室登校", Category.PRESENT, "")


def changed(key: str, **to: object) -> tuple[Symbol, ...]:
    return tuple(replace(one, **to) if one.key == key else one for one in DEFAULT_SYMBOLS)


def faults(wanted: tuple[Symbol, ...], *used: str) -> list[tuple[str, str]]:
    return [(one.field, one.message) for one in faults_of_symbols(wanted, DEFAULT_SYMBOLS, frozenset(used))]


def test_the_defaults_are_a_good_decision():
    assert faults(DEFAULT_SYMBOLS, *(symbol.key for symbol in DEFAULT_SYMBOLS)) == []


def test_every_category_says_what_it_counts_as_and_when():
    assert set(CATEGORY_LABELS) == set(CATEGORY_BASES) == set(Category)
    assert {category.effect for category in Category} == set(EFFECT_LABELS)


def test_a_new_symbol_is_known_by_its_first_label():
    tidy = tidy_symbols([*DEFAULT_SYMBOLS, replace(NURSE, label=" 保健室登校 ", shortcut="Ｈ")], DEFAULT_SYMBOLS)
    assert (tidy[-1].key, tidy[-1].label, tidy[-1].shortcut) == ("保健室登校", "保健室登校", "h")
    again = tidy_symbols([*(replace(s, label="別") if s.key == "保健室登校" else s for s in tidy), NURSE], tidy)
    assert again[-1].key == "保健室登校（2）"


def test_a_sign_a_label_and_a_key_stand_once():
    wanted = changed("other", sign="病", label="病欠", shortcut="b")
    assert faults(wanted) == [
        ("symbols.1.sign", "記号「病」は「病欠」と同じです。別にしてください。"),
        ("symbols.1.label", "名前「病欠」は「病欠」と同じです。別にしてください。"),
        ("symbols.1.shortcut", "キー「B」は「病欠」と同じです。別にしてください。"),
    ]


def test_a_retired_sign_still_stands_on_the_years_register_but_frees_its_key():
    retired = tidy_symbols(changed("official", retired=True), DEFAULT_SYMBOLS)
    wanted = tidy_symbols([*retired, replace(NURSE, sign="公", shortcut="o")], DEFAULT_SYMBOLS)
    assert faults(wanted) == [("symbols.12.sign", "記号「公」は「公欠」（使わない記号）と同じです。別にしてください。")]


@pytest.mark.parametrize(
    ("to", "field"),
    [
        ({"sign": ""}, "sign"),
        ({"sign": "びょうき"}, "sign"),
        ({"label": ""}, "label"),
        ({"label": "あ" * 21}, "label"),
        ({"shortcut": "0"}, "shortcut"),
        ({"shortcut": "あ"}, "shortcut"),
        ({"shortcut": "bb"}, "shortcut"),
        ({"late": True}, "late"),
        ({"early": True}, "early"),
    ],
)
def test_a_wrong_entry_is_told_at_its_field(to: dict[str, object], field: str):
    assert [where for where, _ in faults(changed("ill", **to))] == [f"symbols.0.{field}"]


def test_what_a_mark_has_keeps_its_category_and_stays():
    """Else the sums of days already marked would change unseen."""
    moved = changed("bereavement", category=Category.EXCUSED_PRINCIPAL)
    assert faults(moved) == []
    assert [where for where, _ in faults(moved, "bereavement")] == ["symbols.5.category"]
    assert [where for where, _ in faults(changed("late", early=True), "late")] == ["symbols.2.early"]
    assert faults(changed("late", sign="遅", retired=True), "late") == []
    without = tuple(one for one in DEFAULT_SYMBOLS if one.key != "official")
    assert faults(without) == []
    (where, why), = faults(without, "official")
    assert (where, "なくせません" in why) == ("", True)


def test_every_effect_can_still_be_said():
    gone = tuple(replace(one, retired=one.category in (ILL.category, OTHER.category)) for one in DEFAULT_SYMBOLS)
    assert faults(gone) == [("", "欠席に数える記号が一つもありません。一つは使えるようにしてください。")]


def test_a_retired_symbol_is_kept_where_it_is_and_offered_nowhere_else():
    symbols = {one.key: one for one in changed("official", retired=True)}
    first, second = uuid4(), uuid4()
    now, on = {first: Mark(first, "official")}, date(2026, 11, 20)
    kept = [Mark(first, "official"), Mark(second, "ill")]
    assert [change.pupil_id for change in changes_of_day([first, second], now, kept, symbols, on)] == [second]
    with pytest.raises(RetiredSymbol):
        changes_of_day([first, second], now, [*kept[:1], Mark(second, "official")], symbols, on)


def test_each_day_is_counted_by_the_symbols_of_its_own_year():
    """2025: x = 病欠; 2026: x = 忌引."""
    of_year = {
        2025: {"x": replace(ILL, key="x")},
        2026: {"x": replace(ILL, key="x", category=Category.BEREAVEMENT, label="忌引")},
    }
    pupil = uuid4()
    days = [PupilDay(on, DayState.LESSON, Mark(pupil, "x")) for on in (date(2026, 3, 10), date(2026, 4, 10))]
    total = sums(days, lambda on: of_year[2025 if on < date(2026, 4, 1) else 2026])
    assert (total.absent_illness, total.bereavement) == (1, 1)


def test_differences_are_told_in_words():
    after = (*changed("ill", sign="欠", shortcut="q")[1:], changed("ill", sign="欠", shortcut="q")[0], NURSE)
    told = differences_of_symbols(DEFAULT_SYMBOLS, after)
    assert Difference("病欠", "記号", "病", "欠") in told
    assert Difference("病欠", "キー", "B", "Q") in told
    assert Difference("保健室登校", "記号", "", "保（出席）") in told
    assert [one.subject for one in told].count("並び順") == 1
    assert differences_of_symbols(DEFAULT_SYMBOLS, DEFAULT_SYMBOLS) == []


@given(st.permutations(DEFAULT_SYMBOLS), st.sets(st.sampled_from([s.key for s in DEFAULT_SYMBOLS])))
def test_no_difference_means_the_same_decision(order: list[Symbol], retired: set[str]):
    after = tuple(replace(one, retired=one.key in retired) for one in order)
    assert (differences_of_symbols(DEFAULT_SYMBOLS, after) == []) == (after == DEFAULT_SYMBOLS)


def test_reasons_stand_once_and_are_short():
    assert tidy_reasons(["感冒 ", "", "　", "発熱"]) == ("感冒", "発熱")
    assert faults_of_reasons(["感冒", "発熱"]) == []
    for wrong in ([], ["感冒", "感冒"], ["あ" * 21], [str(number) for number in range(41)]):
        assert [one.field for one in faults_of_reasons(wrong)] == ["reasons"]
    assert differences_of_reasons(["a", "b"], ["b", "c"]) == [
        Difference("a", "理由", "a", ""),
        Difference("c", "理由", "", "c"),
    ]
    assert differences_of_reasons(["a", "b"], ["b", "a"]) == [Difference("並び順", "順", "a・b", "b・a")]


def test_the_past_is_settled_and_only_the_next_year_can_be_prepared():
    assert "終わった年度" in may_change_year(2025, 2026)
    assert [may_change_year(year, 2026) for year in (2026, 2027)] == ["", ""]
    assert may_change_year(2028, 2026) == "決められるのは2027年度までです。"
