"""The register in daily use: a child found by any name, its page, class lists, 担任, and what one may not do."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.browser import Browse

HARD_NAME = "髙"


def open_register(page: Page) -> None:
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="在籍").click()
    expect(page.get_by_role("heading", level=1, name="在籍")).to_be_visible()


def first_kana(page: Page) -> str:
    return page.locator("tbody th .kana").first.inner_text()


def test_a_teacher_finds_a_child_by_every_spelling(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    open_register(page)
    browse.check(page, "register")
    page.get_by_role("link", name="3年1組", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(35)
    browse.check(page, "register-class")
    kana = first_kana(page).replace("\u3000", "")
    shown = page.locator("tbody th a").first.inner_text()
    hiragana = "".join(chr(ord(sign) - 0x60) if "ァ" <= sign <= "ヶ" else sign for sign in kana)
    for typed in (kana, hiragana, shown.replace("\u3000", "")):
        page.goto(browse.address("/roster"))
        page.get_by_role("searchbox", name="児童生徒を探す").press_sequentially(typed[:6])
        result = page.locator("#results").get_by_role("link", name=shown).first
        expect(result).to_be_visible()
    browse.check(page, "register-search")
    page.get_by_role("searchbox", name="児童生徒を探す").press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/roster/pupils/"))
    expect(page.get_by_role("heading", name="学籍の異動", level=2)).to_be_visible()
    expect(page.get_by_role("table", name="学籍の異動").get_by_text("入学")).to_have_count(1)
    expect(page.get_by_role("table", name="学級の履歴").get_by_text("3年1組")).to_be_visible()
    browse.check(page, "register-pupil")


def test_nothing_found_says_what_to_try(browse: Browse) -> None:
    page = browse("aozora.es.teacher1", "/roster")
    page.goto(browse.address("/roster?q=ぬぬぬぬぬ"))
    expect(page.get_by_text("見つかりません", exact=True)).to_be_visible()
    expect(page.get_by_text("名字だけでも探せます")).to_be_visible()


def test_another_boards_class_does_not_exist(browse: Browse) -> None:
    here = browse("aozora.es.teacher1", "/roster")
    address = here.get_by_role("link", name="3年1組", exact=True).get_attribute("href")
    assert address is not None
    for stranger in ("hoshi.es.teacher1", "aozora.jh.teacher1"):
        page = browse(stranger)
        answer = page.goto(browse.address(address))
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("heading", level=1)).not_to_contain_text("3年1組")


def test_the_principal_hands_a_class_over(browse: Browse) -> None:
    page = browse("aozora.es.principal")
    open_register(page)
    page.get_by_role("link", name="4年1組", exact=True).click()
    expect(page.get_by_role("heading", name="担任を決める")).to_be_visible()
    browse.check(page, "register-homeroom")
    page.get_by_role("button", name="この日から担任にする").click()
    expect(page.get_by_role("heading", name="担任を決める")).to_be_visible()  # nobody chosen: nothing happened
    choices = page.get_by_label("担任になる教職員").locator("option")
    current = page.locator("dl.facts dd").first.inner_text()
    chosen = next(
        label for label in choices.all_inner_texts()[1:] if "教諭" in label and label.split("（")[0] not in current
    )
    page.get_by_label("担任になる教職員").select_option(label=chosen)
    page.get_by_label("いつから").fill("2027-01-08")
    page.get_by_role("button", name="この日から担任にする").click()
    expect(page.get_by_text("担任を登録しました。")).to_be_visible()
    expect(page.locator("dl.facts dd").first).to_contain_text(chosen.split("（")[0])
    expect(page.locator("dl.facts dd").first).to_contain_text("1/7")  # the predecessor's last day stays


def test_a_teacher_does_not_decide_who_leads_a_class(browse: Browse) -> None:
    page = browse("aozora.es.teacher1", "/roster")
    page.get_by_role("link", name="3年1組", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(35)
    expect(page.get_by_role("heading", name="担任を決める")).to_have_count(0)


def test_the_office_changes_a_class_and_is_told_what_is_wrong(browse: Browse) -> None:
    page = browse("aozora.es.office", "/roster")
    page.get_by_role("link", name="2年1組", exact=True).click()
    page.locator("tbody th a").last.click()
    expect(page.get_by_role("heading", name="学級を変える")).to_be_visible()
    page.get_by_role("combobox", name="学級").select_option(index=1)
    page.get_by_label("いつから").fill("2030-01-01")
    page.get_by_role("button", name="この学級に入れる").click()
    expect(page.get_by_role("alert")).to_contain_text("年度")
    browse.check(page, "register-place-refused")


def test_every_name_of_a_child_is_shown_and_found(browse: Browse) -> None:
    """MJ characters: the official name is printed as it stands in the 戸籍, found by its common form."""
    page = browse("aozora.es.office", "/roster")
    page.goto(browse.address("/roster?q=高"))
    results = page.locator("#results tbody th a")
    expect(results.first).to_be_visible()
    assert any(HARD_NAME in name or "高" in name for name in results.all_inner_texts())
    results.first.click()
    expect(page.locator(".name-official").first).to_be_visible()
