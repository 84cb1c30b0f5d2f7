"""A board opens the record store to a learning tool: it writes and reads, then it is shut out."""

import json
import time

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.test_teacher_closes_the_term import confirm
from tests.support.browser import Browse
from tests.support.stack import RunningStack

NAME = "ほしの計算ドリル"
STATEMENT = {
    "actor": {"account": {"homePage": "https://portal.school.example", "name": "3f2b8c1e-5a47-4d09-9b6e-71c0d2a8e4f5"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
    "object": {"id": "https://drill.example/q/1"},
}
VERSION = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"}


def row(page: Page):
    return page.get_by_role("row").filter(has_text=NAME)


def test_a_tool_is_let_in_and_shut_out(browse: Browse, stack: RunningStack) -> None:
    page = browse("hoshi.board", "/tools")
    page.get_by_role("link", name="ツールを登録する").click()
    page.get_by_label("名称").fill(NAME)
    page.get_by_label("利用目的").fill("算数の家庭学習の記録を、担任が見て声をかけるため")
    browse.check(page, "tools-new")
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    url, key, secret = (page.locator(f"#tool-{name}").inner_text() for name in ("url", "key", "secret"))
    assert url == stack.info["lrs"]["base_url"]
    browse.check(page, "tools-opened")
    with httpx.Client(auth=(key, secret), headers=VERSION) as tool:
        assert tool.post(f"{url}/statements", content=json.dumps(STATEMENT)).status_code == 200
        assert len(tool.get(f"{url}/statements").json()["statements"]) == 1
        page.get_by_role("link", name="設定が済んだので閉じる").click()
        until = time.monotonic() + 10  # uses are gathered for a second
        while "1件" not in row(page).inner_text():
            assert time.monotonic() < until
            page.reload()
        browse.check(page, "tools")
        row(page).get_by_role("button", name="停止する").click()
        confirm(page, "停止する")
        expect(row(page)).to_contain_text("停止")
        until = time.monotonic() + 5  # a client is remembered for 2 s
        while tool.get(f"{url}/statements").status_code != 401:
            assert time.monotonic() < until
