"""J3: a 担任 opens her class, marks the exceptions by key or tap, saves; the month sheet adds up."""

from __future__ import annotations

import re
from datetime import date, timedelta

from playwright.sync_api import Page, expect
from servicekit.clock import today_jst

from tests.support.browser import PHONE, Browse, sign_in


def last_lesson_day() -> date:
    """A weekday that is over or under way; the demo boards' holidays fall on none of the candidates chosen here."""
    day = today_jst()
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return day


def open_roll(page: Page, on: date) -> None:
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="出欠").click()
    page.get_by_role("link", name="3年1組", exact=True).click()
    page.goto(f"{page.url.split('?')[0]}?on={on.isoformat()}")


def row(page: Page, number: int):
    return page.locator("fieldset[data-row]").nth(number - 1)


def save(page: Page) -> None:
    """Saves; a correction of a past day says why."""
    why = page.get_by_label(re.compile("^訂正の理由"))
    if why.is_visible():
        why.fill("保護者から連絡があった")
    page.get_by_role("button", name=re.compile("保存する$")).click()


def test_the_roll_by_keyboard_and_the_month_sheet(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    on = last_lesson_day()
    open_roll(page, on)
    expect(page.locator("fieldset[data-row]")).to_have_count(35)
    row(page, 1).get_by_role("radio", name="出席", exact=True).focus()
    page.keyboard.press("b")
    expect(row(page, 1).get_by_role("radio", name="病欠", exact=True)).to_be_checked()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    expect(row(page, 2).get_by_role("radio", name="遅刻", exact=True)).to_be_checked()
    expect(page.get_by_role("status").filter(has_text="出席以外")).to_have_text("出席以外：病欠 1・遅刻 1")
    row(page, 1).get_by_role("combobox").fill("感冒")
    browse.check(page, "attendance-day")
    save(page)
    expect(page.get_by_text("出欠を保存しました（出席以外 2人）")).to_be_visible()
    expect(row(page, 1).get_by_role("radio", name="病欠", exact=True)).to_be_checked()

    # A correction keeps what was there.
    row(page, 2).get_by_role("radio", name="出席", exact=True).focus()
    page.keyboard.press("0")
    save(page)
    expect(page.get_by_text("出席以外 1人")).to_be_visible()
    page.get_by_role("link", name=f"{on.month}月の出席簿").click()
    browse.check(page, "attendance-month")
    page.get_by_role("link").filter(has_text="訂").first.click()
    expect(page.get_by_role("cell", name="遅刻", exact=True).first).to_be_visible()
    browse.check(page, "attendance-history")


def test_the_roll_by_tap_on_a_phone(browse: Browse) -> None:
    page = browse("hoshi.es.teacher1", viewport=PHONE)
    page.goto(browse.address("/attendance"))
    page.get_by_role("link", name="3年1組", exact=True).click()
    page.goto(f"{page.url.split('?')[0]}?on={last_lesson_day().isoformat()}")
    row(page, 3).get_by_role("radio", name="出席", exact=True).click()
    row(page, 3).get_by_role("radio", name="早退", exact=True).click()
    save(page)
    expect(page.get_by_text("出席以外 1人")).to_be_visible()


def test_a_day_to_come_and_a_day_off_say_why_they_are_locked(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    open_roll(page, date(2026, 11, 22))
    expect(page.get_by_text("授業日ではありません")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("保存"))).to_have_count(0)


def test_a_lost_connection_loses_nothing(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    on = last_lesson_day() - timedelta(days=7)
    open_roll(page, on)
    row(page, 5).get_by_role("radio", name="出席", exact=True).focus()
    page.keyboard.press("j")
    page.context.set_offline(True)
    save(page)
    expect(page.get_by_role("button", name="つながったら保存します…")).to_be_visible()
    expect(row(page, 5).get_by_role("radio", name="事故欠", exact=True)).to_be_checked()
    page.context.set_offline(False)
    expect(page.get_by_text("出席以外 1人")).to_be_visible()


def kept(page: Page) -> list[str]:
    """What lies unsaved in this browser, as it lies there."""
    return page.evaluate("Object.entries(localStorage).filter(([name]) => name.startsWith('komu.kept')).map(e => e[1])")


def ready(page: Page) -> None:
    expect(page.locator("form[data-roll][data-ready]")).to_be_attached()


RESTORED = "保存していなかった入力を戻しました"


def test_marks_not_yet_saved_survive_a_closed_tab_and_nobody_else_gets_them(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    open_roll(page, last_lesson_day() - timedelta(days=14))
    address = page.url
    ready(page)
    row(page, 7).get_by_role("radio", name="出席", exact=True).focus()
    page.keyboard.press("b")
    row(page, 7).get_by_role("combobox").fill("腹痛")
    page.wait_for_function("Object.keys(localStorage).some(name => name.startsWith('komu.kept'))")
    assert "腹痛" not in kept(page)[0]
    context = page.context
    page.close(run_before_unload=False)

    again = context.new_page()
    again.goto(address)
    expect(again.get_by_role("status").filter(has_text=RESTORED)).to_be_visible()
    expect(row(again, 7).get_by_role("radio", name="病欠", exact=True)).to_be_checked()
    expect(row(again, 7).get_by_role("combobox")).to_have_value("腹痛")
    expect(again.get_by_role("status").filter(has_text="出席以外")).to_contain_text("病欠 1")
    browse.check(again, "attendance-restored")
    again.close(run_before_unload=False)

    context.clear_cookies()
    other = context.new_page()
    other.goto(browse.address("/"))
    sign_in(other, browse.stack, "aozora.es.principal")
    other.goto(address)
    ready(other)
    expect(row(other, 7).get_by_role("radio", name="出席", exact=True)).to_be_checked()
    expect(other.get_by_text(RESTORED)).to_have_count(0)
    assert kept(other) == []


def test_a_session_that_ended_before_saving_loses_no_mark(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    open_roll(page, last_lesson_day() - timedelta(days=21))
    ready(page)
    row(page, 9).get_by_role("radio", name="出席", exact=True).focus()
    page.keyboard.press("c")
    page.context.clear_cookies(name=re.compile("session"))
    save(page)  # Keycloak still knows her: the same page comes back, under a new session
    expect(page.get_by_role("status").filter(has_text=RESTORED)).to_be_visible()
    expect(row(page, 9).get_by_role("radio", name="遅刻", exact=True)).to_be_checked()
    # Meanwhile the principal saved another mark for the same child.
    colleague = browse("aozora.es.principal")
    colleague.goto(page.url)
    ready(colleague)
    row(colleague, 9).get_by_role("radio", name="出席", exact=True).focus()
    colleague.keyboard.press("b")
    save(colleague)
    expect(colleague.get_by_text("出席以外 1人")).to_be_visible()
    page.reload()
    expect(page.get_by_role("status").filter(has_text="ほかの人が同じところを保存しています：9 ")).to_be_visible()
    browse.check(page, "attendance-restored-overtaken")
    save(page)
    expect(page.get_by_text("出席以外 1人")).to_be_visible()
    expect(row(page, 9).get_by_role("radio", name="遅刻", exact=True)).to_be_checked()
    page.reload()
    ready(page)
    expect(page.get_by_text(RESTORED)).to_have_count(0)
    assert kept(page) == []


def test_somebody_elses_class_is_refused_with_the_reason(browse: Browse) -> None:
    mine = browse("aozora.es.teacher1")
    open_roll(mine, last_lesson_day())
    address = mine.url
    colleague = browse("aozora.es.teacher2")
    colleague.goto(address)
    expect(colleague.get_by_text("3年1組の担任ではないため")).to_be_visible()
    browse.check(colleague, "attendance-refused")
    stranger = browse("hoshi.es.teacher1")
    stranger.goto(address)
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("見つかりません")


def test_the_leaders_see_the_school_and_declare_a_closure(browse: Browse) -> None:
    page = browse("hoshi.es.principal")
    page.goto(browse.address("/attendance"))
    expect(page.get_by_role("table")).to_be_visible()
    browse.check(page, "attendance-school")
    page.get_by_role("link", name=re.compile("臨時休業")).first.click()
    page.get_by_label("範囲").select_option(label="小3")
    page.get_by_label("始まり").fill("2026-11-26")
    page.get_by_label("終わり").fill("2026-11-25")
    page.get_by_label(re.compile("^理由")).fill("インフルエンザ")
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("alert")).to_contain_text("終わりの日は始まりの日以後")
    page.get_by_label("終わり").fill("2026-11-27")
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("cell", name="学年閉鎖 小3").first).to_be_visible()
    browse.check(page, "attendance-closures")
    page.get_by_label("取り消す理由").first.fill("登録の誤り")
    page.get_by_role("button", name="取り消す").first.click()
    expect(page.get_by_role("cell", name="取消済み").first).to_be_visible()
    page.goto(page.url.replace("closures", "calendar"))
    browse.check(page, "attendance-calendar")
