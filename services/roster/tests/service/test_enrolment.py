"""A child leaves, stays after all, or arrives from another board."""

from __future__ import annotations

from uuid import uuid4

import pytest
from komu.common.v1 import common_pb2
from komu.dataexchange.v1 import events_pb2 as exchange
from komu.roster.v1 import people_pb2, roster_pb2
from komu.roster.v1.people_pb2_grpc import PeopleServiceStub
from komu.roster.v1.roster_pb2_grpc import RosterServiceStub
from roster.consumers import on_transfer_accepted, on_transfer_ended
from servicekit.errors import Conflict, Invalid, Refused, Unseen

from .conftest import Board, a_name


def departure(board: Board, key: str = "pupil1", left_on: str = "2026-11-27") -> roster_pb2.RecordDepartureRequest:
    return roster_pb2.RecordDepartureRequest(
        pupil_id=board.people[key], left_on=left_on, counterpart_name="港野市立みなと小学校", reason="転居"
    )


async def accepted(board: Board, key: str = "pupil1") -> None:
    event = exchange.TransferAccepted(
        transfer_id=str(uuid4()), pupil_id=board.people[key], left_on="2026-11-27", accepted_on="2026-12-01",
        counterpart_name="港野市立みなと小学校", counterpart_address="港野市1-1",
    )  # fmt: skip
    async with board.running.database.transaction(board.tenant) as tx:
        await on_transfer_accepted(tx, event)


async def record_of(board: Board, key: str = "pupil1") -> roster_pb2.GetPupilReply:
    return await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people[key]))


async def test_a_departure_closes_nothing_until_the_next_school_accepts(board: Board):
    entered = await board.office.RecordDeparture(departure(board))
    assert (entered.state, entered.period.ends_on) == ("leaving", "")
    assert all(entry.pupil.enrolled for entry in (await board.roster(board.class_31)).entries)
    with pytest.raises(Conflict, match="すでに入力"):
        await board.office.RecordDeparture(departure(board))


async def test_acceptance_closes_with_both_dates_and_ends_the_class(board: Board):
    await board.office.RecordDeparture(departure(board))
    await accepted(board)
    await accepted(board)  # told twice
    record = await record_of(board)
    roll = record.enrolments[0]
    assert (roll.state, roll.period.ends_on) == ("ended", "2026-11-30")
    out = [event for event in roll.events if event.kind == roster_pb2.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT]
    assert [(event.left_on, event.effective_on, event.counterpart_address) for event in out] == [
        ("2026-11-27", "2026-11-30", "港野市1-1")
    ]
    assert [place.period.ends_on for place in record.placements] == ["2026-11-30"]
    on_the_day = await board.roster(board.class_31, on="2026-11-30")
    assert board.people["pupil1"] in [entry.pupil.id for entry in on_the_day.entries]
    after = await board.roster(board.class_31, on="2026-12-01")
    assert board.people["pupil1"] not in [entry.pupil.id for entry in after.entries]


async def test_a_child_that_left_is_not_brought_back_by_an_old_file(board: Board):
    await board.office.RecordDeparture(departure(board))
    await accepted(board)
    change = await board.change(await board.stage())
    assert any(problem.startswith("注意") for problem in change.problems)
    assert (await board.take_in()).state == common_pb2.JOB_STATE_DONE
    record = await record_of(board)
    assert [roll.state for roll in record.enrolments] == ["ended"]
    assert [place.period.ends_on for place in record.placements] == ["2026-11-30"]


@pytest.mark.parametrize("state", ["refused", "expired", "withdrawn"])
async def test_a_transfer_that_came_to_nothing_puts_the_child_back(board: Board, state: str):
    await board.office.RecordDeparture(departure(board))
    async with board.running.database.transaction(board.tenant) as tx:
        await on_transfer_ended(tx, exchange.TransferEnded(pupil_id=board.people["pupil1"], state=state))
    roll = (await record_of(board)).enrolments[0]
    assert roll.state == "active"
    assert [event.struck for event in roll.events if event.left_on] == [True]


