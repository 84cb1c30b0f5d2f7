"""家族・連絡先・住所: the office changes them from a day on; a protected address is not told to the 担任."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.browser import Browse


def test_the_office_keeps_a_family(browse: Browse) -> None:
    page = browse("aozora.es.office", "/roster")
    page.get_by_role("link", name="5年2組", exact=True).click()
    page.locator("tbody th a").nth(3).click()
    page.get_by_role("link", name=re.compile("見る・変える")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("家族・連絡先・住所")
    browse.check(page, "family")
    page.get_by_text("保護者を加える").click()
    new = page.locator("details[open]")
    new.get_by_label("姓必須", exact=True).fill("汐見")
    new.get_by_label("名必須", exact=True).fill("渚沙")
    new.get_by_label("続柄").fill("祖母")
    new.get_by_label("順番").fill("1")
    new.get_by_label("親権").select_option(label="未成年後見人")
    new.get_by_role("button", name="この内容で登録する").click()
    first = page.locator("section", has=page.get_by_role("heading", name="保護者")).locator(".card").first
    expect(first).to_contain_text("祖母")
    expect(first).to_contain_text("指導要録の保護者")
    expect(first).to_contain_text("未成年後見人")
    page.get_by_text("連絡先を加える").click()
    new = page.locator("details[open]")
    new.get_by_label("どこの、だれの電話か").fill("祖母の勤務先")
    new.get_by_label("電話番号").fill("03-0000-0000")
    browse.check(page, "family-contact")
    new.get_by_role("button", name="この内容で登録する").click()
    expect(page.get_by_text("祖母の勤務先").first).to_be_visible()
    page.get_by_text("支援措置の対象にする").click()
    page.locator("details[open]").get_by_label("理由").fill("教育委員会からの連絡")
    page.get_by_role("button", name="住所・連絡先を限って見せる").click()
    expect(page.get_by_text("支援措置の対象です")).to_be_visible()
    browse.check(page, "family-protected")
    teacher = browse("aozora.es.teacher1")
    teacher.goto(page.url)
    expect(teacher.get_by_text("校長・教頭・事務職員だけが見られます")).to_be_visible()
    expect(teacher.get_by_text("祖母の勤務先")).to_have_count(0)
    page.get_by_text("支援措置の扱いを解く").click()
    page.locator("details[open]").get_by_label("理由").fill("終わりの連絡")
    page.get_by_role("button", name="解く", exact=True).click()
    expect(page.get_by_text("支援措置の対象にする")).to_be_visible()
