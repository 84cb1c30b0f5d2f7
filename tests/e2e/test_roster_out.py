"""名簿の出力 and パッケージの検査: the board hands a roster out, and looks at a package without taking it in."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.support.browser import Browse


def test_a_roster_goes_out_for_a_purpose_and_stands_the_check(browse: Browse, tmp_path: Path) -> None:
    page = browse("hoshi.board")
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="名簿の出力").click()
    browse.check(page, "export-form")
    page.get_by_label("提供先").fill("みらい学習eポータル")
    page.get_by_label("目的").fill("年度途中の更新")
    page.get_by_label("形式").select_option("学習eポータル標準モデル V4")
    page.get_by_role("button", name="作る").click()
    expect(page.get_by_text("確認が済みました")).to_be_visible(timeout=60_000)
    browse.check(page, "export-ready")
    with page.expect_download() as download:
        page.get_by_role("link", name="を保存する").click()
    assert download.value.suggested_filename.endswith("_479902.zip")
    package = tmp_path / download.value.suggested_filename
    download.value.save_as(package)

    page.goto(browse.address("/exports"))
    row = page.get_by_role("row").filter(has_text="みらい学習eポータル").first
    expect(row.get_by_text("提供できます")).to_be_visible()
    expect(row.get_by_text("年度途中の更新")).to_be_visible()
    browse.check(page, "export-record")

    page.goto(browse.address("/package-check"))
    page.get_by_label("ファイル").set_input_files(package)
    page.get_by_role("button", name="検査する", exact=True).click()
    expect(page.get_by_text("誤りはありません")).to_be_visible()
    page.get_by_label("ファイル").set_input_files(package)
    page.get_by_label("形式").select_option("相互運用標準モデル V6")
    page.get_by_role("button", name="検査する", exact=True).click()
    expect(page.get_by_role("heading", name="manifest.csv")).to_be_visible()
    browse.check(page, "package-check")
    page.get_by_label("ファイル").set_input_files(package)
    with page.expect_download() as table:
        page.get_by_role("button", name="検査して、結果をCSVで保存する").click()
    assert table.value.suggested_filename == f"検査結果_{package.name}.csv"
