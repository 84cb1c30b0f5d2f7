"""J7: a child moves to a city that runs its own separate deployment; both offices do it in their browsers."""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from dataexchange.__main__ import main as dataexchange
from playwright.sync_api import Browser, Page, expect
from servicekit.clock import today_jst

from tests.support.browser import Browse, second_factor
from tests.support.stack import RunningStack, komu, started

SCHOOL = "港野市教育委員会 港野市立みなと小学校"
OTHER_CITY = "board:479903"
OFFSET = int(os.environ.get("KOMU_TEST_OFFSET", "0"))  # other children, where a stack is used again


@dataclass
class Cities:
    """Two deployments on one machine, with nothing in common but the signed directory."""

    here: Browse
    there: Browse

    @property
    def directory(self) -> Path:
        return self.here.stack.home / "directory"


@pytest.fixture(scope="module")
def second_stack(stack: RunningStack) -> Iterator[RunningStack]:
    """The other city beside the session's stack; both read the directory that `make up` signs."""
    if os.environ.get("KOMU_TEST_STACK"):
        yield RunningStack("second", stack.home, json.loads(komu(stack.home, "info", "--stack", "second").stdout))
        return
    with started("second", home=stack.home) as running:
        wait_for_directory(stack)
        yield running


def wait_for_directory(stack: RunningStack, seconds: float = 60) -> None:
    """Until the first deployment uses the directory in which the other city stands."""
    address = f"{stack.info['services']['dataexchange']['http']}/exchange/v1/directory"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        outer = httpx.get(address, verify=False).json()
        payload = json.loads(base64.urlsafe_b64decode(outer["payload"] + "=" * (-len(outer["payload"]) % 4)))
        if any(one["id"] == OTHER_CITY for one in payload["organisations"]):
            return
        time.sleep(1)
    raise AssertionError(f"{OTHER_CITY} does not appear in the directory")


@pytest.fixture
def cities(stack: RunningStack, second_stack: RunningStack, chromium: Browser) -> Iterator[Cities]:
    opened = Cities(Browse(stack, chromium), Browse(second_stack, chromium))
    yield opened
    opened.here.close()
    opened.there.close()


def strongly(page: Page, browse: Browse, username: str, act: Callable[[], None]) -> None:
    """Do something that may ask for the second factor; after it, do it again."""
    act()
    page.wait_for_load_state()
    if page.locator("input[name=otp]").count():
        second_factor(page, browse.stack, username)
        act()
        page.wait_for_load_state()


def pupil_of_class(cities: Cities, number: int) -> str:
    """The name of a child of 小3年1組 as the office finds it on the pages."""
    page = cities.here("aozora.es.office", "/transfers/new")
    page.get_by_label("氏名・よみがな・出席番号").fill(str(number))
    page.get_by_role("button", name="探す").click()
    row = page.get_by_role("row").filter(has_text="小3").first
    name = row.get_by_role("rowheader").locator("span.person-name > span").first.inner_text()
    row.get_by_role("link", name=re.compile("選ぶ")).click()
    return name.strip()


def draft(cities: Cities, number: int, left_on: date) -> tuple[Page, str]:
    """事務 enters 転学."""
    name = pupil_of_class(cities, number)
    page = cities.here.contexts[-1].pages[0]
    page.get_by_role("combobox", name="転出先").select_option(label=SCHOOL)
    page.get_by_label("最後の登校日").fill(left_on.isoformat())
    page.get_by_label("理由").fill("保護者の転居のため")
    cities.here.check(page, "transfer-draft")
    page.get_by_role("button", name="起案する").click()
    expect(page.get_by_text("校長の承認待ち").first).to_be_visible()
    return page, name


def approve(cities: Cities, path: str, *, there: bool = False) -> Page:
    """校長 approves, with the second factor asked for at that moment."""
    city, principal = (cities.there, "minato.es.principal") if there else (cities.here, "aozora.es.principal")
    page = city(principal, path)

    def press() -> None:
        page.get_by_role("button", name="承認して送る").click()
        page.get_by_role("dialog").get_by_role("button", name="承認して送る").click()

    strongly(page, city, principal, press)
    expect(page.get_by_text("相手が受信").first).to_be_visible(timeout=60_000)
    return page


def path_of(page: Page) -> str:
    return page.url.split("/", 3)[3].join(["/", ""])


def arrival_page(cities: Cities, name: str, username: str = "minato.es.office", *, there: bool = True) -> Page:
    city = cities.there if there else cities.here
    page = city(username, "/arrivals")
    page.get_by_role("link", name=name).first.click()
    page.wait_for_load_state()
    if page.locator("input[name=otp]").count():
        second_factor(page, city.stack, username)
    return page