async def test_the_office_takes_a_departure_back(board: Board):
    await board.office.RecordDeparture(departure(board))
    cancelled = await board.office.CancelDeparture(
        roster_pb2.CancelDepartureRequest(pupil_id=board.people["pupil1"], reason="転居の取りやめ")
    )
    assert cancelled.state == "active"
    with pytest.raises(Conflict, match="取り消す転出"):
        await board.office.CancelDeparture(roster_pb2.CancelDepartureRequest(pupil_id=board.people["pupil1"]))


async def test_who_may_enter_a_departure(board: Board):
    for caller in (board.teacher, board.admin):
        with pytest.raises(Refused):
            await caller.RecordDeparture(departure(board))
    with pytest.raises(Unseen):
        await board.as_person("jh_principal", "principal").RecordDeparture(departure(board))
    with pytest.raises(Invalid):
        await board.office.RecordDeparture(departure(board, left_on="11/27"))
    with pytest.raises(Conflict, match="以後の日付"):
        await board.office.RecordDeparture(departure(board, left_on="2020-01-01"))


SINCE_BIRTH = common_pb2.Period(starts_on="2017-08-08")


def arrival(board: Board, **changes) -> roster_pb2.AdmitTransferredPupilRequest:
    values = {
        "transfer_id": str(uuid4()), "pupil_id": str(uuid4()), "school_id": board.elementary, "school_grade": "P3",
        "accepted_on": "2026-11-24", "former_school_name": "港野市立みなと小学校", "birth_on": "2017-08-08",
        "names": [
            roster_pb2.DatedName(kind="official", name=a_name("𠮷\U000e0100田", "翔"), period=SINCE_BIRTH),
            roster_pb2.DatedName(kind="display", name=a_name("吉田", "翔"), period=SINCE_BIRTH),
            roster_pb2.DatedName(kind="kana", name=a_name("ヨシダ", "ショウ"), period=SINCE_BIRTH),
            roster_pb2.DatedName(
                kind="display", name=a_name("木下", "翔"),
                period=common_pb2.Period(starts_on="2015-01-01", ends_on="2017-08-07"),
            ),
        ],
        "addresses": [roster_pb2.DatedAddress(text="試験市港1-1", period=common_pb2.Period(starts_on="2026-11-20"))],
        "guardians": [
            roster_pb2.Guardian(
                names=common_pb2.PersonNames(display=a_name("吉田", "父"), kana=a_name("ヨシダ", "チチ")), rank=1
            )
        ],
        "history": [
            roster_pb2.FormerEnrolment(
                school_code="B112345678901", school_name="港野市立みなと小学校",
                events=[
                    roster_pb2.EnrolmentEvent(
                        kind=roster_pb2.ENROLMENT_EVENT_KIND_ADMITTED, effective_on="2024-04-05", school_grade="P1"
                    )
                ],
            )
        ],
    }  # fmt: skip
    return roster_pb2.AdmitTransferredPupilRequest(**values | changes)


async def test_an_arriving_child_stands_on_the_roll_once_with_its_history(board: Board):
    request = arrival(board)
    first = await board.office.AdmitTransferredPupil(request)
    again = await board.office.AdmitTransferredPupil(request)
    assert first.id == again.id
    record = await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=request.pupil_id))
    assert [(roll.period.starts_on, roll.state) for roll in record.enrolments] == [("2026-11-24", "active")]
    assert [item.school_name for item in record.former] == ["港野市立みなと小学校"]
    assert record.pupil.names.official.family == "𠮷\U000e0100田"
    assert record.guardians[0].names.display.given == "父"
    found = await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(query="きのした", include_left=True))
    assert not found.pupils  # no kana of the former name came along; its writing did:
    found = await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(query="木下", include_left=True))
    assert [pupil.id for pupil in found.pupils] == [request.pupil_id]


