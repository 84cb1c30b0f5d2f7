"""What each member of staff sees, and who may change what."""

from __future__ import annotations

from uuid import uuid4

import pytest
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2
from komu.roster.v1.roster_pb2_grpc import RosterServiceStub
from servicekit.errors import Conflict, Invalid, Refused, StepUpRequired, Unseen
from servicekit.testing import RunningService, an_actor

from .conftest import Board, a_name


def roster_of(class_id: str) -> roster_pb2.GetClassRosterRequest:
    return roster_pb2.GetClassRosterRequest(class_id=class_id)


@pytest.mark.parametrize(
    ("who", "role", "seen"),
    [
        ("teacher", "teacher", True), ("teacher2", "teacher", True), ("office", "office", True),
        ("vice", "vice_principal", True), ("principal", "principal", True), ("jh_teacher", "teacher", False),
        ("jh_principal", "principal", False),
    ],
)  # fmt: skip
async def test_staff_see_their_own_school_and_another_does_not_exist(board: Board, who: str, role: str, seen: bool):
    caller = board.as_person(who, role)
    requests = (
        ("GetClassRoster", roster_of(board.class_31)),
        ("GetPupil", roster_pb2.GetPupilRequest(pupil_id=board.people["pupil1"])),
        ("ListClasses", roster_pb2.ListClassesRequest(school_id=board.elementary)),
        ("ListStaff", roster_pb2.ListStaffRequest(school_id=board.elementary)),
        ("SearchPupils", roster_pb2.SearchPupilsRequest(query="たかはし", school_id=board.elementary)),
    )
    for name, request in requests:
        if seen:
            assert await getattr(caller, name)(request)
        else:
            with pytest.raises(Unseen):
                await getattr(caller, name)(request)


async def test_another_boards_objects_do_not_exist(board: Board, running: RunningService):
    stranger = running.caller(RosterServiceStub, an_actor(f"x{uuid4().hex[:8]}", "board_admin"))
    with pytest.raises(Unseen):
        await stranger.GetClassRoster(roster_of(board.class_31))
    with pytest.raises(Unseen):
        await stranger.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people["pupil1"]))
    assert not (await stranger.ListSchools(roster_pb2.ListSchoolsRequest())).schools
    names = await stranger.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=[board.people["pupil1"]]))
    assert not names.people


async def test_the_board_sees_all_its_schools_but_no_register_sheet(board: Board):
    assert len((await board.admin.ListSchools(roster_pb2.ListSchoolsRequest())).schools) == 2
    assert len((await board.admin.ListClasses(roster_pb2.ListClassesRequest())).classes) == 3
    assert (await board.admin.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people["pupil1"]))).pupil.enrolled
    with pytest.raises(Refused, match="教育委員会"):
        await board.admin.GetRegisterSheets(roster_pb2.GetRegisterSheetsRequest(pupil_ids=[board.people["pupil1"]]))


async def test_classes_come_with_size_and_homeroom_teacher(board: Board):
    found = await board.teacher.ListClasses(roster_pb2.ListClassesRequest(limit=1))
    assert [(getattr(item, "class").name, item.size, len(item.homeroom_teachers)) for item in found.classes] == [
        ("3年1組", 3, 1)
    ]
    assert found.more
    rest = await board.teacher.ListClasses(
        roster_pb2.ListClassesRequest(after_class_id=getattr(found.classes[0], "class").id)
    )
    assert [getattr(item, "class").name for item in rest.classes] == ["3年2組"]


@pytest.mark.parametrize("typed", ["たかはし", "ﾀｶﾊｼ", "タカハシ　ハナ", "髙橋", "高橋花", "花"])
async def test_search_finds_every_spelling(board: Board, typed: str):
    found = await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(query=typed))
    assert board.people["pupil1"] in [pupil.id for pupil in found.pupils]
    assert next(pupil for pupil in found.pupils if pupil.id == board.people["pupil1"]).class_name == "3年1組"


async def test_search_pages_in_gojuon_order_and_by_number(board: Board):
    first = await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(limit=3))
    second = await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(limit=3, after_key=first.next_key))
    families = [pupil.names.display.family for page in (first, second) for pupil in page.pupils]
    assert families == ["阿部", "王", "髙橋", "山﨑"]
    assert second.next_key == ""
    numbered = await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(query="１番"))
    assert [pupil.names.display.family for pupil in numbered.pupils] == ["王", "髙橋"]
    with pytest.raises(Invalid):
        await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(after_key="でたらめ"))


async def assign(board: Board, who: str, role: str, staff: str, starts_on: str = "2026-12-01") -> roster_pb2.Duty:
    room = getattr(await board.roster(board.class_31), "class")
    return await board.as_person(who, role).AssignHomeroomTeacher(
        roster_pb2.AssignHomeroomTeacherRequest(
            class_id=board.class_31, staff_id=board.people[staff], starts_on=starts_on, version=room.version
        )
    )


