"""J14: what the board of education decides for a school year is on the next page of its schools, and only there."""

import re
from datetime import timedelta

from jpschool.school_year import school_year_of
from playwright.sync_api import Locator, Page, expect
from servicekit.clock import today_jst

from tests.e2e.test_marks import open_sheet
from tests.e2e.test_teacher_closes_the_term import confirm
from tests.e2e.test_teacher_takes_the_roll import last_lesson_day, open_roll, row
from tests.e2e.test_teacher_takes_the_roll import save as save_roll
from tests.support.browser import Browse

BOARD = "hoshi.board"
YEAR = school_year_of(today_jst())


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="学校の決まり").click()
    page.get_by_role("navigation", name="決まりの種類").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=2, name=f"{name}（{YEAR}年度）")).to_be_visible()


def save(page: Page) -> None:
    page.get_by_role("button", name="保存する", exact=True).last.click()


def last_change(page: Page, of: str) -> Locator:
    return page.get_by_role("region", name="直前の変更").get_by_role("row").filter(has_text=of)


def undo(page: Page) -> None:
    page.get_by_role("button", name="この変更を取り消す").click()
    confirm(page, "取り消す")
    expect(page.get_by_text("直前の変更を取り消しました。")).to_be_visible()


def refused_at(page: Page, label: str, why: str | re.Pattern[str]) -> None:
    """The sentence is in the summary and beside the field, which is marked."""
    expect(page.get_by_role("alert").get_by_role("link", name=why)).to_be_visible()
    field = page.get_by_label(label, exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(why)


def test_a_sign_and_a_key_are_changed_and_the_next_roll_has_them(browse: Browse) -> None:
    board = browse(BOARD)
    open_tab(board, "出欠記号")
    browse.check(board, "board-symbols")
    board.get_by_label("公欠の記号", exact=True).fill("席")
    board.get_by_label("公欠のキー", exact=True).fill("Ｂ")
    board.keyboard.press("Enter")
    refused_at(board, "公欠のキー", "キー「B」は「病欠」と同じです。別にしてください。")
    expect(board.get_by_label("公欠の記号", exact=True)).to_have_value("席")
    browse.check(board, "board-symbols-wrong")
    board.get_by_label("公欠のキー", exact=True).fill("q")
    save(board)
    expect(board.get_by_text(f"{YEAR}年度の出欠記号を保存しました。")).to_be_visible()
    expect(last_change(board, "公欠").first).to_contain_text("席")
    browse.check(board, "board-symbols-saved")

    teacher = browse("hoshi.es.teacher1")
    open_roll(teacher, last_lesson_day())
    row(teacher, 7).get_by_role("radio", name="出席", exact=True).focus()
    teacher.keyboard.press("q")
    expect(row(teacher, 7).get_by_role("radio", name="公欠", exact=True)).to_be_checked()
    expect(row(teacher, 7).get_by_text("席", exact=True)).to_be_visible()

    # Who has an older page is told, and what was typed stays.
    other = browse(BOARD, f"/board/{YEAR}/symbols")
    undo(board)
    expect(board.get_by_label("公欠の記号", exact=True)).to_have_value("公")
    other.get_by_label("公欠の名前", exact=True).fill("公認の欠席")
    save(other)
    expect(other.get_by_text(re.compile(r"\d+時\d\d分にほかの人が保存しました"))).to_be_visible()
    expect(other.get_by_label("公認の欠席の名前", exact=True)).to_have_value("公認の欠席")
    expect(other.get_by_text("今の決まり：公欠", exact=True)).to_be_visible()
    browse.check(other, "board-symbols-overtaken")

    # 校長 reads what changed, but changes nothing.
    principal = browse("hoshi.es.principal", f"/board/{YEAR}/symbols")
    expect(principal.get_by_text("変えられるのは教育委員会の担当者です")).to_be_visible()
    expect(principal.get_by_role("button", name="保存する")).to_have_count(0)
    browse.check(principal, "board-symbols-read")
    stranger = browse("hoshi.es.teacher1", "/attendance")
    expect(stranger.get_by_role("link", name="学校の決まり")).to_have_count(0)


def test_a_symbol_in_use_is_retired_and_stays_on_its_days(browse: Browse) -> None:
    teacher = browse("hoshi.es.teacher1")
    open_roll(teacher, last_lesson_day() - timedelta(days=14))
    row(teacher, 7).get_by_role("radio", name="出席", exact=True).focus()
    teacher.keyboard.press("o")
    save_roll(teacher)
    expect(teacher.get_by_text("出席以外 1人")).to_be_visible()

    board = browse(BOARD)
    open_tab(board, "出欠記号")
    used = board.get_by_role("row").filter(has_text="使用中")
    expect(used.get_by_label("公欠の名前", exact=True)).to_be_visible()
    expect(board.get_by_label("公欠の区分", exact=True)).to_have_count(0)
    expect(board.get_by_role("button", name="公欠を消す")).to_have_count(0)
    used.get_by_label("公欠を使わない").check()
    save(board)
    expect(last_change(board, "公欠").filter(has_text="出さない")).to_be_visible()
    browse.check(board, "board-symbols-retired")

    teacher.reload()
    expect(row(teacher, 7).get_by_role("radio", name="公欠", exact=True)).to_be_checked()
    expect(row(teacher, 8).get_by_role("radio", name="公欠", exact=True)).to_have_count(0)
    undo(board)
    teacher.reload()
    expect(row(teacher, 8).get_by_role("radio", name="公欠", exact=True)).to_have_count(1)


def test_symbols_are_added_moved_and_taken_back_and_the_log_has_it(browse: Browse) -> None:
    board = browse(BOARD, strong=True)
    open_tab(board, "出欠記号")
    board.get_by_role("button", name="記号を加える").click()
    expect(board.get_by_text("まだ保存していません")).to_be_visible()
    expect(board.get_by_label("新しい記号の記号", exact=True)).to_be_focused()
    board.get_by_label("新しい記号の記号", exact=True).fill("保")
    board.get_by_label("新しい記号の名前", exact=True).fill("保健室登校")
    save(board)
    refused_at(board, "保健室登校の区分", "区分を選んでください。")
    board.get_by_label("保健室登校の区分", exact=True).select_option(label="出席")
    board.get_by_role("button", name="保健室登校を上へ").click()
    expect(board.get_by_role("button", name="保健室登校を上へ")).to_be_focused()
    save(board)
    expect(board.get_by_text(f"{YEAR}年度の出欠記号を保存しました。")).to_be_visible()
    labels = board.get_by_label(re.compile("の名前$"))
    expect(labels.nth(labels.count() - 2)).to_have_value("保健室登校")
    undo(board)
    expect(board.get_by_label("保健室登校の名前")).to_have_count(0)

    board.get_by_role("link", name="操作の記録", exact=True).click()
    line = board.get_by_role("row").filter(has_text="出欠記号の決まりの変更").first
    expect(line).to_contain_text("保健室登校・記号")
    expect(board.get_by_role("row").filter(has_text="出欠記号の決まりの取り消し").first).to_be_visible()


def test_reasons_are_a_list_of_lines(browse: Browse) -> None:
    board = browse(BOARD)
    open_tab(board, "欠席理由")
    list_of = board.get_by_label(re.compile("^欠席理由"))
    before = list_of.input_value()
    list_of.fill(f"{before}\n感冒")
    save(board)
    expect(board.get_by_role("alert")).to_contain_text("「感冒」が2回あります。一つにしてください。")
    list_of.fill(f"{before}\n花粉症")
    save(board)
    expect(last_change(board, "花粉症")).to_be_visible()
    browse.check(board, "board-reasons")
    undo(board)


def test_a_closed_term_keeps_its_dates(browse: Browse) -> None:
    principal = browse("hoshi.jh.principal", strong=True)
    principal.goto(browse.address("/terms"))
    principal.get_by_role("link", name="3学期").click()
    principal.get_by_role("checkbox", name=re.compile("あるまま締める")).check()
    principal.get_by_role("textbox", name="未入力のまま締める理由").fill("3学期はまだ始まっていないため（試し）")
    principal.get_by_role("button", name="締める").click()
    confirm(principal, "締める")
    expect(principal.get_by_text("3学期を締めました。")).to_be_visible()

    board = browse(BOARD)
    open_tab(board, "学期")
    expect(board.get_by_role("row").filter(has_text="締め済み")).to_contain_text("星野町立ほしの中学校")
    board.get_by_label("2学期の終わり", exact=True).fill(f"{YEAR}-12-25")
    save(board)
    why = "3学期は星野町立ほしの中学校で締められているため.*再開できるのは各校の校長です"
    refused_at(board, "2学期の終わり", re.compile(why))
    browse.check(board, "board-terms-closed")

    principal.get_by_role("textbox", name="再開する理由").fill("教育委員会が学期の日付を直すため")
    principal.get_by_role("button", name="再開する").click()
    confirm(principal, "再開する")
    expect(principal.get_by_text("3学期を再開しました。")).to_be_visible()
    board.get_by_label("1学期の終わり", exact=True).fill(f"{YEAR}-12-26")
    save(board)
    refused_at(board, "2学期の終わり", re.compile("1学期の終わり（.*）より後の日"))
    board.get_by_label("1学期の終わり", exact=True).fill(f"{YEAR}-08-31")
    save(board)
    expect(board.get_by_text(f"{YEAR}年度の学期を保存しました。")).to_be_visible()
    expect(last_change(board, "3学期")).to_contain_text(f"{YEAR}年12月26日〜")
    browse.check(board, "board-terms")
    undo(board)

    # 二学期制: the third goes, because nothing is in it there yet, and comes back.
    board.get_by_role("navigation", name="年度", exact=True).get_by_role("link", name=f"{YEAR + 1}年度").click()
    board.get_by_role("button", name="二学期制にする").click()
    expect(board.get_by_text("まだ保存していません")).to_be_visible()
    board.get_by_label("1学期の名前", exact=True).fill("前期")
    board.get_by_label("2学期の名前", exact=True).fill("後期")
    board.get_by_label("1学期の終わり", exact=True).fill(f"{YEAR + 1}-10-08")
    browse.check(board, "board-terms-two")
    save(board)
    expect(last_change(board, "3学期").filter(has_text="なし")).to_be_visible()
    expect(board.get_by_role("button", name="三学期制にする")).to_be_visible()
    undo(board)
    expect(board.get_by_label("3学期の名前", exact=True)).to_be_visible()


def test_a_part_left_out_is_gone_from_the_teachers_list_and_copied_to_the_next_year(browse: Browse) -> None:
    board = browse(BOARD)
    open_tab(board, "通知表の構成")
    browse.check(board, "board-card")
    board.get_by_label("学級担任の所見（通知表）の字数", exact=True).fill("900")
    save(board)
    refused_at(board, "学級担任の所見（通知表）の字数", re.compile("10字から200字まで"))
    board.get_by_label("学級担任の所見（通知表）の字数", exact=True).fill("150")
    board.get_by_label("外国語活動の扱い", exact=True).select_option(label="使わない")
    save(board)
    expect(last_change(board, "外国語活動")).to_contain_text("使わない")
    browse.check(board, "board-card-saved")

    teacher = open_sheet(browse, "hoshi.es.teacher1", "所見", "2学期")
    expect(teacher.get_by_text("150字まで").first).to_be_visible()

    board.get_by_role("navigation", name="年度", exact=True).get_by_role("link", name=f"{YEAR + 1}年度").click()
    board.get_by_role("link", name=re.compile(f"^{YEAR}年度(の決まりを写す|との違いを見る)$")).click()
    expect(board.get_by_role("row").filter(has_text="学級担任の所見（通知表）")).to_contain_text("150字")
    browse.check(board, "board-card-copy")
    board.get_by_role("button", name="写す").click()
    expect(board.get_by_text(f"{YEAR}年度の通知表の構成を写しました。")).to_be_visible()
    undo(board)
    open_tab(board, "通知表の構成")
    undo(board)