async def test_a_child_that_comes_back_has_its_family_and_its_past_once(board: Board):
    names = common_pb2.PersonNames(display=a_name("吉田", "父"), kana=a_name("ヨシダ", "チチ"))
    guardian = roster_pb2.Guardian(id=str(uuid4()), names=names, rank=1)
    since = common_pb2.Period(starts_on="2026-11-01")
    here = roster_pb2.DatedAddress(text="試験市港1-1", period=since)
    came = arrival(board, accepted_on="2026-11-02", guardians=[guardian], addresses=[here])
    await board.office.AdmitTransferredPupil(came)
    board.people["back"] = came.pupil_id
    await board.office.RecordDeparture(departure(board, "back"))
    await accepted(board, "back")

    ours = next(item for item in (await board.office.ListSchools(roster_pb2.ListSchoolsRequest())).schools
                if item.id == board.elementary)  # fmt: skip
    history = [*came.history, roster_pb2.FormerEnrolment(school_code=ours.code, school_name=ours.name)]
    there = roster_pb2.DatedAddress(text="港野市2-2", period=common_pb2.Period(starts_on="2026-12-01"))
    the_same = roster_pb2.Guardian(names=names, rank=1)  # the other board has ids of its own
    again = arrival(
        board, pupil_id=came.pupil_id, accepted_on="2026-12-10", guardians=[the_same], addresses=[there],
        history=history,
    )  # fmt: skip
    await board.office.AdmitTransferredPupil(again)
    record = await record_of(board, "back")
    assert [one.id for one in record.guardians] == [guardian.id]
    assert [(one.text, one.period.ends_on) for one in record.addresses] == [
        ("試験市港1-1", "2026-11-30"), ("港野市2-2", ""),
    ]  # fmt: skip
    assert {item.school_name for item in record.former} == {"港野市立みなと小学校"}


async def test_an_arriving_child_gets_the_next_free_number(board: Board):
    request = arrival(board)
    await board.office.AdmitTransferredPupil(request)
    with pytest.raises(Conflict, match="在籍していない"):
        await board.office.PlaceInClass(
            roster_pb2.PlaceInClassRequest(pupil_id=request.pupil_id, class_id=board.class_31, starts_on="2026-11-23")
        )
    placed = await board.office.PlaceInClass(
        roster_pb2.PlaceInClassRequest(pupil_id=request.pupil_id, class_id=board.class_31, starts_on="2026-11-24")
    )
    assert (placed.number, getattr(placed, "class").name) == (4, "3年1組")
    with pytest.raises(Conflict, match="すでに"):
        await board.office.PlaceInClass(
            roster_pb2.PlaceInClassRequest(pupil_id=request.pupil_id, class_id=board.class_31, starts_on="2026-12-01")
        )
    with pytest.raises(Invalid, match="使われて"):
        await board.office.PlaceInClass(
            roster_pb2.PlaceInClassRequest(
                pupil_id=request.pupil_id, class_id=board.class_32, starts_on="2026-12-01", number=1
            )
        )
    moved = await board.office.PlaceInClass(
        roster_pb2.PlaceInClassRequest(pupil_id=request.pupil_id, class_id=board.class_32, starts_on="2026-12-01")
    )
    assert moved.number == 2
    record = await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=request.pupil_id))
    assert [(getattr(item, "class").name, item.period.ends_on) for item in record.placements] == [
        ("3年1組", "2026-11-30"), ("3年2組", "2027-03-31"),
    ]  # fmt: skip
    # A child whom Komu admitted is not in the roster file: importing that file does not take it out.
    assert (await board.take_in()).state == common_pb2.JOB_STATE_DONE
    after = await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=request.pupil_id))
    assert after.placements == record.placements
    assert after.enrolments[0].state == "active"


async def test_two_rolls_on_one_day_are_refused(board: Board):
    request = arrival(board, pupil_id=board.people["pupil_j"])
    with pytest.raises(Conflict, match="けやき中学校に2026年4月1日から現在まで"):
        await board.office.AdmitTransferredPupil(request)
    with pytest.raises(Invalid, match="その学年はありません"):
        await board.office.AdmitTransferredPupil(arrival(board, school_grade="J1"))
    with pytest.raises(Unseen):
        await board.office.AdmitTransferredPupil(arrival(board, school_id=board.lower))


async def test_arrivals_are_matched_by_id_then_by_name_and_birth(board: Board):
    by_id = await board.office.MatchPupil(
        roster_pb2.MatchPupilRequest(pupil_id=board.people["pupil_j"], names=common_pb2.PersonNames())
    )
    assert [(item.exact_id, item.enrolled_elsewhere) for item in by_id.candidates] == [(True, True)]
    names = common_pb2.PersonNames(display=a_name("高橋", "花"), kana=a_name("タカハシ", "ハナ"))
    by_name = await board.office.MatchPupil(roster_pb2.MatchPupilRequest(pupil_id=str(uuid4()), names=names))
    assert [(item.pupil.id, item.same_kana, item.same_display_name) for item in by_name.candidates] == [
        (board.people["pupil1"], True, True)
    ]
    with pytest.raises(Refused):
        await board.teacher.MatchPupil(roster_pb2.MatchPupilRequest(names=names))


