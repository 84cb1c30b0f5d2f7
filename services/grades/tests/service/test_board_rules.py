"""The board decides 学期 and 通知表; a closed term stays; the next sheet of a teacher follows."""

import asyncio
import json
from uuid import uuid4

import pytest
import pytest_asyncio
from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2 as pb
from servicekit.errors import Conflict, Invalid, Refused, Unseen

YEAR = 2026
TERMS, CARD = pb.BOARD_RULE_TOPIC_TERMS, pb.BOARD_RULE_TOPIC_REPORT_CARD


@pytest_asyncio.fixture(loop_scope="session")
async def board(world):
    world.people["board"] = (uuid4(), "board_admin")
    return world.as_("board", strong=False)


def asked(year: int = YEAR) -> pb.GetBoardRulesRequest:
    return pb.GetBoardRulesRequest(school_year=year)


def ending(found: pb.BoardRules, **ends: str) -> pb.SetBoardTermsRequest:
    """The terms as they are, `t1`, `t2` ending on another day."""
    request = pb.SetBoardTermsRequest(
        school_year=found.terms_state.school_year, version=found.terms_state.version, terms=found.terms
    )
    for term in request.terms:
        term.ends_on = ends.get(f"t{term.key}", term.ends_on)
    return request


def card(found: pb.BoardRules, uses: dict[str, int] | None = None, **limits: int) -> pb.SetBoardReportCardRequest:
    state = found.report_card_state
    return pb.SetBoardReportCardRequest(
        school_year=state.school_year,
        version=state.version,
        parts=[pb.BoardPart(key=key, use=use) for key, use in (uses or {}).items()],
        limits=[pb.BoardLimit(column=f"remarks.{key}", max_characters=most) for key, most in limits.items()],
    )


def turn(state: common_pb2.DecisionState, topic: int) -> pb.ChangeBoardRulesRequest:
    return pb.ChangeBoardRulesRequest(topic=topic, school_year=state.school_year, version=state.version)


async def close(world, who: str = "principal", term: str = "1") -> pb.Term:
    asked = world.term(term) | {"version": 0, "accept_missing": True, "reason": "試し"}
    return await world.as_(who).CloseTerm(pb.CloseTermRequest(**asked))


async def ends_of(world) -> list[tuple[str, str]]:
    listed = await world.as_("principal").ListTerms(
        pb.ListTermsRequest(school_id=str(world.school), school_year=YEAR)
    )
    return [(term.starts_on, term.ends_on) for term in listed.terms]


async def test_terms_follow_each_other_and_every_school_has_them(world, board) -> None:
    found = await board.GetBoardRules(asked())
    assert (found.terms_state.version, found.terms_state.locked_reason) == (0, "")
    saved = await board.SetBoardTerms(ending(found, t1="2026-07-31"))
    assert [(c.subject, c.what) for c in saved.terms_state.last_change] == [("1学期", "期間"), ("2学期", "期間")]
    assert await ends_of(world) == [
        ("2026-04-01", "2026-07-31"),
        ("2026-08-01", "2026-12-31"),
        ("2027-01-01", "2027-03-31"),
        ("2026-04-01", "2027-03-31"),
    ]


async def test_a_wrong_end_names_its_field(board) -> None:
    found = await board.GetBoardRules(asked())
    for end, field in (("2026-03-31", 0), ("2027-01-10", 1), ("きのう", 0)):
        with pytest.raises(Invalid) as wrong:
            await board.SetBoardTerms(ending(found, t1=end))
        assert wrong.value.violations[0].field == f"terms.{field}.ends_on"


async def test_a_term_some_school_has_closed_stays(world, board) -> None:
    await close(world)
    found = await board.GetBoardRules(asked())
    assert list(found.terms[0].closed_at_schools) == ["青空第一小学校"]
    with pytest.raises(Invalid) as wrong:
        await board.SetBoardTerms(ending(found, t1="2026-07-31"))
    assert wrong.value.violations[0].field == "terms.0.ends_on"
    assert "青空第一小学校で締められている" in wrong.value.violations[0].message
    await board.SetBoardTerms(ending(found, t2="2026-12-25"))
    assert (await ends_of(world))[0] == ("2026-04-01", "2026-08-31")


