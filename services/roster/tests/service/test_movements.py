"""異動の手続き from the call to the tables: entered, corrected, taken back, with the classes and the events."""

from __future__ import annotations

import pytest
from komu.common.v1 import common_pb2
from komu.roster.v1 import movements_pb2 as pb
from komu.roster.v1 import roster_pb2
from komu.roster.v1.family_pb2 import SetProtectionRequest
from komu.roster.v1.family_pb2_grpc import FamilyServiceStub
from komu.roster.v1.movements_pb2_grpc import MovementServiceStub
from servicekit.errors import Conflict, Invalid, Refused, Unseen
from servicekit.testing import Caller

from .conftest import Board, a_name

OUT = roster_pb2.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT
IN = roster_pb2.ENROLMENT_EVENT_KIND_TRANSFERRED_IN


def asks(board: Board, key: str = "office", role: str = "office") -> Caller[MovementServiceStub]:
    return board.as_person(key, role, stub=MovementServiceStub)


def transfer(board: Board, accepted_on: str = "2026-11-17", **more: object) -> pb.EnterMovementRequest:
    movement = pb.Movement(
        kind=OUT, left_on="2026-11-13", accepted_on=accepted_on, counterpart_name="海辺町立みなと小学校",
        counterpart_address="海辺町1-1", reason="転居",
    )  # fmt: skip
    return pb.EnterMovementRequest(pupil_id=board.people["pupil1"], movement=movement, **more)


async def page(board: Board, key: str = "pupil1") -> roster_pb2.GetPupilReply:
    return await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people[key]))


def of_kind(roll: roster_pb2.Enrolment, kind: int) -> list[roster_pb2.EnrolmentEvent]:
    return sorted((one for one in roll.events if one.kind == kind), key=lambda one: not one.struck)


async def last_days(board: Board) -> list[str]:
    return [place.period.ends_on for place in (await page(board)).placements]


async def test_a_transfer_on_paper_is_looked_at_entered_corrected_and_taken_back(board: Board):
    office = asks(board)
    shown = await office.PreviewMovement(transfer(board))
    assert (shown.before.period.ends_on, shown.after.period.ends_on) == ("", "2026-11-16")
    assert [(one.name, one.ended_on, one.ends_on) for one in shown.classes] == [("3年1組", "2027-03-31", "2026-11-16")]
    assert await last_days(board) == ["2027-03-31"]  # only looked at

    left = await office.EnterMovement(transfer(board, version=shown.before.version))
    [out] = of_kind(left, OUT)
    assert (left.state, out.left_on, out.effective_on) == ("ended", "2026-11-13", "2026-11-16")
    assert await last_days(board) == ["2026-11-16"]

    corrected = await office.EnterMovement(
        transfer(board, "2026-11-19", corrects_event_id=out.id, correction_reason="通知書の読み違い")
    )
    assert await last_days(board) == ["2026-11-18"]
    first, second = of_kind(corrected, OUT)
    assert (first.struck, first.strike_reason, first.struck_by) == (True, "通知書の読み違い", board.people["office"])
    assert (second.struck, second.effective_on) == (False, "2026-11-18")

    back = await office.TakeBackMovement(pb.TakeBackMovementRequest(event_id=second.id, reason="転居の取りやめ"))
    assert (back.state, back.period.ends_on) == ("active", "")
    assert await last_days(board) == ["2027-03-31"]  # as before the first entry, not as after it
    with pytest.raises(Conflict, match="すでに訂正"):
        await office.TakeBackMovement(pb.TakeBackMovementRequest(event_id=second.id, reason="もう一度"))


def newcomer(board: Board, first_day: str = "2026-11-17") -> pb.EnterMovementRequest:
    return pb.EnterMovementRequest(
        school_id=board.elementary,
        newcomer=pb.Newcomer(
            names=common_pb2.PersonNames(display=a_name("汐見", "渚"), kana=a_name("シオミ", "ナギサ")),
            sex=roster_pb2.SEX_FEMALE, birth_on="2018-02-03", address="試験市1-2-3",
            guardians=[
                roster_pb2.Guardian(
                    names=common_pb2.PersonNames(display=a_name("汐見", "波子"), kana=a_name("シオミ", "ナミコ")),
                    relationship="母", rank=1,
                )
            ],
        ),
        movement=pb.Movement(
            kind=IN, effective_on=first_day, school_grade="P3", counterpart_name="海辺町立みなと小学校", reason="転居"
        ),
    )  # fmt: skip


