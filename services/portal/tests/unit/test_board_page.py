"""学校の決まり: rows are added, moved and removed on the way, and nothing is lost of what was typed."""

import pytest
from portal.audit_words import Difference, action_words, differences
from portal.pages.board import SymbolRow, _rows, rearranged
from starlette.datastructures import FormData

ROWS = [SymbolRow(key, sign) for key, sign in (("ill", "病"), ("other", "事"), ("late", "チ"))]


@pytest.mark.parametrize(
    ("done", "order", "focus"),
    [
        ("up:2", "病チ事", "up-1"),
        ("down:0", "事病チ", "down-1"),
        ("up:0", "病事チ", "up-0"),
        ("down:2", "病事チ", "down-2"),
        ("remove:1", "病チ", "add"),
        ("up:9", "病事チ", ""),
        ("nonsense", "病事チ", ""),
    ],
)
def test_rows_move_and_the_keyboard_stays_on_them(done: str, order: str, focus: str):
    rows, now = rearranged(ROWS, done)
    assert ("".join(row.sign for row in rows), now) == (order, focus)


def test_a_new_row_comes_last_and_is_typed_in_at_once():
    rows, focus = rearranged(ROWS, "add")
    assert (rows[-1], focus) == (SymbolRow(), "f-symbols.3.sign")


def test_rows_are_read_in_the_order_they_stand_in_the_form():
    form = FormData(
        [
            ("symbols.1.key", "late"),
            ("symbols.0.key", "ill"),
            ("symbols.1.sign", "チ"),
            ("terms.0.key", "1"),
            ("symbols.x.key", "?"),
            ("version", "3"),
        ]
    )
    assert list(_rows(form, "symbols")) == [{"key": "late", "sign": "チ"}, {"key": "ill"}]


def test_the_log_tells_a_decision_in_words():
    assert action_words("board_symbols.changed") == "出欠記号の決まりの変更"
    assert action_words("board_report_card.copied") == "通知表の構成の決まりの前年度からの写し"
    assert action_words("board_terms.undone") == "学期の決まりの取り消し"
    before, after = '{"公欠": {"記号": "公"}}', '{"school_year": 2026, "公欠": {"記号": "席"}}'
    assert differences(before, after, {}) == [Difference("公欠・記号", "公", "席"), Difference("年度", "", "2026")]
