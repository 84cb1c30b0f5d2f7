"""J5: the 校長 sees what is missing, closes the term, everybody is told why; reopening has a reason."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.test_marks import cell, clear, open_sheet, ready, saved, signed_in
from tests.support.browser import Browse

TEACHER, PRINCIPAL = "hoshi.es.teacher1", "hoshi.es.principal"


def open_closing(browse: Browse) -> Page:
    page = signed_in(browse, PRINCIPAL)
    page.goto(browse.address("/"))
    page.get_by_role("link", name="学期の締め", exact=True).click()
    browse.check(page, "terms")
    page.get_by_role("link", name="3学期").click()
    return page


def confirm(page: Page, button: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=button).click()


def test_closing_and_reopening_a_term(browse: Browse) -> None:
    marks = open_sheet(browse, TEACHER, "国語", "3学期")
    clear(marks)
    cell(marks, 1, "評定").click()
    marks.keyboard.press("3")
    saved(marks)

    page = open_closing(browse)
    before = int(re.sub(r"\D", "", page.get_by_role("heading", name="未入力").inner_text()))
    line = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="3年1組")).filter(has_text="国語")
    expect(line).to_contain_text("139件")  # 35 × 4 − 1
    browse.check(page, "term-open")
    expect(line.get_by_role("link")).to_have_attribute("href", re.compile("/grades/.*/japanese/3"))

    # Without a yes and a reason it stays open.
    page.get_by_role("button", name="締める").click()
    confirm(page, "締める")
    expect(page.get_by_role("alert")).to_contain_text(f"未入力が{before}件あります")
    page.get_by_role("checkbox", name=re.compile("あるまま締める")).check()
    page.get_by_role("textbox", name="未入力のまま締める理由").fill("3学期はまだ始まっていないため（試し）")
    page.get_by_role("button", name="締める").click()
    confirm(page, "締める")
    expect(page.get_by_text("3学期を締めました。")).to_be_visible()
    browse.check(page, "term-closed")

    # A page that was open all the time is told when it tries; a page opened now says it at once.
    cell(marks, 2, "評定").click()
    marks.keyboard.press("2")
    why = re.compile(r"\d{4}-\d{2}-\d{2}に校長が締めました。再開できるのは校長です。")
    expect(marks.get_by_role("alert").filter(has_text=why)).to_be_visible()
    marks.once("dialog", lambda dialog: dialog.accept())
    marks.reload()
    expect(marks.get_by_text(why)).to_be_visible()
    expect(cell(marks, 2, "評定")).to_have_text("")
    cell(marks, 2, "評定").click()
    marks.keyboard.press("2")
    expect(cell(marks, 2, "評定")).to_have_text("")
    browse.check(marks, "marks-locked")

    page.get_by_role("textbox", name="再開する理由").fill("国語の評定に誤りが見つかったため")
    page.get_by_role("button", name="再開する").click()
    confirm(page, "再開する")
    expect(page.get_by_text("3学期を再開しました。")).to_be_visible()
    reopened = page.get_by_role("row").filter(has_text="国語の評定に誤りが見つかったため").first
    expect(reopened).to_contain_text("星川")
    marks.reload()
    ready(marks)
    cell(marks, 2, "評定").click()
    marks.keyboard.press("2")
    saved(marks)


def test_a_teacher_cannot_close(browse: Browse) -> None:
    page = browse("hoshi.es.vice")
    page.goto(browse.address("/terms"))
    page.get_by_role("link", name="1学期").click()
    expect(page.get_by_text("締められるのは校長です。")).to_be_visible()
    expect(page.get_by_role("button", name="締める")).to_have_count(0)
    teacher = browse(TEACHER)
    teacher.goto(page.url)
    expect(teacher.get_by_role("heading", level=1)).to_have_text("この操作はできません")
