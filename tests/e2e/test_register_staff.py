"""校務分掌 and 出席番号: the 教頭 gives a duty with its days, the office numbers a class anew."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.browser import Browse


def test_a_duty_is_given_and_ended(browse: Browse) -> None:
    page = browse("aozora.es.vice", "/roster")
    page.get_by_role("link", name="教職員").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("教職員と校務分掌")
    page.get_by_label("教職員", exact=False).last.select_option(index=3)
    page.get_by_label("分掌必須").select_option(label="副担任")
    page.get_by_label("学級（副担任・教科担任）").select_option(label="6年1組")
    page.get_by_role("button", name="この分掌にする").click()
    expect(page.get_by_text("校務分掌を登録しました")).to_be_visible()
    given = page.get_by_role("listitem").filter(has_text="副担任　6年1組").first
    expect(given).to_be_visible()
    browse.check(page, "register-staff")
    given.locator("summary").click()
    given.get_by_role("button", name="この日までにする").click()
    expect(page.get_by_text("校務分掌を終えました")).to_be_visible()


def test_a_class_is_numbered_anew_after_it_was_looked_at(browse: Browse) -> None:
    page = browse("aozora.es.office", "/roster")
    page.get_by_role("link", name="6年2組", exact=True).click()
    page.get_by_role("link", name="出席番号を付け直す").click()
    page.get_by_label("並べ方").select_option(label="女子が先の五十音順")
    page.get_by_label("男女別のとき、後の人の最初の番号").fill("51")
    page.get_by_role("button", name="確かめる").click()
    expect(page.get_by_role("table", name="新しい出席番号")).to_be_visible()
    browse.check(page, "register-numbers")
    page.get_by_role("button", name="この番号にする").click()
    expect(page.get_by_text("出席番号を付け直しました")).to_be_visible()
    expect(page.get_by_role("table", name="6年2組の名簿").locator("tbody tr").last).to_contain_text("6")