async def test_a_new_homeroom_teacher_leaves_the_predecessors_days_on_the_record(board: Board):
    await assign(board, "principal", "principal", "teacher2")
    duties = (await board.roster(board.class_31)).duties
    assert sorted((duty.staff_id, duty.period.starts_on, duty.period.ends_on) for duty in duties) == sorted(
        [
            (board.people["teacher"], "2026-04-01", "2026-11-30"),
            (board.people["teacher2"], "2026-12-01", "2027-03-31"),
        ]
    )


async def test_a_class_names_its_teachers_and_then_the_leaders_of_the_year(board: Board):
    found = await board.roster(board.class_31, whole_year=True)
    assert [(person.staff_id, person.post) for person in found.staff] == [
        (board.people["teacher"], roster_pb2.POST_TEACHER), (board.people["principal"], roster_pb2.POST_PRINCIPAL),
        (board.people["vice"], roster_pb2.POST_VICE_PRINCIPAL),
    ]  # fmt: skip
    assert [duty.staff_id for duty in found.duties] == [board.people["teacher"]]


async def test_after_a_change_the_principal_in_office_is_named_first(board: Board):
    board.a_person("successor", roster_pb2.PERSON_KIND_STAFF, ("後任", "校長"), ("コウニン", "ア"), board.elementary)
    for key, starts_on, ends_on in (("principal", "2026-04-01", "2026-09-30"), ("successor", "2026-10-01", "")):
        board.put(
            f"post-{key}",
            appointment=roster_pb2.StageAppointment(
                person_source_id=board.people[key], org_source_id=board.elementary, post=roster_pb2.POST_PRINCIPAL,
                period=common_pb2.Period(starts_on=starts_on, ends_on=ends_on),
            ),
        )  # fmt: skip
    assert (await board.take_in()).state == common_pb2.JOB_STATE_DONE
    found = await board.teacher.GetClassRoster(roster_of(board.class_31))
    assert [person.staff_id for person in found.staff if person.post == roster_pb2.POST_PRINCIPAL] == [
        board.people["successor"], board.people["principal"],
    ]  # fmt: skip


async def test_only_leaders_assign_homeroom_teachers(board: Board):
    for who, role in (("teacher", "teacher"), ("office", "office")):
        with pytest.raises(Refused):
            await assign(board, who, role, "teacher2")
    # The token says 教頭, the register of the day says teacher: the register decides.
    with pytest.raises(Refused, match="校長・教頭"):
        await assign(board, "teacher", "vice_principal", "teacher2")
    with pytest.raises(Unseen):
        await assign(board, "jh_principal", "principal", "teacher2")
    with pytest.raises(Conflict, match="すでに"):
        await assign(board, "vice", "vice_principal", "teacher")
    with pytest.raises(Invalid, match="勤めている"):
        await assign(board, "vice", "vice_principal", "jh_teacher")
    with pytest.raises(Invalid, match="2026年度"):
        await assign(board, "vice", "vice_principal", "teacher2", "2027-04-01")


async def test_a_stale_page_is_told_so(board: Board):
    with pytest.raises(Conflict) as lost:
        await board.principal.AssignHomeroomTeacher(
            roster_pb2.AssignHomeroomTeacherRequest(
                class_id=board.class_31, staff_id=board.people["teacher2"], starts_on="2026-12-01", version=99
            )
        )
    assert lost.value.reason == "CHANGED_MEANWHILE"


SHEETS = ("pupil1",)


async def sheets(
    board: Board, who: str, role: str, *, strong: bool = True, **asked
) -> roster_pb2.GetRegisterSheetsReply:
    asked = asked or {"pupil_ids": [board.people[key] for key in SHEETS]}
    return await board.as_person(who, role, strong=strong).GetRegisterSheets(
        roster_pb2.GetRegisterSheetsRequest(**asked)
    )


@pytest.mark.parametrize(
    ("who", "role"),
    [("teacher", "teacher"), ("principal", "principal"), ("vice", "vice_principal"), ("office", "office")],
)
async def test_register_sheets_open_for_those_who_keep_them(board: Board, who: str, role: str):
    found = (await sheets(board, who, role)).sheets
    assert [sheet.pupil.id for sheet in found] == [board.people["pupil1"]]
    assert [(line.school_year, line.class_name, line.number, len(line.principals)) for line in found[0].years] == [
        (2026, "3年1組", 1, 1)
    ]


