"""J21: the board applies for MEXCBT, the school confirms with the register's numbers, another portal means again."""

import re

from playwright.sync_api import Page, expect

from tests.support.browser import Browse

BOARD, SCHOOL = "hoshi.board", "hoshi.es.principal"
NAME = "星野町立ほしの小学校"


def open_mexcbt(page: Page) -> None:
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="MEXCBT利用申込").click()
    expect(page.get_by_role("heading", level=1, name="MEXCBT利用申込")).to_be_visible()


def say_who_the_founder_is(board: Page, browse: Browse) -> None:
    board.get_by_role("link", name="設置者情報を入力する").click()
    for label, value in (
        ("設置者名", "星野町教育委員会"),
        ("設置者コード", "209999"),
        ("担当の部署", "学校教育課"),
        ("担当者の氏名", "星野 担当"),
        ("担当者の電話番号", "026-000-0000"),
    ):
        board.get_by_label(label, exact=True).fill(value)
    board.get_by_label("担当者のメールアドレス").fill("星@hoshi")
    board.get_by_label("「留意事項および申込の流れ」を読んだ").check()
    board.locator("form[data-keep]").evaluate("form => form.noValidate = true")
    board.get_by_role("button", name="保存する").click()
    wrong = board.get_by_role("alert").get_by_role("link", name=re.compile("メールアドレスの形が正しくありません"))
    expect(wrong).to_be_visible()
    browse.check(board, "mexcbt-founder-wrong")
    board.get_by_label("担当者のメールアドレス").fill("mexcbt@hoshi.example")
    board.get_by_role("button", name="保存する").click()
    expect(board.get_by_text("設置者情報を保存しました。")).to_be_visible()


def choose_school(board: Page, portal: str, browse: Browse) -> None:
    board.get_by_role("link", name="学校を選ぶ").click()
    board.get_by_label(NAME, exact=True).check()
    board.get_by_label(f"{NAME}の学習eポータル").fill(portal)
    board.get_by_label(f"{NAME}の担当者の氏名").fill("星山 務子")
    board.get_by_label(f"{NAME}の担当者のメールアドレス").fill("es@hoshi.example")
    board.get_by_role("button", name="選んだ学校を準備に加える").click()
    expect(
        board.get_by_role("alert").get_by_role("link", name="学校担当者の電話番号を入力してください。")
    ).to_be_visible()
    browse.check(board, "mexcbt-schools")
    board.get_by_label(f"{NAME}の担当者の電話番号").fill("026-000-0001")
    board.get_by_role("button", name="選んだ学校を準備に加える").click()
    expect(board.get_by_text("1件の申込を準備に加えました。")).to_be_visible()


def open_school(page: Page) -> None:
    table = page.get_by_role("region", name="申込のある学校")
    table.get_by_role("link", name=NAME).click()
    expect(page.get_by_role("heading", level=1, name=NAME)).to_be_visible()


def test_board_and_school_apply_and_change_the_portal(browse: Browse) -> None:
    board = browse(BOARD)
    open_mexcbt(board)
    say_who_the_founder_is(board, browse)
    if board.get_by_role("button", name="新規登録したことを記す").is_visible():  # once for a founder
        board.get_by_role("button", name="新規登録したことを記す").click()
        expect(board.get_by_text("設置者の新規登録を記しました。")).to_be_visible()
    choose_school(board, "実証用学習eポータル", browse)
    open_school(board)
    board.get_by_role("button", name="利用学校を登録したことを記す").click()
    expect(board.get_by_text("学校の確認待ち")).to_be_visible()

    school = browse(SCHOOL)
    open_mexcbt(school)
    expect(school.get_by_role("region", name="今する手続き")).to_contain_text("１．学校情報修正")
    browse.check(school, "mexcbt-school")
    open_school(school)
    school.get_by_role("link", name="利用学年とアカウント数を確かめる").click()
    school.get_by_label("小1", exact=True).uncheck()
    school.get_by_role("button", name="選んだ学年で数え直す").click()
    rows = school.get_by_role("region", name="児童生徒の利用アカウント数").get_by_role("row")
    expect(rows.filter(has_text="3年1組")).to_have_count(1)
    expect(rows.filter(has_text="1年1組")).to_have_count(0)
    browse.check(school, "mexcbt-confirm")
    school.get_by_role("button", name=re.compile(r"児童生徒\d+人、教員\d+人で登録した")).click()
    expect(school.get_by_text("利用開始待ち")).to_be_visible()

    board.reload()
    board.get_by_role("button", name="利用を始めたことを記す").click()
    expect(board.get_by_text("利用中", exact=True)).to_be_visible()
    browse.check(board, "mexcbt-application")
    board.get_by_role("link", name="← MEXCBT利用申込").click()
    browse.check(board, "mexcbt-board")
    with board.expect_download() as download:
        board.get_by_role("link", name="学校情報", exact=True).click()
    assert NAME in download.value.path().read_text("utf-8-sig")

    open_school(board)  # another portal: deleted, then chosen anew
    board.get_by_text("学習eポータルを変える・使うのをやめる").click()
    board.get_by_label("理由").last.fill("学習eポータルの変更")
    board.get_by_role("button", name="削除したことを記す").click()
    expect(board.get_by_role("status").get_by_text("削除済み")).to_be_visible()
    open_mexcbt(board)
    choose_school(board, "ほしの学習eポータル", browse)
    open_school(board)
    board.get_by_text("申込を取り下げる").click()
    board.get_by_label("理由").last.fill("来年度に延期")
    board.get_by_role("button", name="取り下げる", exact=True).click()
    expect(board.get_by_role("status").get_by_text("取り下げ", exact=True)).to_be_visible()