async def test_a_child_that_came_with_papers_is_entered_with_its_family(board: Board):
    office = asks(board)
    roll = await office.EnterMovement(newcomer(board))
    found = await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=roll.pupil_id))
    assert found.pupil.names.display == a_name("汐見", "渚")
    assert [one.text for one in found.addresses] == ["試験市1-2-3"]
    assert [(one.relationship, one.rank) for one in found.guardians] == [("母", 1)]
    assert (found.pupil.enrolled, found.pupil.school_grade) == (True, "P3")
    placed = roster_pb2.PlaceInClassRequest(
        pupil_id=roll.pupil_id, class_id=board.class_32, starts_on="2026-11-17", number=0
    )
    await board.office.PlaceInClass(placed)

    moved = newcomer(board, "2026-11-19")
    moved.ClearField("newcomer")
    moved.pupil_id, moved.corrects_event_id, moved.correction_reason = roll.pupil_id, roll.events[0].id, "日付の誤り"
    corrected = await office.EnterMovement(moved)
    assert corrected.period.starts_on == "2026-11-19"
    found = await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=roll.pupil_id))
    assert [one.period.starts_on for one in found.placements] == ["2026-11-19"]

    never = await office.TakeBackMovement(
        pb.TakeBackMovementRequest(event_id=of_kind(corrected, IN)[-1].id, reason="別の学校の書類だった")
    )
    assert (never.state, never.period.ends_on) == ("ended", "2026-11-18")
    roster = await board.roster(board.class_32, on="2026-11-19")
    assert roll.pupil_id not in [one.pupil.id for one in roster.entries]


async def test_graduation_prints_the_next_school_on_the_sheet(board: Board):
    pupil_id = board.a_pupil("pupil6", ("岬", "波"), ("ミサキ", "ナミ"), board.elementary, "P6", "", 0)
    board.rows.pop("member-pupil6")
    await board.take_in()
    await asks(board).EnterMovement(
        pb.EnterMovementRequest(
            pupil_id=pupil_id,
            movement=pb.Movement(
                kind=roster_pb2.ENROLMENT_EVENT_KIND_GRADUATED, effective_on="2026-11-20",
                counterpart_name="試験市立けやき中学校", counterpart_address="試験市2",
            ),
        )
    )  # fmt: skip
    caller = board.as_person("principal", "principal", strong=True)
    sheets = await caller.GetRegisterSheets(roster_pb2.GetRegisterSheetsRequest(pupil_ids=[pupil_id]))
    assert (sheets.sheets[0].next_school, sheets.sheets[0].next_school_address) == ("試験市立けやき中学校", "試験市2")


async def test_what_was_changed_meanwhile_is_not_overwritten(board: Board):
    with pytest.raises(Conflict, match="ほかの人が変更"):
        await asks(board).EnterMovement(transfer(board, version=99))
    with pytest.raises(Invalid, match="受け入れた日"):
        await asks(board).EnterMovement(transfer(board, ""))


async def test_who_may_enter_an_event(board: Board):
    for caller in (asks(board, "teacher", "teacher"), board.board_admin(MovementServiceStub)):
        with pytest.raises(Refused):
            await caller.EnterMovement(transfer(board))
    with pytest.raises(Unseen):
        await asks(board, "jh_principal", "principal").EnterMovement(transfer(board))


def listing(board: Board, **more: object) -> pb.ListMovementsRequest:
    return pb.ListMovementsRequest(school_id=board.elementary, from_on="2026-11-01", to_on="2026-11-30", **more)


