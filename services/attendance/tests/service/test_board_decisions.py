"""The board decides symbols and reasons; the next page of a teacher has them; nothing is overwritten unseen."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest
from komu.attendance.v1 import attendance_pb2 as pb
from komu.attendance.v1.attendance_pb2_grpc import AttendanceServiceStub
from komu.common.v1 import common_pb2
from servicekit.errors import Conflict, Invalid, Refused
from servicekit.testing import Caller, an_actor

YEAR = 2026


@pytest.fixture
def board(school) -> Caller[AttendanceServiceStub]:
    return school.as_person(uuid4(), "board_admin")


def asked(year: int = YEAR) -> pb.GetBoardDecisionsRequest:
    return pb.GetBoardDecisionsRequest(school_year=year)


def changed(found: pb.BoardDecisions, key: str, **to: object) -> pb.SetBoardSymbolsRequest:
    """All symbols as they are, one of them changed."""
    request = pb.SetBoardSymbolsRequest(
        school_year=found.symbols_state.school_year, version=found.symbols_state.version, symbols=found.symbols
    )
    one = next(symbol for symbol in request.symbols if symbol.key == key)
    for name, value in to.items():
        setattr(one, name, value)
    return request


def turn(state: common_pb2.DecisionState, topic: int = pb.BOARD_TOPIC_SYMBOLS) -> pb.ChangeBoardDecisionRequest:
    return pb.ChangeBoardDecisionRequest(topic=topic, school_year=state.school_year, version=state.version)


async def mark(school, pupil, symbol: str, on: str = "2026-11-20", version: int = 0, why: str = "") -> pb.GetDayReply:
    return await school.teacher.SaveDay(
        pb.SaveDayRequest(
            class_id=str(school.homeroom_id),
            on=on,
            exceptions=[pb.DayMark(pupil_id=str(pupil), symbol=symbol)],
            version=version,
            correction_reason=why,
        )
    )


async def the_day(school, on: str = "2026-11-20") -> pb.GetDayReply:
    return await school.teacher.GetDay(pb.GetDayRequest(class_id=str(school.homeroom_id), on=on))


async def test_a_changed_sign_is_on_the_teachers_next_page(school, board):
    found = await board.GetBoardDecisions(asked())
    assert (found.symbols_state.version, found.symbols_state.locked_reason) == (0, "")
    saved = await board.SetBoardSymbols(changed(found, "ill", sign="欠", shortcut="Q"))
    assert saved.symbols_state.version == 1
    assert [(c.subject, c.what, c.before, c.after) for c in saved.symbols_state.last_change] == [
        ("病欠", "記号", "病", "欠"),
        ("病欠", "キー", "B", "Q"),
    ]
    ill = next(symbol for symbol in (await the_day(school)).symbols if symbol.key == "ill")
    assert (ill.sign, ill.shortcut) == ("欠", "q")


async def test_a_new_symbol_counts_by_its_category(school, board):
    found = await board.GetBoardDecisions(asked())
    request = changed(found, "ill")
    request.symbols.add(sign="保", label="保健室登校", category=pb.CATEGORY_PRESENT_ELSEWHERE, shortcut="z")
    await board.SetBoardSymbols(request)
    await mark(school, school.pupils[0], "保健室登校")
    month = await school.teacher.GetMonth(pb.GetMonthRequest(class_id=str(school.homeroom_id), month="2026-11"))
    row = next(row for row in month.pupils if row.pupil_id == str(school.pupils[0]))
    assert (row.sums.present_elsewhere, row.cells[19].sign) == (1, "保")


async def test_what_a_mark_has_can_be_retired_but_not_moved_or_removed(school, board):
    await mark(school, school.pupils[0], "official")
    found = await board.GetBoardDecisions(asked())
    assert list(found.used) == ["official"]
    with pytest.raises(Invalid) as wrong:
        await board.SetBoardSymbols(changed(found, "official", category=pb.CATEGORY_ABSENT_OTHER))
    assert wrong.value.violations[0].field == "symbols.10.category"
    removed = changed(found, "ill")
    del removed.symbols[10]
    with pytest.raises(Invalid, match="決まりを保存できません") as wrong:
        await board.SetBoardSymbols(removed)
    assert "なくせません" in wrong.value.violations[0].message
    await board.SetBoardSymbols(changed(found, "official", retired=True))

    # The day reads as before and may be saved again; no other child gets it.
    day = await the_day(school)
    assert next(m.symbol for m in day.marks if m.pupil_id == str(school.pupils[0])) == "official"
    assert next(symbol.retired for symbol in day.symbols if symbol.key == "official")
    for month, explained in (("2026-11", True), ("2026-10", False)):
        asked_month = pb.GetMonthRequest(class_id=str(school.homeroom_id), month=month)
        legend = [symbol.sign for symbol in (await school.teacher.GetMonth(asked_month)).symbols]
        assert ("公" in legend) == explained
    await mark(school, school.pupils[0], "official", version=1)
    with pytest.raises(Invalid, match="もう使えません"):
        await mark(school, school.pupils[1], "official", version=2)


async def test_a_symbol_that_was_corrected_away_is_in_use_because_its_history_is_read(school, board):
    for version, symbol in enumerate(("official", "principal", "ill")):
        await mark(school, school.pupils[0], symbol, version=version)
    assert list((await board.GetBoardDecisions(asked())).used) == ["ill", "official", "principal"]
    assert list((await board.GetBoardDecisions(asked(YEAR - 1))).used) == []


async def test_a_symbol_is_not_moved_under_a_save_that_is_under_way(school, board, running):
    """A change waits for saves, and then sees what they wrote."""
    from attendance.store import marks

    found = await board.GetBoardDecisions(asked())
    async with running.database.transaction(school.tenant) as tx:
        await marks.hold_symbols(tx, for_change=False)
        change = asyncio.ensure_future(
            board.SetBoardSymbols(changed(found, "official", category=pb.CATEGORY_ABSENT_OTHER))
        )
        async with running.database.reading(school.tenant) as other:
            while not await other.scalar(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = ("
                "SELECT oid FROM pg_database WHERE datname = current_database())"):
                assert not change.done()
        await tx.execute(
            "INSERT INTO marks (tenant_id, pupil_id, on_day, class_id, symbol, reason, version)"
            " VALUES (:tenant, :pupil, '2026-11-20', :class, 'official', '', 1)",
            {"tenant": school.tenant, "pupil": school.pupils[0], "class": school.homeroom_id},
        )
    with pytest.raises(Invalid):
        await change


async def test_a_wrong_entry_names_its_field(school, board):
    found = await board.GetBoardDecisions(asked())
    with pytest.raises(Invalid) as wrong:
        await board.SetBoardSymbols(changed(found, "other", shortcut="b"))
    assert [(v.field, v.message) for v in wrong.value.violations] == [
        ("symbols.1.shortcut", "キー「B」は「病欠」と同じです。別にしてください。")
    ]
    without = changed(found, "ill", category=pb.CATEGORY_UNSPECIFIED)
    with pytest.raises(Invalid, match="区分"):
        await board.SetBoardSymbols(without)


async def test_who_was_slower_is_told_and_overwrites_nothing(school, board):
    found = await board.GetBoardDecisions(asked())
    await board.SetBoardSymbols(changed(found, "ill", sign="欠"))
    with pytest.raises(Conflict, match="ほかの人が保存しました"):
        await board.SetBoardSymbols(changed(found, "ill", sign="休"))
    both = await asyncio.gather(
        *(
            board.SetBoardReasons(pb.SetBoardReasonsRequest(school_year=YEAR, version=0, reasons=[reason]))
            for reason in ("感冒", "発熱")
        ),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in both) == ["BoardDecisions", "Conflict"]
    now = await board.GetBoardDecisions(asked())
    assert next(symbol.sign for symbol in now.symbols if symbol.key == "ill") == "欠"
    assert now.reasons_state.version == 1


async def test_the_last_change_is_undone_as_a_change_of_its_own(school, board):
    found = await board.GetBoardDecisions(asked())
    with pytest.raises(Conflict, match="取り消せる変更はありません"):
        await board.UndoBoardDecision(turn(found.symbols_state))
    request = changed(found, "ill", sign="欠")
    request.symbols.add(sign="保", label="保健室登校", category=pb.CATEGORY_PRESENT)
    saved = await board.SetBoardSymbols(request)
    back = await board.UndoBoardDecision(turn(saved.symbols_state))
    assert list(back.symbols) == list(found.symbols)
    assert (back.symbols_state.version, back.symbols_state.undone) == (2, True)
    again = await board.UndoBoardDecision(turn(back.symbols_state))
    await mark(school, school.pupils[0], "保健室登校")
    with pytest.raises(Invalid) as wrong:
        await board.UndoBoardDecision(turn(again.symbols_state))
    assert "「保健室登校」" in wrong.value.violations[0].message


async def test_last_years_decision_becomes_next_years(school, board):
    reasons = pb.SetBoardReasonsRequest(school_year=YEAR, version=0, reasons=["感冒", "家事都合"])
    await board.SetBoardReasons(reasons)
    await board.SetBoardSymbols(changed(await board.GetBoardDecisions(asked()), "ill", sign="欠"))
    coming = await board.GetBoardDecisions(asked(YEAR + 1))
    assert [(c.subject, c.before, c.after) for c in coming.symbols_state.from_last_year] == [("病欠", "病", "欠")]
    await board.CopyBoardDecision(turn(coming.symbols_state))
    copied = await board.CopyBoardDecision(turn(coming.reasons_state, pb.BOARD_TOPIC_REASONS))
    assert list(copied.reasons) == ["感冒", "家事都合"]
    assert copied.symbols[0].sign == "欠"
    assert not copied.symbols_state.from_last_year
    assert (await board.GetBoardDecisions(asked())).symbols_state.version == 1


async def test_only_the_board_decides_and_only_this_year_and_the_next(school, board):
    found = await school.principal.GetBoardDecisions(asked())
    assert "教育委員会に伝えてください" in found.symbols_state.locked_reason
    for who in (school.principal, school.teacher):
        with pytest.raises(Refused):
            await who.SetBoardSymbols(changed(found, "ill", sign="欠"))
    with pytest.raises(Refused):
        await school.teacher.GetBoardDecisions(asked())
    for year in (YEAR - 1, YEAR + 2):
        with pytest.raises(Refused):
            await board.SetBoardReasons(pb.SetBoardReasonsRequest(school_year=year, version=0, reasons=["感冒"]))
    assert "終わった年度" in (await board.GetBoardDecisions(asked(YEAR - 1))).symbols_state.locked_reason
    with pytest.raises(Invalid):
        await board.GetBoardDecisions(asked(0))


async def test_another_boards_decisions_stay_as_they_are(school, board, running):
    other = running.caller(AttendanceServiceStub, an_actor("t-elsewhere", "board_admin", strong=False))
    before = await other.GetBoardDecisions(asked())
    await board.SetBoardSymbols(changed(await board.GetBoardDecisions(asked()), "ill", sign="欠"))
    assert await other.GetBoardDecisions(asked()) == before


async def test_the_change_is_in_the_log_of_every_school_with_before_and_after(school, board):
    await board.SetBoardSymbols(changed(await board.GetBoardDecisions(asked()), "ill", sign="欠"))
    reply = await school.principal.ReadAudit(common_pb2.ReadAuditRequest(school_id=str(school.id)))
    entry = reply.entries[0]
    assert entry.action == "board_symbols.changed"
    assert json.loads(entry.before_json) == {"病欠": {"記号": "病"}}
    assert json.loads(entry.after_json) == {"school_year": YEAR, "病欠": {"記号": "欠"}}
