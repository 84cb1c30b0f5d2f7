"""A child missing from a roster file: listed, decided about, taken back; and what the next file makes of it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2, roster_pb2
from servicekit.errors import Conflict, Invalid, Refused, Unseen

from .conftest import Board

KEEP, WITHDRAW, GRADUATE, UNKNOWN = (
    roster_pb2.UNLISTED_DECISION_KEEP, roster_pb2.UNLISTED_DECISION_WITHDRAW, roster_pb2.UNLISTED_DECISION_GRADUATE,
    roster_pb2.UNLISTED_DECISION_WHEREABOUTS_UNKNOWN,
)  # fmt: skip


async def lose(board: Board, *keys: str) -> str:
    """The next bulk file does not list those children."""
    lost = {f"{kind}-{key}" for key in keys for kind in ("person", "member")}
    import_id = await board.stage([row for key, row in board.rows.items() if key not in lost])
    assert (await board.apply(import_id, confirm_shrink=True)).state == common_pb2.JOB_STATE_DONE
    return import_id


async def listed(board: Board, caller: object = None, **question: object) -> roster_pb2.ListUnlistedPupilsReply:
    asked = roster_pb2.ListUnlistedPupilsRequest(**question)  # type: ignore[arg-type]
    return await (caller or board.office).ListUnlistedPupils(asked)  # type: ignore[union-attr, no-any-return]


async def asked(board: Board, keys: Iterable[str], decision: int, **more: object) -> roster_pb2.DecideUnlistedRequest:
    versions = {one.pupil.id: one.version for one in (await listed(board, board.admin)).pupils}
    return roster_pb2.DecideUnlistedRequest(
        pupils=[
            roster_pb2.UnlistedChoice(pupil_id=board.people[key], version=versions.get(board.people[key], 1))
            for key in keys
        ],
        decision=decision, **more,  # type: ignore[arg-type]
    )  # fmt: skip


async def record_of(board: Board, key: str) -> roster_pb2.GetPupilReply:
    return await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people[key]))


async def told(board: Board, kind: type) -> list:
    async with board.running.database.reading(board.tenant) as tx:
        rows = await tx.execute(
            "SELECT payload FROM outbox WHERE type = :type ORDER BY id", {"type": kind.DESCRIPTOR.full_name}
        )
        return [kind.FromString(bytes(row.payload)) for row in rows]


async def test_the_list_says_who_is_missing_since_which_file_by_class_and_number(board: Board):
    assert (await listed(board)).total == 0
    import_id = await lose(board, "pupil2", "pupil3", "pupil4", "pupil_j")
    office = await listed(board)
    assert [(one.pupil.class_name, one.pupil.number, one.pupil.id) for one in office.pupils] == [
        ("3年1組", 2, board.people["pupil2"]), ("3年1組", 3, board.people["pupil3"]),
        ("3年2組", 1, board.people["pupil4"]),
    ]  # fmt: skip
    first = office.pupils[0]
    assert (first.missing_on, first.import_id, first.import_source) == ("2026-11-21", import_id, "名簿.zip")
    whole = await listed(board, board.admin)
    assert (whole.total, len(whole.pupils)) == (4, 4)
    pages = [await listed(board, board.admin, limit=3)]
    pages.append(await listed(board, board.admin, limit=3, after_key=pages[0].next_key))
    assert [one for page in pages for one in page.pupils] == list(whole.pupils)
    assert (pages[0].total, pages[1].next_key) == (4, "")
    later = await lose(board, "pupil1", "pupil2", "pupil3", "pupil4", "pupil_j")
    assert [one.pupil.id for one in (await listed(board, import_id=later)).pupils] == [board.people["pupil1"]]
    assert (await listed(board, import_id=import_id)).total == 3


async def test_a_child_listed_again_is_no_longer_missing(board: Board):
    first = await lose(board, "pupil2")
    await board.take_in()
    assert (await listed(board)).total == 0
    second = await lose(board, "pupil2")
    assert [one.import_id for one in (await listed(board)).pupils] == [second] != [first]


async def test_who_sees_the_list_and_who_decides(board: Board):
    await lose(board, "pupil2")
    with pytest.raises(Refused):
        await listed(board, board.teacher)
    stranger = board.as_person("jh_principal", "principal")
    assert (await listed(board, stranger)).total == 0
    with pytest.raises(Unseen):
        await listed(board, stranger, school_id=board.elementary)
    leaves = await asked(
        board, ["pupil2"], WITHDRAW, effective_on="2026-11-20", ground=roster_pb2.WITHDRAWAL_GROUND_ABROAD
    )
    with pytest.raises(Unseen):
        await stranger.DecideUnlisted(leaves)
    with pytest.raises(Refused, match="校長が認める"):
        await board.admin.DecideUnlisted(leaves)
    kept = await board.admin.DecideUnlisted(await asked(board, ["pupil2"], KEEP, reason="名簿の作成誤り"))
    assert [roll.state for roll in kept.enrolments] == ["active"]


async def test_kept_children_are_in_their_class_again_and_the_same_file_asks_no_more(board: Board):
    await lose(board, "pupil2", "pupil3")
    request = await asked(board, ["pupil2", "pupil3"], KEEP, reason="名簿の作成誤り")
    preview = await board.office.PreviewUnlistedDecision(request)
    assert [(line.refusal, line.roll_ends_on, line.class_ends_on) for line in preview.lines] == [
        ("", "", "2027-03-31")
    ] * 2
    assert (await listed(board)).total == 2  # looking changes nothing
    await board.office.DecideUnlisted(request)
    listed_now = (await board.roster(board.class_31)).entries
    assert [(entry.pupil.number, entry.pupil.enrolled) for entry in listed_now] == [(1, True), (2, True), (3, True)]
    await lose(board, "pupil2", "pupil3")
    assert (await listed(board)).total == 0
    assert len((await board.roster(board.class_31)).entries) == 3
    await board.take_in()  # a file lists them again: from now on the files speak for them
    await lose(board, "pupil2")
    assert (await listed(board)).total == 1


async def test_withdrawal_ends_roll_and_class_and_is_told(board: Board):
    await lose(board, "pupil2")
    await board.office.DecideUnlisted(
        await asked(
            board,
            ["pupil2"],
            WITHDRAW,
            effective_on="2026-10-30",
            ground=roster_pb2.WITHDRAWAL_GROUND_ABROAD,
            reason="保護者の海外赴任",
        )
    )
    record = await record_of(board, "pupil2")
    assert [(roll.state, roll.period.ends_on) for roll in record.enrolments] == [("ended", "2026-10-30")]
    assert "外国への転出　保護者の海外赴任" in [event.reason for event in record.enrolments[0].events]
    assert [place.period.ends_on for place in record.placements] == ["2026-10-30"]
    enrolment = (await told(board, events_pb2.EnrolmentChanged))[-1].enrolment
    assert (enrolment.pupil_id, enrolment.left_by, enrolment.period.ends_on) == (
        board.people["pupil2"], "withdrawn", "2026-10-30",
    )  # fmt: skip
    roster = (await told(board, events_pb2.ClassRosterChanged))[-1].roster
    assert {member.period.ends_on for member in roster.members if member.pupil_id == board.people["pupil2"]} == {
        "2026-10-30"
    }
    await board.take_in()  # an old file does not bring the child back
    assert [roll.state for roll in (await record_of(board, "pupil2")).enrolments] == ["ended"]


async def test_one_that_cannot_be_decided_so_stops_all(board: Board):
    await lose(board, "pupil2", "pupil_j")
    request = await asked(board, ["pupil2", "pupil_j"], UNKNOWN, effective_on="2026-11-20", unknown_since="2026-04-02")
    preview = await board.admin.PreviewUnlistedDecision(request)
    assert all("2027年4月2日以後" in line.refusal for line in preview.lines)
    with pytest.raises(Conflict, match="ほか1人"):
        await board.admin.DecideUnlisted(request)
    graduation = await asked(board, ["pupil2"], GRADUATE, effective_on="2026-11-20")
    assert "最終学年" in (await board.office.PreviewUnlistedDecision(graduation)).lines[0].refusal
    graduation.pupils[0].version += 1
    assert "ほかの人が変更" in (await board.office.PreviewUnlistedDecision(graduation)).lines[0].refusal
    with pytest.raises(Conflict, match="一覧を開き直して"):
        await board.office.DecideUnlisted(await asked(board, ["pupil1"], KEEP, reason="誤り"))
    for wrong in (roster_pb2.DecideUnlistedRequest(decision=KEEP), await asked(board, ["pupil2"], 0)):
        with pytest.raises(Invalid):
            await board.office.DecideUnlisted(wrong)
    assert (await listed(board, board.admin)).total == 2


async def decisions(board: Board) -> list[roster_pb2.DecidedUnlisted]:
    reply = await board.office.ListUnlistedDecisions(roster_pb2.ListUnlistedDecisionsRequest())
    return list(reply.decisions)


def taking_back(decision: roster_pb2.DecidedUnlisted) -> roster_pb2.TakeBackUnlistedDecisionRequest:
    return roster_pb2.TakeBackUnlistedDecisionRequest(decision_id=decision.id, reason="入力の誤り")


async def test_a_decision_is_taken_back_and_all_is_as_before(board: Board):
    import_id = await lose(board, "pupil2")
    before = await record_of(board, "pupil2")
    for decision, more in (
        (KEEP, {"reason": "誤り"}),
        (WITHDRAW, {"effective_on": "2026-06-30", "ground": roster_pb2.WITHDRAWAL_GROUND_ABROAD}),
    ):
        await board.office.DecideUnlisted(await asked(board, ["pupil2"], decision, **more))
        made = (await decisions(board))[0]
        assert (made.pupil.id, made.decision, made.taken_back) == (board.people["pupil2"], decision, False)
        await board.office.TakeBackUnlistedDecision(taking_back(made))
        record = await record_of(board, "pupil2")
        assert [place.period for place in record.placements] == [place.period for place in before.placements]
        assert [(roll.state, roll.period.ends_on) for roll in record.enrolments] == [("undecided", "")]
        assert [(one.missing_on, one.import_id) for one in (await listed(board)).pupils] == [("2026-11-21", import_id)]
        assert (await decisions(board))[0].taken_back
        with pytest.raises(Conflict, match="すでに取り消され"):
            await board.office.TakeBackUnlistedDecision(taking_back(made))
    struck = [event for event in (await record_of(board, "pupil2")).enrolments[0].events if event.struck]
    assert [event.kind for event in struck] == [roster_pb2.ENROLMENT_EVENT_KIND_WITHDRAWN]
    await board.take_in()  # still known to the files
    assert (await listed(board)).total == 0


async def test_what_a_file_or_a_transfer_overtook_is_not_taken_back(board: Board):
    await lose(board, "pupil2", "pupil3")
    await board.office.DecideUnlisted(await asked(board, ["pupil2", "pupil3"], KEEP, reason="誤り"))
    of_3, of_2 = sorted(await decisions(board), key=lambda one: one.pupil.id == board.people["pupil2"])
    await board.office.RecordDeparture(
        roster_pb2.RecordDepartureRequest(pupil_id=board.people["pupil3"], left_on="2026-11-27")
    )
    with pytest.raises(Conflict, match="先にその異動"):
        await board.office.TakeBackUnlistedDecision(taking_back(of_3))
    await board.take_in()
    with pytest.raises(Conflict, match="その後に名簿に載ったか"):
        await board.office.TakeBackUnlistedDecision(taking_back(of_2))
    with pytest.raises(Unseen):
        await board.as_person("jh_principal", "principal").TakeBackUnlistedDecision(taking_back(of_2))


async def test_an_undecided_child_may_leave_by_transfer(board: Board):
    await lose(board, "pupil2")
    leaving = await board.office.RecordDeparture(
        roster_pb2.RecordDepartureRequest(pupil_id=board.people["pupil2"], left_on="2026-11-20")
    )
    assert leaving.state == "leaving"
    assert (await listed(board)).total == 0
