"""学校の決まり over HTTP: what comes back unsaved, what a refusal looks like, who is asked for what."""

from types import SimpleNamespace

import pytest
from komu.attendance.v1 import attendance_pb2 as pb
from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2
from komu.roster.v1 import roster_pb2
from portal.pages import board
from portal.rpc import rpc
from servicekit.errors import Conflict, Invalid, Violation

STATE = common_pb2.DecisionState(
    school_year=2026,
    version=3,
    decided_by="p",
    last_change=[common_pb2.DecisionChange(subject="病欠", what="記号", before="ヤ", after="病")],
    from_last_year=[common_pb2.DecisionChange(subject="公欠", what="キー", before="O", after="Q")],
)
FOUND = pb.BoardDecisions(
    symbols_state=STATE,
    symbols=[
        pb.Symbol(key="ill", sign="病", label="病欠", category=pb.CATEGORY_ABSENT_ILLNESS, shortcut="b"),
        pb.Symbol(key="official", sign="公", label="公欠", category=pb.CATEGORY_OFFICIAL_LEAVE, shortcut="o"),
    ],
    used=["official"],
    reasons_state=STATE,
    reasons=["感冒"],
    categories=[
        pb.CategoryRule(category=pb.CATEGORY_ABSENT_ILLNESS, label="病欠", counts_as="欠席", basis="病気"),
        pb.CategoryRule(category=pb.CATEGORY_OFFICIAL_LEAVE, label="公欠", counts_as="出席", basis="大会"),
    ],
)
ROWS = {
    "version": "3",
    "symbols.0.key": "ill",
    "symbols.0.sign": "欠",
    "symbols.0.label": "病欠",
    "symbols.0.category": "2",
    "symbols.0.shortcut": "b",
    "symbols.1.key": "official",
    "symbols.1.sign": "公",
    "symbols.1.label": "公欠",
    "symbols.1.category": "9",
    "symbols.1.shortcut": "O",
    "symbols.1.retired": "1",
}


class Asked:
    """A service that answers, or raises, and keeps what it was asked."""

    def __init__(self, **answers):
        self._answers = answers
        self.requests = []

    def __getattr__(self, method):
        async def call(request, **_):
            self.requests.append((method, request))
            found = self._answers[method]
            if isinstance(found, Exception):
                raise found
            return found

        return call


async def answer(portal, path, form=None, **answers):
    """The page's answer, and the attendance service that was asked."""
    attendance = Asked(GetBoardDecisions=FOUND, **answers)
    calls = SimpleNamespace(
        attendance=attendance,
        grades=Asked(GetBoardRules=grades_pb2.BoardRules(terms_state=STATE)),
        roster=Asked(GetPeopleNames=roster_pb2.GetPeopleNamesReply()),
    )
    async with portal(board.router) as running, running.browser() as browser:
        running.app.dependency_overrides[rpc] = lambda: calls
        await running.sign_in(browser, realm_access={"roles": ["board_admin"]})
        if form is None:
            return await browser.get(path), attendance
        token = await running.token(browser)
        return await browser.post(path, data={"csrf_token": token} | form), attendance


async def test_the_table_is_sent_whole_and_in_order(portal):
    page, attendance = await answer(portal, "/board/2026/symbols", ROWS, SetBoardSymbols=FOUND)
    assert (page.status_code, page.headers["location"]) == (303, "/board/2026/symbols")
    sent = next(request for method, request in attendance.requests if method == "SetBoardSymbols")
    assert (sent.school_year, sent.version) == (2026, 3)
    assert [(one.key, one.sign, one.category, one.shortcut, one.retired) for one in sent.symbols] == [
        ("ill", "欠", pb.CATEGORY_ABSENT_ILLNESS, "b", False),
        ("official", "公", pb.CATEGORY_OFFICIAL_LEAVE, "O", True),
    ]


async def test_moving_a_row_saves_nothing_and_keeps_what_was_typed(portal):
    page, attendance = await answer(portal, "/board/2026/symbols", ROWS | {"do": "up:1"})
    assert page.status_code == 200
    assert {method for method, _ in attendance.requests} == {"GetBoardDecisions"}
    assert "まだ保存していません" in page.text
    assert 'data-keep="unsaved"' in page.text
    assert page.text.index('name="symbols.0.key" value="official"') < page.text.index('value="欠"')


async def test_a_wrong_field_is_told_beside_it_and_in_the_summary(portal):
    wrong = Invalid("だめ", [Violation("symbols.0.sign", "記号「公」は「公欠」と同じです。")])
    page, _ = await answer(portal, "/board/2026/symbols", ROWS, SetBoardSymbols=wrong)
    assert page.status_code == 422
    assert '<a href="#f-symbols.0.sign">' in page.text
    assert 'id="f-symbols.0.sign-error1"' in page.text
    assert 'value="欠"' in page.text


async def test_who_was_slower_sees_the_own_input_and_what_stands(portal):
    late = Conflict("10時42分にほかの人が保存しました。")
    page, _ = await answer(portal, "/board/2026/symbols", ROWS, SetBoardSymbols=late)
    assert page.status_code == 409
    assert "10時42分にほかの人が保存しました" in page.text
    assert "今の決まり：病<" in page.text
    assert 'name="version" value="3"' in page.text


@pytest.mark.parametrize("step", ["copy", "undo"])
async def test_what_cannot_be_copied_or_undone_is_told_without_pointing_at_a_wrong_row(portal, step):
    """The fault is of a decision that is not on the page."""
    wrong = Invalid("だめ", [Violation("symbols.0.category", "「公欠」は使われているため、区分は変えられません。")])
    answers = {"CopyBoardDecision": wrong, "UndoBoardDecision": wrong}
    page, attendance = await answer(portal, f"/board/2026/symbols/{step}", {"version": "3"}, **answers)
    assert page.status_code == 422
    assert page.text.count("区分は変えられません。") == 1
    assert "#f-symbols" not in page.text
    asked = attendance.requests[0][1]
    assert (asked.topic, asked.school_year, asked.version) == (pb.BOARD_TOPIC_SYMBOLS, 2026, 3)


async def test_copying_is_seen_before_it_is_done(portal):
    page, attendance = await answer(portal, "/board/2026/symbols/copy")
    assert "2025年度の出欠記号を2026年度に写す" in page.text
    assert "公欠" in page.text
    assert {method for method, _ in attendance.requests} == {"GetBoardDecisions"}


@pytest.mark.parametrize(("path", "status"), [("/board/2026/lunch", 404), ("/board/1/symbols", 422)])
async def test_no_such_topic_or_year(portal, path, status):
    page, _ = await answer(portal, path)
    assert page.status_code == status
