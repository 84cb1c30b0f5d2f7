"""J6: forms for one child and for a class with progress; the archive with hashes; the official form beside the grid."""

import io
import re

import pypdf
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, Browse, screenshot, second_factor


def open_class(page: Page) -> None:
    page.get_by_role("link", name="帳票", exact=True).first.click()
    if page.get_by_role("link", name="3年1組", exact=True).count():
        page.get_by_role("link", name="3年1組", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("3年1組の帳票")


def choose(page: Page, form: str) -> None:
    page.get_by_role("navigation", name="帳票の種類").get_by_role("link", name=form, exact=True).click()
    expect(page.get_by_role("heading", level=2, name=form)).to_be_visible()


def step_up(page: Page, browse: Browse, username: str) -> None:
    """The second factor, where it is asked for now."""
    if page.locator("input[name=otp]").count():
        second_factor(page, browse.stack, username)


def pdf_of(page: Page) -> bytes:
    with page.expect_download() as told:
        page.get_by_role("link", name="ダウンロード").click()
    return told.value.path().read_bytes()


def text_of(pdf: bytes) -> str:
    return re.sub(r"\s+", "", "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(pdf)).pages))


def test_one_childs_guidance_record_asks_for_the_second_factor_and_is_kept_with_its_hash(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    open_class(page)
    choose(page, "指導要録 様式1（学籍）")
    browse.check(page, "forms-class")
    page.get_by_role("button", name=re.compile("^1人分を発行")).first.click()
    step_up(page, browse, "aozora.es.teacher1")
    if not page.get_by_text("発行しました").count():  # a form is not sent again by itself after the second factor
        open_class(page)
        choose(page, "指導要録 様式1（学籍）")
        page.get_by_role("button", name=re.compile("^1人分を発行")).first.click()
    expect(page.get_by_text("指導要録 様式1（学籍）を発行しました")).to_be_visible()
    browse.check(page, "forms-document")
    pdf = pdf_of(page)
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = text_of(pdf)
    for expected in (
        "小学校児童指導要録",
        "様式１（学籍に関する記録）",
        "学籍の記録",
        "令和8年度",
        "みらい県青空市本町1番1号",
    ):
        assert expected in text
    page.get_by_role("button", name="発行時の指紋と照合する").click()
    expect(page.get_by_text("発行したときのままです")).to_be_visible()


def test_a_class_prints_with_progress_and_lies_in_the_archive(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    open_class(page)
    choose(page, "通知表")
    page.get_by_label("学期").select_option(label="2学期")
    page.get_by_role("button", name="この時期にする").click()
    page.get_by_role("button", name=re.compile("^学級全員分を発行する")).click()
    if page.locator("input[name=otp]").count():
        second_factor(page, browse.stack, "aozora.es.teacher1")
        open_class(page)
        choose(page, "通知表")
        page.get_by_role("button", name=re.compile("^学級全員分を発行する")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("学級の印刷")
    expect(page.get_by_role("link", name="できた帳票を見る")).to_be_visible(timeout=60_000)
    browse.check(page, "forms-job")
    page.get_by_role("link", name="できた帳票を見る").click()
    expect(page.get_by_text(re.compile(r"^\d{4}年度\s2学期$"))).to_be_visible()
    pdf = pdf_of(page)
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) >= 70
    page.goto(browse.address("/forms/archive?form=report_card"))
    expect(page.get_by_role("cell", name="3年1組（35人）").first).to_be_visible()
    browse.check(page, "forms-archive")
    page.get_by_label("発行日（終わり）").fill("2020-01-01")
    page.get_by_role("button", name="絞り込む").click()
    expect(page.get_by_text("該当する帳票はありません")).to_be_visible()


def test_the_form_stands_beside_the_grid(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    page.goto(browse.address("/forms"))
    class_id = page.url.rsplit("/", 1)[1].split("?")[0]
    page.goto(browse.address(f"/grades/{class_id}/japanese/2"))
    step_up(page, browse, "aozora.es.teacher1")
    page.set_viewport_size({"width": 1500, "height": 900})
    page.locator("[data-pupil]").first.locator("td").nth(1).click()
    preview = page.locator("[data-preview-body]")
    button = preview.get_by_role("button", name="本人確認をする")
    picture = preview.get_by_role("img").first
    expect(button.or_(picture)).to_be_visible()
    if button.is_visible():
        with page.expect_popup() as popup:
            button.click()
            page.get_by_role("button", name=re.compile("確認|続け|開く")).last.click()
        second_factor_in(popup.value, browse)
    expect(picture).to_be_visible(timeout=20_000)
    assert picture.evaluate("image => image.naturalWidth") > 700
    screenshot(page, "forms-beside-the-grid")


def second_factor_in(window: Page, browse: Browse) -> None:
    window.locator("input[name=otp]").fill(browse.stack.fresh_code("aozora.es.teacher1"))
    window.locator("input[type=submit], button[type=submit]").first.click()


def test_the_office_issues_certificates_and_a_teacher_does_not(browse: Browse) -> None:
    page = browse("aozora.es.office")
    open_class(page)
    choose(page, "教科用図書給与証明書")
    page.get_by_role("link", name=re.compile("^発行の内容を入れる")).first.click()
    page.get_by_label("文書番号").fill("26-015")
    page.get_by_label("1行目 種目", exact=True).fill("国語")
    page.get_by_label("1行目 書名", exact=True).fill("こくご 三上")
    browse.check(page, "forms-ask")
    address = page.url
    page.get_by_role("button", name="発行する").click()
    if page.locator("input[name=otp]").count():
        second_factor(page, browse.stack, "aozora.es.office")
        page.goto(address)
        page.get_by_label("1行目 種目", exact=True).fill("国語")
        page.get_by_label("1行目 書名", exact=True).fill("こくご 三上")
        page.get_by_role("button", name="発行する").click()
    expect(page.get_by_text("教科用図書給与証明書を発行しました")).to_be_visible()
    assert "こくご三上" in text_of(pdf_of(page))
    teacher = browse("aozora.es.teacher1", viewport=PHONE)
    open_class(teacher)
    expect(teacher.get_by_role("link", name="在学証明書")).to_have_count(0)
    teacher.goto(browse.address(page.url.removeprefix(browse.address(""))))
    expect(teacher.get_by_role("heading", level=1)).not_to_have_text("教科用図書給与証明書")


def test_another_board_sees_nothing(browse: Browse) -> None:
    mine = browse("aozora.es.teacher1")
    open_class(mine)
    stranger = browse("hoshi.es.teacher1")
    stranger.goto(mine.url)
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("見つかりません")


def test_a_teacher_issues_the_attendance_register(browse: Browse) -> None:
    page = browse("aozora.es.teacher1")
    open_class(page)
    choose(page, "出席簿")
    page.get_by_role("button", name="出席簿を発行する").click()
    expect(page.get_by_text("出席簿を発行しました")).to_be_visible()
