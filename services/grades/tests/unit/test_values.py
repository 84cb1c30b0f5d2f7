"""What people type and what is kept."""

import pytest
from grades.domain.curriculum import ABC, CIRCLE, CellKind, Column
from grades.domain.values import Accepted, Rejected, count_characters, read, tidy_text
from hypothesis import given
from hypothesis import strategies as st

VIEWPOINT = Column("viewpoint.knowledge", CellKind.VIEWPOINT, "知識・技能", ABC)
RATING = Column("rating", CellKind.RATING, "評定", ("3", "2", "1"))
BEHAVIOUR = Column("behaviour.health", CellKind.BEHAVIOUR, "健康・体力の向上", CIRCLE)
REMARKS = Column("remarks.comment", CellKind.COMMENT, "通知表所見", max_characters=5)


@pytest.mark.parametrize(
    ("column", "typed", "kept"),
    [
        (VIEWPOINT, "Ａ", "A"),
        (VIEWPOINT, " b ", "B"),
        (VIEWPOINT, "ｃ", "C"),
        (VIEWPOINT, "", ""),
        (RATING, "３", "3"),
        (RATING, "①", "1"),
        *((BEHAVIOUR, typed, "○") for typed in "○〇◯⭕oOｏＯ"),
        (BEHAVIOUR, "⭕\ufe0f", "○"),
        (BEHAVIOUR, "　", ""),
    ],
)
def test_one_spelling_is_kept(column: Column, typed: str, kept: str) -> None:
    assert read(column, typed) == Accepted(kept)


@pytest.mark.parametrize(("column", "typed"), [(VIEWPOINT, "D"), (VIEWPOINT, "AB"), (RATING, "4"), (BEHAVIOUR, "×")])
def test_what_the_form_does_not_know_is_told_with_the_choices(column: Column, typed: str) -> None:
    result = read(column, typed)
    assert isinstance(result, Rejected)
    assert typed in result.message
    assert "・".join(column.allowed) in result.message


def test_a_text_too_long_is_told_by_how_much() -> None:
    assert read(REMARKS, "あいうえお") == Accepted("あいうえお")
    result = read(REMARKS, "あいうえおか")
    assert result == Rejected("通知表所見は5字までです（6字あります）。1字減らしてください。")


def test_names_in_a_text_keep_their_variation_selectors_and_count_once() -> None:
    text = "辻󠄀さんと𠮷野"
    assert count_characters(text) == 6
    assert tidy_text(text) == text


def test_text_is_tidied() -> None:
    assert tidy_text("ｶﾞﾝﾊﾞﾘ　\r\nました\t。\n\n") == "ガンバリ\nました　。"


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\x07"])
def test_control_characters_are_refused(bad: str) -> None:
    assert isinstance(read(REMARKS, f"あ{bad}"), Rejected)


@given(st.text())
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    once = tidy_text(text)
    assert tidy_text(once) == once


@given(st.text(max_size=8), st.sampled_from([VIEWPOINT, RATING, BEHAVIOUR]))
def test_a_closed_list_never_keeps_anything_else(typed: str, column: Column) -> None:
    result = read(column, typed)
    assert isinstance(result, Rejected) or result.value in ("", *column.allowed)
