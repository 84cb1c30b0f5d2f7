"""J4: a 担任 enters marks in a grid; nothing is lost, whoever else is in the cell and whatever the connection does."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import LAPTOP, PHONE, Browse, second_factor

TEACHER, SPECIALIST = "aozora.es.teacher1", "aozora.es.teacher4"


# One second factor per person is enough for all of this: a one-time code is good once, and new ones take their time.
_sessions: dict[str, Any] = {}


def signed_in(browse: Browse, username: str, viewport: dict[str, int] | None = None) -> Page:
    """A fresh browser with the session of somebody who has given the second factor already."""
    if username not in _sessions:
        page = browse(username, "/")
        page.goto(browse.address("/step-up?return=/"))
        second_factor(page, browse.stack, username)
        _sessions[username] = page.context.storage_state()
    context = browse.browser.new_context(
        storage_state=_sessions[username], viewport=viewport or LAPTOP, locale="ja-JP", timezone_id="Asia/Tokyo"
    )
    context.set_default_timeout(20_000)
    browse.contexts.append(context)
    return context.new_page()


def open_sheet(
    browse: Browse, username: str, subject: str, term: str = "2学期", viewport: dict[str, int] | None = None
) -> Page:
    """From the list of classes to a grid."""
    page = signed_in(browse, username, viewport)
    page.goto(browse.address("/grades"))
    if page.get_by_role("heading", level=1).inner_text() == "成績":
        page.get_by_role("link", name="3年1組", exact=True).click()
    page.get_by_role("link", name=f"{subject} {term}").click()
    ready(page)
    return page


def ready(page: Page) -> None:
    expect(page.locator("form[data-ready]")).to_be_attached()


def cell(page: Page, number: int, column: str) -> Locator:
    """The cell of a pupil (place in the list, from 1) by the column's label."""
    labels = page.locator("thead th[data-column]").evaluate_all("all => all.map(th => th.dataset.label)")
    return page.locator("tr[data-pupil]").nth(number - 1).locator("td").nth(labels.index(column) + 1)


def text_of(page: Page, number: int, column: str) -> Locator:
    return cell(page, number, column).locator("textarea")


def status(page: Page) -> Locator:
    return page.locator(".marks-status")


def saved(page: Page) -> None:
    expect(status(page)).to_have_text("保存済み", timeout=15_000)