async def test_closing_and_moving_a_term_wait_for_each_other(world, board) -> None:
    """Whoever comes second sees what the first did: the closed dates are the dates of the year."""
    found = await board.GetBoardRules(asked())
    closed, moved = await asyncio.gather(
        close(world), board.SetBoardTerms(ending(found, t1="2026-07-31")), return_exceptions=True
    )
    assert isinstance(closed, pb.Term)
    assert (closed.starts_on, closed.ends_on) == (await ends_of(world))[0]
    assert isinstance(moved, pb.BoardRules | Invalid)


async def test_a_board_goes_over_to_two_terms_and_back(world, board) -> None:
    found = await board.GetBoardRules(asked())
    request = ending(found, t1="2026-10-11")
    del request.terms[2]
    request.terms[0].label, request.terms[1].label = "前期", "後期"
    two = await board.SetBoardTerms(request)
    assert await ends_of(world) == [
        ("2026-04-01", "2026-10-11"),
        ("2026-10-12", "2027-03-31"),
        ("2026-04-01", "2027-03-31"),
    ]
    # The next word of roster on a class lays no third one; marks of it have nowhere to go.
    await world.tell(world.a_class(world.class31, "3年1組", "P3", world.members(world.pupils), version=2))
    assert len(await ends_of(world)) == 3
    with pytest.raises(Unseen):
        await world.as_("homeroom").SaveCells(world.save((world.pupils[0], "rating", "3", 0), term="3"))
    back = await board.UndoBoardRules(turn(two.terms_state, TERMS))
    assert back.terms == found.terms
    await world.as_("homeroom").SaveCells(world.save((world.pupils[0], "rating", "3", 0), term="3"))
    again = ending(back)
    del again.terms[2]
    with pytest.raises(Invalid) as wrong:
        await board.SetBoardTerms(again)
    assert "3学期にはすでに成績が入力されている" in wrong.value.violations[0].message


async def test_a_part_left_out_is_gone_from_the_next_sheet(world, board) -> None:
    teacher, hana = world.as_("homeroom"), world.pupils[0]
    await teacher.SaveCells(world.save((hana, "moral", "よく考えている", 0), subject="moral"))
    found = await board.GetBoardRules(asked())
    saved = await board.SetBoardReportCard(card(found, {"moral": pb.PART_USE_UNUSED}, comment=20))
    assert saved.report_card_state.version == 1
    with pytest.raises(Unseen):
        await teacher.GetSheet(world.sheet("moral"))
    column = next(c for c in (await teacher.GetSheet(world.sheet("remarks"))).columns if c.key == "remarks.comment")
    assert (column.max_characters, column.help) == (20, "20字まで")
    # 指導要録 asks by law, and what was written comes back with the part.
    assert (await teacher.GetSheet(world.sheet("moral", "year"))).columns[0].required_for_closing
    back = await board.UndoBoardRules(turn(saved.report_card_state, CARD))
    assert (back.report_card_state.undone, back.parts) == (True, found.parts)
    assert (await teacher.GetSheet(world.sheet("moral"))).cells[0].value == "よく考えている"


async def test_no_text_is_longer_than_the_form_holds(board) -> None:
    found = await board.GetBoardRules(asked())
    most = next(limit.most for limit in found.limits if limit.column == "remarks.comment")
    with pytest.raises(Invalid) as wrong:
        await board.SetBoardReportCard(card(found, comment=most + 1))
    assert wrong.value.violations[0].field == "limits.0.max_characters"
    with pytest.raises(Invalid) as wrong:
        await board.SetBoardReportCard(card(found, {"behaviour": pb.PART_USE_REQUIRED}))
    assert "○を付ける欄" in wrong.value.violations[0].message
    with pytest.raises(Invalid):
        await board.SetBoardReportCard(card(found, {"lunch": pb.PART_USE_OPTIONAL}))


