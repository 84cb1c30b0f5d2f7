"""Rights by the register of the day, the second factor at the moment it is needed, and a 校長 who sees who did what."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Browse, second_factor

TEACHER = "aozora.es.teacher1"
PRINCIPAL = "aozora.es.principal"
LESSON_DAY = "2026-10-15"


@pytest.fixture
def own_class(browse: Browse) -> tuple[Page, str]:
    """The 担任 at her home page, and the id of her class."""
    page = browse(TEACHER)
    href = page.locator("main").get_by_role("link", name="出欠", exact=True).first.get_attribute("href")
    return page, str(href).rstrip("/").rsplit("/", 1)[1]


def test_the_second_factor_is_asked_for_at_the_marks_and_no_sooner(browse: Browse, own_class):
    page, class_id = own_class
    page.goto(browse.address(f"/attendance/classes/{class_id}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("出欠")
    page.goto(browse.address(f"/grades/{class_id}/japanese/1"))
    expect(page.locator("input[name=otp]")).to_be_visible()
    second_factor(page, browse.stack, TEACHER)
    expect(page).to_have_url(browse.address(f"/grades/{class_id}/japanese/1"))


def test_a_teacher_of_another_class_is_refused_with_the_reason(browse: Browse, own_class):
    _, class_id = own_class
    other = browse("aozora.es.teacher4")
    answer = other.goto(browse.address(f"/attendance/classes/{class_id}"))
    assert answer.status == 403
    expect(other.get_by_role("heading", level=1)).to_have_text("この操作はできません")
    assert len(other.locator("main p").first.inner_text()) > 5
    browse.check(other, "refused")


def test_to_another_board_the_class_does_not_exist(browse: Browse, own_class):
    _, class_id = own_class
    stranger = browse("hoshi.es.principal")
    for path in (f"/attendance/classes/{class_id}", f"/audit?pupil={class_id}"):
        answer = stranger.goto(browse.address(path))
        assert answer.status == 404 or stranger.locator("tbody tr").count() == 0


def test_the_head_sees_who_changed_what_and_can_narrow_it_down(browse: Browse, own_class):
    page, class_id = own_class
    page.goto(browse.address(f"/attendance/classes/{class_id}?on={LESSON_DAY}"))
    if (reason := page.get_by_label("訂正の理由")).count():
        reason.fill("保護者から連絡があった")
    page.get_by_role("button", name="保存する").click()
    expect(page.locator("#toasts")).to_contain_text("保存しました")

    head = browse(PRINCIPAL, "/audit", strong=True)
    line = head.locator("tbody tr", has_text=re.compile("出欠の(記入|訂正)")).first
    expect(line).to_contain_text("担子")
    expect(line).to_contain_text("3年1組")
    browse.check(head, "audit")

    head.get_by_label("操作した人").select_option(label=head.locator("#f-actor option", has_text="担子").inner_text())
    head.get_by_label("種類").select_option("change")
    head.get_by_label("始まり").fill("2026-11-01")
    head.get_by_role("button", name="絞り込む").click()
    expect(head.locator("tbody tr").first).to_contain_text("担子")
    head.get_by_label("終わり").fill("2026-10-01")
    head.get_by_role("button", name="絞り込む").click()
    expect(head.get_by_role("alert")).to_contain_text("終わりの日は始まりの日より後に")


def test_the_log_of_one_pupil_is_found_by_name(browse: Browse):
    head = browse(PRINCIPAL, "/audit", strong=True)
    head.get_by_label("児童生徒").fill("あずま")
    head.get_by_role("button", name="絞り込む").click()
    head.locator("main ul").get_by_role("link").first.click()
    expect(head.get_by_role("link", name="指定をやめる")).to_be_visible()
    browse.check(head, "audit-pupil")


def test_a_teacher_has_no_business_in_the_log(browse: Browse):
    page = browse(TEACHER)
    expect(page.get_by_role("navigation").get_by_role("link", name="操作の記録")).to_have_count(0)
    answer = page.goto(browse.address("/audit"))
    assert answer.status == 403