def paste(page: Page, text: str) -> None:
    """A block as a spreadsheet puts it on the clipboard, pasted where the focus is."""
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
            document.activeElement.dispatchEvent(event);
        }""",
        text,
    )


def clear(page: Page) -> None:
    """An empty sheet to begin with."""
    cell(page, 1, "知識・技能").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    saved(page)


@pytest.fixture
def japanese(browse: Browse) -> Page:
    page = open_sheet(browse, TEACHER, "国語")
    clear(page)
    return page


def test_keys_fill_and_move_and_everything_is_there_after_a_reload(browse: Browse, japanese: Page) -> None:
    page = japanese
    cell(page, 1, "知識・技能").click()
    page.keyboard.type("abca")
    expect(cell(page, 4, "知識・技能")).to_have_text("A")
    expect(cell(page, 5, "知識・技能")).to_be_focused()
    page.keyboard.press("Control+ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("32")
    expect(cell(page, 2, "評定")).to_have_text("2")
    page.keyboard.press("9")
    expect(page.get_by_text("「9」は評定に入れられません。3・2・1か空欄です。")).to_be_attached()
    page.keyboard.press("Tab")
    page.keyboard.type("本をよく読みました。")
    page.keyboard.press("Enter")
    expect(text_of(page, 4, "所見")).to_be_focused()
    saved(page)
    page.reload()
    ready(page)
    expect(cell(page, 3, "知識・技能")).to_have_text("C")
    expect(text_of(page, 3, "所見")).to_have_value("本をよく読みました。")
    browse.check(page, "marks-grid")


def test_the_overview_tells_how_far_each_sheet_is(browse: Browse, japanese: Page) -> None:
    page = japanese
    paste(page, "A\tB\tC\t3")
    saved(page)
    page.get_by_role("link", name="3年1組の成績").click()
    expect(page.get_by_role("link", name="国語 2学期")).to_contain_text("4／140")
    expect(page.get_by_role("row").filter(has_text="行動の記録").get_by_role("progressbar")).to_have_count(0)
    browse.check(page, "marks-overview")
    leader = browse("aozora.es.principal", "/grades")
    browse.check(leader, "marks-classes")
    leader.get_by_role("link", name="3年1組", exact=True).click()
    expect(leader.get_by_role("row").filter(has_text="国語").first).to_contain_text("閲覧のみ")


def test_a_block_from_a_spreadsheet_with_bad_cells_told_at_the_cell(japanese: Page) -> None:
    page = japanese
    cell(page, 10, "知識・技能").click()
    paste(page, 'Ａ\tb\tD\t３\t"一行目\n二行目"\r\nB\tC\ta\t1\t良い\r\n')
    expect(page.locator(".mark-note")).to_contain_text("「D」は主体的に学習に取り組む態度に入れられません")
    expect(cell(page, 10, "主体的に学習に取り組む態度")).to_have_attribute("aria-invalid", "true")
    expect(status(page)).to_have_text("未保存 1件")
    expect(cell(page, 10, "評定")).to_have_text("3")
    expect(text_of(page, 10, "所見")).to_have_value("一行目\n二行目")
    cell(page, 10, "主体的に学習に取り組む態度").click()
    page.keyboard.press("b")
    saved(page)
    expect(page.locator(".mark-note")).to_have_count(0)


def test_undo_redo_and_clearing_a_block(japanese: Page) -> None:
    page = japanese
    cell(page, 1, "知識・技能").click()
    paste(page, "A\tB\tC\nC\tB\tA")
    saved(page)
    page.keyboard.press("Delete")
    saved(page)
    expect(cell(page, 2, "主体的に学習に取り組む態度")).to_have_text("")
    page.keyboard.press("Control+z")
    expect(cell(page, 2, "主体的に学習に取り組む態度")).to_have_text("A")
    page.keyboard.press("Control+z")
    expect(cell(page, 1, "知識・技能")).to_have_text("")
    page.keyboard.press("Control+y")
    expect(cell(page, 1, "知識・技能")).to_have_text("A")
    saved(page)
    page.reload()
    ready(page)
    expect(cell(page, 2, "知識・技能")).to_have_text("C")


def test_enter_inside_a_composition_belongs_to_the_composition(japanese: Page) -> None:
    page = japanese
    text_of(page, 1, "所見").click()
    address = page.url
    debugger = page.context.new_cdp_session(page)
    debugger.send("Input.imeSetComposition", {"text": "かんじ", "selectionStart": 3, "selectionEnd": 3})
    for kind in ("rawKeyDown", "keyUp"):
        debugger.send(
            "Input.dispatchKeyEvent", {"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
        )
    expect(text_of(page, 1, "所見")).to_be_focused()
    expect(status(page)).to_have_text("保存済み")  # half a word is not sent
    debugger.send("Input.insertText", {"text": "漢字"})
    expect(text_of(page, 1, "所見")).to_have_value("漢字")
    expect(text_of(page, 1, "所見")).to_be_focused()
    page.keyboard.press("Enter")
    expect(text_of(page, 2, "所見")).to_be_focused()
    saved(page)
    assert page.url == address


def test_a_text_too_long_is_counted_while_typing_and_told_at_the_cell(japanese: Page) -> None:
    page = japanese
    text_of(page, 1, "所見").click()
    page.keyboard.insert_text("あ" * 61)
    expect(page.get_by_text("61字／60字まで")).to_be_visible()
    expect(page.locator(".mark-note")).to_contain_text("60字までです（61字あります）。1字減らしてください。")
    page.keyboard.press("Backspace")
    saved(page)


def test_two_people_in_one_cell_are_told_and_neither_loses_work(browse: Browse) -> None:
    hers, his = open_sheet(browse, TEACHER, "音楽"), open_sheet(browse, SPECIALIST, "音楽")
    clear(hers)
    his.reload()
    ready(his)
    cell(hers, 1, "評定").click()
    hers.keyboard.press("3")
    saved(hers)
    cell(his, 1, "評定").click()
    his.keyboard.press("1")
    note = his.locator(".mark-note")
    expect(note).to_contain_text("ほかの人が先に書き換えました")
    expect(note).to_contain_text("自分の値：1")
    expect(note).to_contain_text(re.compile("担子の値.*：3"))
    cell(his, 1, "評定").click()
    his.keyboard.press("Enter")
    expect(his.get_by_role("button", name="自分の値にする")).to_be_focused()
    browse.check(his, "marks-conflict")
    his.get_by_role("button", name="自分の値にする").click()
    saved(his)

    cell(hers, 1, "評定").click()
    hers.keyboard.press("2")
    hers.get_by_role("button", name="相手の値にする").click()
    expect(cell(hers, 1, "評定")).to_have_text("1")
    saved(hers)
    hers.get_by_role("link", name="この欄の履歴").evaluate("link => link.removeAttribute('target')")
    hers.get_by_role("link", name="この欄の履歴").click()
    expect(hers.get_by_role("row").filter(has_text="雨宮").first).to_contain_text("1")
    browse.check(hers, "marks-history")


def test_a_connection_lost_for_a_while_loses_nothing(japanese: Page) -> None:
    page = japanese
    page.context.set_offline(True)
    cell(page, 20, "知識・技能").click()
    page.keyboard.type("abc")
    expect(status(page)).to_contain_text("接続が切れています — 再接続後に保存します（未保存 3件）")
    cell(page, 20, "評定").click()
    page.keyboard.type("321")
    expect(status(page)).to_contain_text("未保存 6件")
    kept = page.evaluate("Object.entries(localStorage).filter(([name]) => name.startsWith('komu.kept'))")
    assert len(kept) == 1
    assert '"value"' not in kept[0][1]
    page.context.set_offline(False)
    saved(page)
    assert page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('komu.kept')).length") == 0
    page.reload()
    ready(page)
    expect(cell(page, 22, "評定")).to_have_text("1")
    expect(cell(page, 22, "知識・技能")).to_have_text("C")


def test_typed_values_survive_a_closed_tab_and_a_lost_answer(browse: Browse, japanese: Page) -> None:
    page = japanese
    page.route("**/cells", lambda route: route.abort())
    cell(page, 25, "評定").click()
    page.keyboard.press("2")
    expect(status(page)).to_contain_text("接続が切れています")
    address = page.url
    page.close(run_before_unload=False)
    again = browse.contexts[-1].new_page()

    # The service does it, the answer gets lost on its way: sent again, it is not done again.
    lost: list[str] = []

    def lose_the_first_answer(route: object) -> None:
        if not lost:
            lost.append(route.fetch().text())  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    again.route("**/cells", lose_the_first_answer)
    again.goto(address)
    ready(again)
    expect(again.get_by_text("前に保存できなかった1件を戻しました")).to_be_visible()
    expect(cell(again, 25, "評定")).to_have_text("2")
    saved(again)
    assert '"saved"' in lost[0]
    expect(again.locator(".mark-note")).to_have_count(0)


def test_a_session_that_ended_meanwhile_loses_nothing(browse: Browse, japanese: Page) -> None:
    page = japanese
    page.context.clear_cookies(name=re.compile("session"))
    cell(page, 30, "評定").click()
    page.keyboard.press("2")
    expect(status(page)).to_contain_text("未保存 1件：サインインし直してください。")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="保存し直す").click()
    window = opened.value  # Keycloak still knows her: the window comes back at once and closes itself
    if not window.is_closed():
        window.wait_for_event("close")
    expect(page.get_by_role("button", name="保存し直す")).to_be_visible()
    page.get_by_role("button", name="保存し直す").click()
    saved(page)
    expect(cell(page, 30, "評定")).to_have_text("2")


def test_the_official_form_stands_beside_the_grid_and_follows_what_is_typed(japanese: Page) -> None:
    page = japanese
    form = page.get_by_role("complementary", name="通知表の見本")
    picture = form.get_by_role("img").first
    expect(picture).to_be_visible(timeout=30_000)
    cell(page, 1, "知識・技能").click()
    expect(form).to_contain_text(page.locator("tr[data-pupil]").first.get_attribute("data-name") or "?")
    before = picture.get_attribute("src") or ""
    page.keyboard.press("a")
    page.keyboard.press("ArrowUp")
    saved(page)
    expect(picture).not_to_have_attribute("src", before, timeout=30_000)
    page.get_by_role("link", name="学年末（指導要録）").click()
    ready(page)
    record = page.get_by_role("complementary", name="指導要録 様式2の見本")
    expect(record.get_by_role("img").first).to_be_visible(timeout=30_000)


def test_by_tap_on_a_phone_with_the_form_behind_a_button(browse: Browse) -> None:
    page = open_sheet(browse, TEACHER, "算数", viewport=PHONE)
    cell(page, 1, "評定").click()
    page.get_by_role("group", name="値を選ぶ").get_by_role("button", name="2").click()
    expect(cell(page, 1, "評定")).to_have_text("2")
    saved(page)
    expect(page.get_by_role("complementary", name="通知表の見本")).to_be_hidden()
    page.get_by_role("button", name="様式を見る").click()
    expect(page.get_by_role("complementary", name="通知表の見本")).to_be_visible()


def test_without_script_it_is_a_form(browse: Browse) -> None:
    page = open_sheet(browse, TEACHER, "理科")
    clear(page)
    plain = browse.browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state(), locale="ja-JP"
    )
    browse.contexts.append(plain)
    form = plain.new_page()
    form.goto(page.url)
    form.get_by_label(re.compile("評定$")).first.select_option("3")
    form.get_by_label(re.compile("所見$")).first.fill("あ" * 61)
    form.get_by_role("button", name="保存する").click()
    expect(form.get_by_role("alert")).to_contain_text("60字までです")
    expect(form.get_by_label(re.compile("評定$")).first).to_have_value("3")
    form.get_by_label(re.compile("所見$")).first.fill("実験の記録がていねいでした。")
    form.get_by_role("button", name="保存する").click()
    expect(form.get_by_text("1か所を保存しました。")).to_be_visible()


def test_who_has_no_business_there_is_told_why(browse: Browse) -> None:
    page = open_sheet(browse, TEACHER, "国語")
    address = page.url
    other = signed_in(browse, "aozora.es.teacher2")
    other.goto(address)
    expect(other.get_by_text("3年1組の成績を見られるのは")).to_be_visible()
    stranger = signed_in(browse, "hoshi.es.teacher1")
    stranger.goto(address)
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("見つかりません")