async def test_who_was_slower_is_told_and_overwrites_nothing(world, board) -> None:
    found = await board.GetBoardRules(asked())
    both = await asyncio.gather(
        *(board.SetBoardTerms(ending(found, t1=end)) for end in ("2026-07-31", "2026-07-24")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in both) == ["BoardRules", "Conflict"]
    first = next(one for one in both if isinstance(one, pb.BoardRules))
    assert (await ends_of(world))[0][1] == first.terms[0].ends_on
    with pytest.raises(Conflict, match="ほかの人が保存しました"):
        await board.SetBoardTerms(ending(found, t1="2026-07-20"))


async def test_last_years_decisions_become_next_years(world, board) -> None:
    found = await board.GetBoardRules(asked())
    await board.SetBoardTerms(ending(found, t1="2026-07-31"))
    await board.SetBoardReportCard(card(found, {"moral": pb.PART_USE_UNUSED}))
    coming = await board.GetBoardRules(asked(YEAR + 1))
    assert next((c.subject, c.after) for c in coming.terms_state.from_last_year) == (
        "1学期",
        "2027年4月1日〜2027年7月31日",
    )
    assert [c.after for c in coming.report_card_state.from_last_year] == ["使わない"]
    await board.CopyBoardRules(turn(coming.terms_state, TERMS))
    copied = await board.CopyBoardRules(turn(coming.report_card_state, CARD))
    assert copied.terms[0].ends_on == "2027-07-31"
    assert not copied.terms_state.from_last_year
    assert not copied.report_card_state.from_last_year
    # The first class of the new year finds them.
    klass = world.a_class(uuid4(), "4年1組", "P4", [])
    getattr(klass.roster, "class").school_year = YEAR + 1
    await world.tell(klass)
    listed = await world.as_("principal").ListTerms(
        pb.ListTermsRequest(school_id=str(world.school), school_year=YEAR + 1)
    )
    assert [term.ends_on for term in listed.terms] == ["2027-07-31", "2027-12-31", "2028-03-31", "2028-03-31"]


async def test_only_the_board_decides_and_only_this_year_and_the_next(world, board) -> None:
    found = await world.as_("vice").GetBoardRules(asked())
    assert "教育委員会に伝えてください" in found.terms_state.locked_reason
    for who in ("principal", "homeroom"):
        with pytest.raises(Refused):
            await world.as_(who).SetBoardTerms(ending(found, t1="2026-07-31"))
    with pytest.raises(Refused):
        await world.as_("homeroom").GetBoardRules(asked())
    with pytest.raises(Refused, match="終わった年度"):
        await board.SetBoardReportCard(card(await board.GetBoardRules(asked(YEAR - 1)), {"moral": pb.PART_USE_UNUSED}))
    with pytest.raises(Conflict, match="取り消せる変更はありません"):
        await board.UndoBoardRules(turn(found.terms_state, TERMS))


async def test_another_boards_rules_stay_as_they_are(world, board, running) -> None:
    from komu.grades.v1.grades_pb2_grpc import GradesServiceStub
    from servicekit.testing import an_actor

    other = running.caller(GradesServiceStub, an_actor("t-elsewhere", "board_admin", strong=False))
    before = await other.GetBoardRules(asked())
    found = await board.GetBoardRules(asked())
    await board.SetBoardTerms(ending(found, t1="2026-07-31"))
    await board.SetBoardReportCard(card(found, {"moral": pb.PART_USE_UNUSED}))
    assert await other.GetBoardRules(asked()) == before


async def test_the_change_is_in_the_log_of_every_school_with_before_and_after(world, board) -> None:
    await board.SetBoardReportCard(card(await board.GetBoardRules(asked()), {"moral": pb.PART_USE_UNUSED}))
    for who, school in (("principal", world.school), ("jh principal", world.other_school)):
        reply = await world.as_(who).ReadAudit(common_pb2.ReadAuditRequest(school_id=str(school)))
        entry = reply.entries[0]
        assert entry.action == "board_report_card.changed"
        assert json.loads(entry.before_json) == {"特別の教科 道徳": {"扱い": "入力してもよい"}}
        assert json.loads(entry.after_json) == {"school_year": YEAR, "特別の教科 道徳": {"扱い": "使わない"}}