async def test_register_sheets_are_refused_with_the_reason(board: Board):
    with pytest.raises(Refused, match="3年1組の担任ではないため"):
        await sheets(board, "teacher2", "teacher")
    with pytest.raises(Refused, match="3年1組の担任ではないため"):
        await sheets(board, "teacher2", "teacher", class_id=board.class_31)
    with pytest.raises(Unseen):
        await sheets(board, "jh_teacher", "teacher")
    with pytest.raises(Unseen):
        await sheets(board, "jh_teacher", "teacher", class_id=board.class_31)
    with pytest.raises(StepUpRequired):
        await sheets(board, "teacher", "teacher", strong=False)


async def test_opening_a_register_sheet_is_noted_for_the_principal(board: Board):
    await sheets(board, "teacher", "teacher", class_id=board.class_31)
    asked = common_pb2.ReadAuditRequest(school_id=board.elementary, kind="read")
    entries = (await board.principal.ReadAudit(asked)).entries
    assert {(entry.action, entry.subject_id, entry.actor_id, entry.information_class) for entry in entries} == {
        ("guidance_register.read", board.people[key], board.people["teacher"], 1)
        for key in ("pupil1", "pupil2", "pupil3")
    }
    assert (await board.admin.ReadAudit(asked)).entries
    for who, role in (("vice", "vice_principal"), ("teacher", "teacher")):
        with pytest.raises(Refused):
            await board.as_person(who, role).ReadAudit(asked)
    with pytest.raises(Unseen):
        await board.as_person("jh_principal", "principal").ReadAudit(asked)


async def test_a_protected_address_stays_with_those_who_keep_the_register(board: Board):
    row = roster_pb2.StageSupplement(
        person_id=board.people["pupil1"], protected_address=True,
        address=roster_pb2.DatedAddress(text="試験市秘密町9"),
        guardians=[
            roster_pb2.Guardian(
                names=common_pb2.PersonNames(display=a_name("髙橋", "一郎"), kana=a_name("タカハシ", "イチロウ")),
                relationship="母", rank=1, phone="090", address="試験市秘密町9",
            )
        ],
    )  # fmt: skip
    await board.take_in([roster_pb2.StageRow(supplement=row)], bulk=False, supplement=True)
    asked = roster_pb2.GetPupilRequest(pupil_id=board.people["pupil1"])
    open_record = await board.office.GetPupil(asked)
    assert "秘密町" in str(open_record.addresses[0].text)
    for caller in (board.teacher, board.admin):
        record = await caller.GetPupil(asked)
        assert record.pupil.protected_address
        assert "秘密町" not in str(record).encode().decode("unicode_escape", "ignore")
        assert not record.addresses
        assert [(item.phone, item.address) for item in record.guardians] == [("", "")]
    sheet = (await sheets(board, "teacher", "teacher")).sheets[0]
    assert not sheet.addresses


async def test_the_attendance_register_has_official_names_and_the_staff_of_its_year_with_posts(board: Board):
    """出席簿 is of class III: no second factor, but only for those who write, keep or inspect it."""
    supplement = roster_pb2.StageSupplement(
        person_id=board.people["pupil1"], official=a_name("髙\U000e0101橋", "花"), alias=a_name("林", "花")
    )
    await board.take_in([roster_pb2.StageRow(supplement=supplement)], bulk=False, supplement=True)
    version = getattr(await board.roster(board.class_31), "class").version
    await board.principal.AssignHomeroomTeacher(
        roster_pb2.AssignHomeroomTeacherRequest(
            class_id=board.class_31, staff_id=board.people["vice"], starts_on="2027-01-08", version=version
        )
    )
    request = roster_pb2.GetRegisterNamesRequest(class_id=board.class_31)
    callers = (board.teacher, board.principal, board.office, board.admin)
    first, *others = [await caller.GetRegisterNames(request) for caller in callers]
    assert others == [first] * 3
    assert [one.pupil_id for one in first.pupils] == [board.people[f"pupil{number}"] for number in (1, 2, 3)]
    assert {(one.kind, one.name.family) for one in first.pupils[0].names} >= {
        ("official", "髙\U000e0101橋"), ("alias", "林"), ("display", "髙橋"),
    }  # fmt: skip
    assert [(one.post, one.period.ends_on) for one in first.homeroom_teachers] == [
        (roster_pb2.POST_TEACHER, "2027-01-07"), (roster_pb2.POST_VICE_PRINCIPAL, "2027-03-31"),
    ]  # fmt: skip
    assert [(one.name.given, one.post) for one in first.principals] == [("principal", roster_pb2.POST_PRINCIPAL)]
    with pytest.raises(Refused, match="担任"):
        await board.as_person("teacher2", "teacher").GetRegisterNames(request)
    with pytest.raises(Unseen):
        await board.as_person("jh_principal", "principal").GetRegisterNames(request)