def comes_to(page: Page, words: str) -> None:
    """The open page shows the words by itself, once the other side's receipt is here."""
    expect(page.get_by_text(words).first).to_be_visible(timeout=60_000)


def test_a_child_moves_to_another_city(cities: Cities, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left_on, accepted_on = today_jst(), today_jst() + timedelta(days=3)
    office, name = draft(cities, 5 + OFFSET, left_on)
    principal = approve(cities, path_of(office))
    cities.here.check(principal, "transfer-received")

    page = arrival_page(cities, name)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    cities.there.check(page, "arrival-match")
    page.get_by_label("新しい児童生徒").check()
    page.get_by_role("button", name="この児童生徒として照合する").click()
    page.get_by_label("受入れ日").fill(left_on.isoformat())
    page.get_by_role("combobox", name="学年").select_option("P3")
    page.get_by_role("button", name="受け入れる", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("前の学校を去った日")
    page.get_by_label("受入れ日").fill(accepted_on.isoformat())
    page.get_by_role("button", name="受け入れる", exact=True).click()
    expect(page.get_by_text("受入れ済み").first).to_be_visible()
    cities.there.check(page, "arrival-accepted")

    link = page.get_by_role("link", name=re.compile("開く.*様式1"))
    paper = page.request.get(cities.there.address(link.get_attribute("href") or ""))
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.body().startswith(b"%PDF-")
    for file in ("package.zip", "receipts.json"):
        saved = page.request.get(f"{page.url.split('?')[0]}/part?path={file}")
        (tmp_path / file).write_bytes(saved.body())
    trusted = ["--directory", str(cities.directory / "directory.json")]
    receipts = ["--receipts", str(tmp_path / "receipts.json")]
    assert dataexchange(["verify", str(tmp_path / "package.zip"), *trusted, *receipts]) == 0, capsys.readouterr().out

    comes_to(principal, "完了")
    expect(principal.get_by_text("相手の受入れ日")).to_be_visible()
    expect(principal.get_by_role("cell", name="受入れ", exact=True)).to_be_visible()
    cities.here.check(principal, "transfer-closed")


def test_a_child_that_comes_back_is_matched_with_the_one_in_the_register(cities: Cities) -> None:
    """青空 → 港野 → 青空: the same identifier on both sides, so the child cannot become a second one."""
    today = today_jst()
    office, name = draft(cities, 8 + OFFSET, today - timedelta(days=3))
    principal = approve(cities, path_of(office))
    page = arrival_page(cities, name)
    page.get_by_label("新しい児童生徒").check()
    page.get_by_role("button", name="この児童生徒として照合する").click()
    page.get_by_label("受入れ日").fill((today - timedelta(days=2)).isoformat())
    page.get_by_role("combobox", name="学年").select_option("P3")
    page.get_by_role("button", name="受け入れる", exact=True).click()
    expect(page.get_by_text("受入れ済み").first).to_be_visible()
    comes_to(principal, "完了")

    received = page.get_by_role("link", name="受け取った書類を見る").get_attribute("href") or ""
    pupil_id = received.rsplit("/", 1)[1]
    draft_back(page, cities, pupil_id, today - timedelta(days=1))
    expect(page.get_by_role("alert")).to_contain_text("先に名簿の画面で学級を決めてください。")
    page.goto(cities.there.address(f"/roster/pupils/{pupil_id}"))
    page.get_by_role("combobox", name="学級").select_option(index=1)
    page.get_by_role("button", name="この学級に入れる").click()
    expect(page.get_by_text("学級未定")).to_have_count(0)
    draft_back(page, cities, pupil_id, today - timedelta(days=1))
    expect(page.get_by_text("校長の承認待ち").first).to_be_visible()
    approve(cities, path_of(page), there=True)

    back = arrival_page(cities, name, "aozora.es.office", there=False)
    expect(back.get_by_text("識別子が同じ児童生徒が名簿にいるため、新しい児童生徒にはできません。")).to_be_visible()
    cities.here.check(back, "arrival-known-child")
    back.get_by_label("この児童生徒").check()
    back.get_by_role("button", name="この児童生徒として照合する").click()
    back.get_by_label("受入れ日").fill(today.isoformat())
    back.get_by_role("button", name="受け入れる", exact=True).click()
    expect(back.get_by_text("受入れ済み").first).to_be_visible()
    back.goto(cities.here.address(f"/roster/pupils/{pupil_id}"))
    moves = back.get_by_role("table", name="学籍の異動").get_by_role("rowheader")
    expect(moves).to_have_text(["転入学", "転入学", "転学", "入学"])
    expect(back.get_by_text("（保護者）")).to_have_count(1)
    cities.here.check(back, "pupil-come-back")


def draft_back(page: Page, cities: Cities, pupil_id: str, left_on: date) -> None:
    page.goto(cities.there.address(f"/transfers/new?pupil={pupil_id}"))
    label = page.get_by_role("combobox", name="転出先").locator("option", has_text="あおぞら小学校").inner_text()
    page.get_by_role("combobox", name="転出先").select_option(label=label)
    page.get_by_label("最後の登校日").fill(left_on.isoformat())
    page.get_by_label("理由").fill("転居の取りやめ")
    page.get_by_role("button", name="起案する").click()


def test_the_office_there_refuses(cities: Cities) -> None:
    office, name = draft(cities, 6 + OFFSET, today_jst())
    principal = approve(cities, path_of(office))
    page = arrival_page(cities, name)
    page.get_by_label("相手に伝える理由").fill("この児童の転入学の届けがありません。")
    page.get_by_role("button", name="受け取らない").click()
    page.get_by_role("dialog").get_by_role("button", name="受け取らない").click()
    expect(page.get_by_text("届いた書類は消去しました。").first).to_be_visible()
    cities.there.check(page, "arrival-refused")
    comes_to(principal, "この児童の転入学の届けがありません。")
    expect(principal.get_by_text("児童生徒は在籍のままです")).to_be_visible()
    cities.here.check(principal, "transfer-refused")


def test_a_teacher_there_sees_nothing_before_the_acceptance(cities: Cities) -> None:
    page = cities.there("minato.es.teacher1", "/")
    assert page.get_by_role("link", name="転入").count() == 0
    page.goto(cities.there.address("/arrivals"))
    expect(page.get_by_role("heading", level=1)).to_have_text("この操作はできません")


def test_the_directory_of_the_two_is_checked_by_anyone(cities: Cities, capsys: pytest.CaptureFixture[str]) -> None:
    assert dataexchange(["directory", "show", str(cities.directory / "directory.json")]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"board:479901", "board:479903"} <= {one["id"] for one in listed["organisations"]}


def test_the_expecting_office_tells_the_former_school(stack: RunningStack, chromium: Browser) -> None:
    """転入の予定: sealed over HTTPS to the other board, compared with its register, answered by a draft."""
    browse = Browse(stack, chromium)
    try:
        office = browse("aozora.es.office", "/transfers/new")
        office.get_by_label("氏名・よみがな・出席番号").fill(str(7 + OFFSET))
        office.get_by_role("button", name="探す").click()
        chosen = office.get_by_role("row").filter(has_text="小3").first.get_by_role("link", name=re.compile("選ぶ"))
        pupil_id = (chosen.get_attribute("href") or "").partition("pupil=")[2]

        asking = browse("hoshi.es.office", "/arrivals")
        asking.get_by_role("link", name="転入の予定を相手に知らせる").click()
        school = asking.get_by_role("combobox", name="前の学校").locator("option", has_text="小学校")
        label = school.filter(has_text="青空").first.inner_text()
        asking.get_by_role("combobox", name="前の学校").select_option(label=label)
        asking.get_by_label("受入れ予定日").fill((today_jst() + timedelta(days=7)).isoformat())
        asking.get_by_label("識別子(UUID)").fill(pupil_id)
        asking.get_by_label("支援措置の対象の児童生徒ではないこと").check()
        browse.check(asking, "notice-new")
        asking.get_by_role("button", name="相手に知らせる").click()
        comes_to(asking, "相手に届きました")
        browse.check(asking, "notice-sent")

        office.goto(browse.address("/transfers"))
        expect(office.get_by_role("heading", name="転入先から照会が届いています")).to_be_visible()
        office.get_by_role("table", name="届いた照会の一覧").get_by_role("link").first.click()
        browse.check(office, "notice-received")
        office.get_by_role("link", name="この児童生徒の転出を起案する").click()
        expect(office.get_by_role("combobox", name="転出先").locator("option:checked")).to_contain_text("星野")
        office.get_by_label("最後の登校日").fill(today_jst().isoformat())
        office.get_by_role("button", name="起案する").click()
        expect(office.get_by_text("校長の承認待ち").first).to_be_visible()
        asking.reload()
        expect(asking.get_by_text("相手に届きました").first).to_be_visible()  # a draft is not told to the asker

        office.goto(browse.address(f"/roster/pupils/{pupil_id}"))
        office.get_by_role("link", name="前の学校の書類").click()
        office.wait_for_load_state()
        if office.locator("input[name=otp]").count():
            second_factor(office, stack, "aozora.es.office")
        expect(office.get_by_role("heading", level=1)).to_have_text("前の学校から受けた書類")
        browse.check(office, "received-documents")
    finally:
        browse.close()