async def test_the_lists_follow_from_the_events(board: Board):
    office = asks(board)
    arrived = await office.EnterMovement(newcomer(board))
    placed = roster_pb2.PlaceInClassRequest(
        pupil_id=arrived.pupil_id, class_id=board.class_32, starts_on="2026-11-18", number=9
    )
    await board.office.PlaceInClass(placed)
    left = await office.EnterMovement(transfer(board))
    first = await office.ListMovements(listing(board, limit=1))
    rest = await office.ListMovements(listing(board, limit=1, after_key=first.next_key))
    assert (rest.next_key, len(rest.entries)) == ("", 1)
    lines = [*first.entries, *rest.entries]
    assert [(one.event.kind, one.event.effective_on, one.class_name, one.number) for one in lines] == [
        (OUT, "2026-11-16", "3年1組", 1), (IN, "2026-11-17", "3年2組", 9),
    ]  # fmt: skip
    assert (lines[1].guardian_name, lines[1].event.counterpart_name) == ("汐見\u3000波子", "海辺町立みなと小学校")
    assert [one.pupil.id for one in (await office.ListMovements(listing(board, kinds=[IN]))).entries] == [
        arrived.pupil_id
    ]
    await office.TakeBackMovement(pb.TakeBackMovementRequest(event_id=of_kind(left, OUT)[0].id, reason="誤り"))
    assert [one.event.kind for one in (await office.ListMovements(listing(board))).entries] == [IN]
    for caller in (asks(board, "teacher", "teacher"), asks(board, "jh_principal", "principal")):
        with pytest.raises((Refused, Unseen)):
            await caller.ListMovements(listing(board))


async def test_where_a_protected_child_went_is_told_to_its_school_only(board: Board):
    office = asks(board)
    await office.EnterMovement(transfer(board))
    family = board.as_person("office", "office", stub=FamilyServiceStub)
    await family.SetProtection(
        SetProtectionRequest(pupil_id=board.people["pupil1"], protected=True, reason="教育委員会からの連絡")
    )

    async def told(caller: Caller[MovementServiceStub]) -> list[tuple[str, str]]:
        found = await caller.ListMovements(listing(board))
        return [(one.event.counterpart_name, one.event.reason) for one in found.entries]

    assert await told(office) == [("海辺町立みなと小学校", "転居")]
    assert await told(board.board_admin(MovementServiceStub)) == [("", "")]


async def test_children_are_counted_as_of_a_day(board: Board):
    office = asks(board)
    await office.EnterMovement(newcomer(board))  # from the 17th, in no class yet
    await office.EnterMovement(transfer(board))  # till the 16th, out of 3年1組

    async def counted(on: str) -> list[tuple[str, str, int]]:
        found = await office.CountEnrolled(pb.CountEnrolledRequest(school_id=board.elementary, on=on))
        return [(one.class_name, one.school_grade, one.number) for one in found.counts]

    assert await counted("2026-05-01") == [("3年1組", "P3", 3), ("3年2組", "P3", 1)]
    assert await counted("2026-11-17") == [("", "P3", 1), ("3年1組", "P3", 2), ("3年2組", "P3", 1)]
    whole = await board.board_admin(MovementServiceStub).CountEnrolled(pb.CountEnrolledRequest(on="2026-05-01"))
    assert sum(one.number for one in whole.counts) == 5
    assert len(whole.schools) == 2
    with pytest.raises(Unseen):
        await asks(board, "jh_principal", "principal").CountEnrolled(
            pb.CountEnrolledRequest(school_id=board.elementary)
        )


async def test_who_is_missing_is_listed_until_found(board: Board):
    office = asks(board)
    gone = pb.Movement(
        kind=roster_pb2.ENROLMENT_EVENT_KIND_NOT_ENROLLED, effective_on="2026-11-20", left_on="2026-04-01"
    )
    entering = pb.EnterMovementRequest(pupil_id=board.people["pupil2"], movement=gone)
    with pytest.raises(Invalid, match="1年を経過した2027年4月1日"):
        await office.EnterMovement(entering)
    deferred = pb.Movement(
        kind=roster_pb2.ENROLMENT_EVENT_KIND_DEFERRED, effective_on="2026-11-10", ground="defer", reason="療養"
    )
    await office.EnterMovement(pb.EnterMovementRequest(pupil_id=board.people["pupil2"], movement=deferred))
    asked = listing(board, kinds=[roster_pb2.ENROLMENT_EVENT_KIND_DEFERRED], last_only=True)
    assert [one.event.reason for one in (await office.ListMovements(asked)).entries] == ["就学猶予　療養"]
    back = pb.Movement(
        kind=roster_pb2.ENROLMENT_EVENT_KIND_ADMITTED_FROM_ABROAD, effective_on="2026-11-20", school_grade="P3",
        reason="就学猶予の終了",
    )  # fmt: skip
    await office.EnterMovement(
        pb.EnterMovementRequest(pupil_id=board.people["pupil2"], school_id=board.elementary, movement=back)
    )
    assert not (await office.ListMovements(asked)).entries
