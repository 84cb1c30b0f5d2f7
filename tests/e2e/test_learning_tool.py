"""A board registers a learning tool; a teacher opens it from her class, chooses content, sees the points it sends."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Browse
from tests.support.lti_tool import LtiTool

BOARD = "aozora.board"
TEACHER = "aozora.es.teacher1"
SCHOOL = "青空市立あおぞら小学校"


@pytest.fixture
def drill() -> Iterator[LtiTool]:
    with LtiTool() as tool:
        yield tool


def value(page: Page, label: str) -> str:
    """What stands beside a label of the facts."""
    return page.locator("dt", has_text=label).first.locator("xpath=following-sibling::dd[1]").inner_text()


def test_from_the_register_of_the_board_into_the_class(browse: Browse, drill: LtiTool):
    board = browse(BOARD, "/lti")
    browse.check(board, "lti-overview")
    board.get_by_role("link", name="学習ツールを登録する").click()
    name = f"計算ドリル{drill.url().rsplit(':', 1)[1].split('/')[0]}"
    board.get_by_label("名称").fill(name)
    board.locator("#f-purpose").fill("算数の練習")
    board.get_by_label("学級の名前").check()
    board.get_by_label("表示名").check()
    board.get_by_label(SCHOOL).check()
    board.get_by_label("ログイン開始URL").fill(drill.url("/login"))
    board.get_by_label("起動先のURL").fill(drill.url("/launch"))
    board.get_by_label("リダイレクトURI").fill("ftp://example.test/")
    board.get_by_label("公開鍵のURL").fill(drill.url("/jwks"))
    board.get_by_label("Deep Linking 対応").check()
    board.get_by_role("button", name="登録する").click()
    expect(board.get_by_role("alert")).to_contain_text("リダイレクトURI")
    board.get_by_label("リダイレクトURI").fill(drill.url("/launch"))
    board.get_by_role("button", name="登録する").click()
    expect(board.get_by_role("heading", level=1)).to_have_text(name)
    browse.check(board, "lti-tool")
    deployment = value(board, "デプロイメントID").split("（")[0]
    drill.know(value(board, "発行者"), value(board, "client_id"), [deployment])

    teacher = browse(TEACHER)
    teacher.get_by_role("link", name="学級のツール").click()
    card = teacher.get_by_role("article", name=name)
    card.get_by_label("表示する名前").fill(f"九九の復習 {name}")
    card.get_by_role("button", name="学級に置く").click()
    with teacher.expect_popup() as opened:
        teacher.get_by_role("link", name=f"九九の復習 {name}").click()
    tool = opened.value
    expect(tool.get_by_role("heading", level=2)).to_have_text(f"九九の復習 {name}")
    expect(tool.locator("p").first).to_have_text("高橋 担子(Instructor, Faculty)")
    card = teacher.get_by_role("article", name=name)
    with teacher.expect_popup() as opened:
        card.get_by_role("link", name="教材を選ぶ").click()
    chooser = opened.value
    chooser.get_by_role("button", name="選ぶ").click()
    expect(chooser.get_by_role("heading", level=1)).to_contain_text("のツール")
    teacher.reload()
    browse.check(teacher, "lti-class")
    with teacher.expect_popup() as opened:
        teacher.get_by_role("row", name=name).get_by_role("link", name="ひき算").click()
    tool = opened.value
    expect(tool.get_by_role("heading", level=2)).to_have_text("ひき算")
    members = drill.launches[-1].get_nrps().get_members()
    pupil = next(one["user_id"] for one in members if one["roles"][0].endswith("#Learner"))
    tool.locator("input[name=user]").fill(pupil)
    tool.get_by_role("button", name="得点を送る").click()
    expect(tool.get_by_role("heading", level=1)).to_have_text("得点を送りました")
    teacher.get_by_role("link", name="届いた得点を見る").click()
    score = teacher.get_by_role("row", name=re.compile(f"ひき算.*{name}.*8 . 10"))
    expect(score).to_contain_text("採点済み")
    browse.check(teacher, "lti-scores")
    score.get_by_role("button", name="確認済みにする").click()
    expect(teacher.locator("#toasts")).to_contain_text("確認済みにしました")

    board.goto(browse.address("/lti/new"))
    board.get_by_label("登録ページのURL").fill(drill.url("/register"))
    board.get_by_label("このツールの利用目的").fill("自動登録を試す")
    board.get_by_role("button", name="登録ページへ進む").click()
    with board.expect_popup() as opened:
        board.get_by_role("link", name="ツールの登録ページを開く").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("登録しました")
    board.goto(browse.address("/lti"))
    board.get_by_role("link", name=name).click()
    board.get_by_role("button", name="このツールを停止する").click()
    board.get_by_role("dialog").get_by_role("button", name="停止する").click()
    expect(board.get_by_role("row", name=name)).to_contain_text("停止")
    expect(board.get_by_role("row", name=re.compile("計算ドリル\\(自動登録\\)")).first).to_contain_text("学校未定")
    board.goto(browse.address("/lti/keys"))
    browse.check(board, "lti-keys")