async def test_a_snapshot_carries_every_aggregate(board: Board):
    items = await board.running.workload(RosterServiceStub, "attendance", board.tenant).SnapshotRoster(
        roster_pb2.SnapshotRosterRequest()
    )
    kinds = [item.WhichOneof("item") for item in items]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "school": 2, "class_roster": 3, "staff_duties": 7, "enrolment": 5,
    }  # fmt: skip
    room = next(item.class_roster for item in items if getattr(item.class_roster, "class").id == board.class_31)
    assert [(member.number, member.pupil_id) for member in room.members] == [
        (number, board.people[f"pupil{number}"]) for number in (1, 2, 3)
    ]
    with pytest.raises(Refused):
        await board.running.workload(RosterServiceStub, "reports", board.tenant).SnapshotRoster(
            roster_pb2.SnapshotRosterRequest()
        )


async def test_services_are_told_display_names_and_no_others(board: Board):
    asked = people_pb2.SnapshotPeopleRequest(person_ids=[board.people["pupil1"], str(uuid4())])
    reply = await board.running.workload(PeopleServiceStub, "dataexchange", board.tenant).SnapshotPeople(asked)
    assert (reply.board.id, reply.board.name) == (board.board_id, "試験市教育委員会")
    assert [one.person_id for one in reply.people] == [board.people["pupil1"]]
    assert reply.people[0].names.display.family == "髙橋"
    assert not reply.people[0].names.HasField("official")
    with pytest.raises(Refused):
        await board.running.workload(PeopleServiceStub, "reports", board.tenant).SnapshotPeople(asked)


async def test_members_are_told_with_their_school_grade_and_a_mixed_class_with_each_childs_own(board: Board):
    mixed = str(uuid4())
    board.put(
        "class-mixed",
        **{
            "class": roster_pb2.StageClass(
                source_id=mixed, org_source_id=board.elementary, school_year=2026, name="ひまわり学級",
                school_grade="P1",
                kind=roster_pb2.CLASS_KIND_SPECIAL_NEEDS,
            )
        },
    )  # fmt: skip
    board.a_pupil("little", ("星", "一"), ("ホシ", "イチ"), board.elementary, "P1", mixed, 1)
    board.a_pupil("big", ("星", "五"), ("ホシ", "ゴ"), board.elementary, "P5", mixed, 2)
    assert (await board.take_in()).state == common_pb2.JOB_STATE_DONE

    async def told() -> dict[str, roster_pb2.ClassRoster]:
        items = await board.running.workload(RosterServiceStub, "attendance", board.tenant).SnapshotRoster(
            roster_pb2.SnapshotRosterRequest()
        )
        rosters = [item.class_roster for item in items if item.WhichOneof("item") == "class_roster"]
        return {getattr(one, "class").id: one for one in rosters}

    before = await told()
    assert [member.school_grade for member in before[mixed].members] == ["P1", "P5"]
    office = board.as_person("office", "office", strong=True)
    listed = await office.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=mixed))
    assert [entry.pupil.school_grade for entry in listed.entries] == ["P1", "P5"]
    sheets = await office.GetRegisterSheets(roster_pb2.GetRegisterSheetsRequest(class_id=mixed))
    assert [sheet.years[-1].school_grade for sheet in sheets.sheets] == ["P1", "P5"]
    assert [sheet.pupil.school_grade for sheet in sheets.sheets] == ["P1", "P5"]
    assert {member.school_grade for member in before[board.class_31].members} == {"P3"}
    board.a_pupil("little", ("星", "一"), ("ホシ", "イチ"), board.elementary, "P2", mixed, 1)
    await board.take_in()
    after = (await told())[mixed]
    assert [member.school_grade for member in after.members] == ["P2", "P5"]
    assert after.version > before[mixed].version
