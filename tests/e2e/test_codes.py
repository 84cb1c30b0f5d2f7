"""J22: a teacher finds the passage of the 学習指導要領 by a word, with its place and its code."""

from playwright.sync_api import expect

from tests.support.browser import Browse


def test_a_passage_is_found_while_typing(browse: Browse) -> None:
    page = browse("aozora.es.teacher1", "/codes")
    page.get_by_label("学年").select_option(label="小3")
    page.get_by_label("ことば・コード").press_sequentially("分数")
    row = page.get_by_role("row").filter(has_text="等分してできる部分の大きさ")
    expect(row).to_contain_text("8250233161100000")
    browse.check(page, "codes")
