"""異動の手続き: a child that came with papers, and one that left for a school answering on paper."""

from __future__ import annotations

import re
from datetime import date, timedelta

from playwright.sync_api import Page, expect

from tests.support.browser import Browse


def day(page: Page, label: str, value: date) -> None:
    page.get_by_label(label).fill(value.isoformat())


def test_the_office_enters_a_child_with_papers_and_its_leaving(browse: Browse) -> None:
    today = date.today()  # noqa: DTZ011 - the stack's own day
    page = browse("aozora.es.office", "/roster")
    page.get_by_role("link", name="異動の手続き").click()
    browse.check(page, "movement-who")
    page.get_by_role("link", name="新しく登録する").click()
    browse.check(page, "movement-kinds")
    page.get_by_role("link", name="転入学").click()
    page.get_by_label("姓必須", exact=True).fill("汐見")
    page.get_by_label("名必須", exact=True).fill("渚")
    page.locator("#f-kana_family").fill("しおみ")
    page.locator("#f-kana_given").fill("ナギサ")
    day(page, "生年月日", date(2017, 6, 1))
    page.locator("#f-guardian_family").fill("汐見")
    page.locator("#f-guardian_given").fill("波子")
    page.get_by_label("続柄").fill("母")
    day(page, "転入学した日", today - timedelta(days=10))
    page.get_by_label("学年").select_option("P3")
    page.get_by_label("前の学校", exact=False).first.fill("海辺町立なぎさ小学校")
    page.locator("#f-reason").fill("保護者の転居")
    page.get_by_role("button", name="確かめる").click()
    expect(page.get_by_role("heading", name="入力すると、こうなります")).to_be_visible()
    browse.check(page, "movement-newcomer")
    page.get_by_role("button", name="この内容で入力する").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("汐見　渚")
    expect(page.get_by_role("table", name="学籍の異動")).to_contain_text("海辺町立なぎさ小学校")
    browse.check(page, "movement-pupil")

    page.get_by_role("link", name="異動の手続き").click()
    page.get_by_role("link", name="転学").click()
    expect(page.get_by_text("日付は二つあります")).to_be_visible()
    day(page, "学校を去った日", today - timedelta(days=4))
    day(page, "受入校が受け入れた日", today - timedelta(days=5))
    page.get_by_label("転学先の学校").fill("海辺町立みなと小学校")
    page.get_by_role("button", name="確かめる").click()
    expect(page.get_by_role("alert")).to_contain_text("より後の日付にしてください")
    browse.check(page, "movement-refused")
    day(page, "受入校が受け入れた日", today)
    page.get_by_role("button", name="確かめる").click()
    expect(page.locator("main dl.facts")).to_contain_text("受け入れた日の前日")
    browse.check(page, "movement-transfer")
    page.get_by_role("button", name="この内容で入力する").click()
    expect(page.get_by_text("在籍していません").first).to_be_visible()
    browse.check(page, "movement-left")

    page.get_by_role("link", name=re.compile("訂正.*転学")).click()
    day(page, "受入校が受け入れた日", today - timedelta(days=1))
    page.get_by_label("訂正の理由").fill("通知書の読み違い")
    page.get_by_role("button", name="確かめる").click()
    page.get_by_role("button", name="この内容で訂正する").click()
    page.get_by_text("訂正された記録（1件）").click()
    expect(page.get_by_role("table", name="訂正された記録")).to_contain_text("通知書の読み違い")
    browse.check(page, "movement-corrected")
    page.locator("summary", has_text=re.compile("取消.*転学")).click()
    page.get_by_label("取り消す理由").first.fill("転居の取りやめ")
    page.get_by_role("button", name="この異動を取り消す").first.click()
    expect(page.get_by_text("訂正された記録（2件）")).to_be_visible()
    expect(page.locator("main dl.facts dd").first).to_have_text("在籍")


def test_lists_and_counts_are_read_printed_and_saved(browse: Browse) -> None:
    page = browse("aozora.es.office", "/roster")
    page.get_by_role("link", name="在籍者数").click()
    expect(page.get_by_role("table", name="在籍者数")).to_contain_text("合計")
    page.get_by_role("link", name=re.compile("年5月1日")).first.click()
    expect(page.get_by_text("5月1日現在")).to_be_visible()
    browse.check(page, "register-counts")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Excelで保存").click()
    assert saved.value.suggested_filename == "在籍者数.xlsx"
    page.goto(browse.address("/roster/movements"))
    expect(page.get_by_role("heading", level=1)).to_have_text("異動一覧")
    browse.check(page, "register-movements")
    page.get_by_role("link", name="在学しない者").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("在学しない者")
    board = browse("aozora.board", "/roster/movements?book=year")
    with board.expect_download() as saved:
        board.get_by_role("link", name="CSV").click()
    assert saved.value.suggested_filename == "入学・卒業.csv"
    assert saved.value.path().read_bytes().startswith("\ufeff年月日,異動".encode())
