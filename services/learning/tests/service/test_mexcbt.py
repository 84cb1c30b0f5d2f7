"""Founder and school apply for MEXCBT, each with the rights of its side."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from komu.learning.v1 import mexcbt_pb2 as pb
from komu.learning.v1.mexcbt_pb2_grpc import MexcbtServiceStub
from learning.consumers import on_class_roster_changed
from servicekit.errors import Conflict, Invalid, Refused, Unseen
from servicekit.testing import Caller

from .conftest import School

CONTACT = pb.MexcbtContact(name="担当 花子", mail="tanto@aozora.example", phone="03-0000-0000")
TODAY = "2026-11-20"


def board_of(school: School) -> Caller[Any]:
    return school.caller(MexcbtServiceStub, uuid4(), "board_admin")


def principal_of(school: School) -> Caller[Any]:
    return school.caller(MexcbtServiceStub, school.principal_id, "principal")


async def save_founder(board: Caller[Any], mail: str, **more: Any) -> pb.MexcbtFounder:
    founder = pb.MexcbtFounder(
        kind=pb.MEXCBT_FOUNDER_KIND_PUBLIC, name="青空市教育委員会", code="131237", department="学校教育課",
        contact=pb.MexcbtContact(name="教育 太郎", mail=mail, phone="03-0000-0001"), **more,
    )  # fmt: skip
    return await board.SaveMexcbtFounder(pb.SaveMexcbtFounderRequest(founder=founder, notes_read=True))


async def enlisted(school: School, board: Caller[Any]) -> pb.MexcbtApplication:
    founder = await save_founder(board, f"{school.tenant}@aozora.example")
    await board.MarkMexcbtFounder(pb.MarkMexcbtFounderRequest(registered_on=TODAY, version=founder.version))
    listing = pb.MexcbtListing(school_id=str(school.id), portal="実証用学習eポータル", contact=CONTACT)
    await board.EnlistMexcbtSchools(pb.EnlistMexcbtSchoolsRequest(schools=[listing], school_year=2026))
    return (await board.GetMexcbt(pb.GetMexcbtRequest())).applications[0]


def a_step(one: pb.MexcbtApplication, step: str, reason: str = "") -> pb.TakeMexcbtStepRequest:
    return pb.TakeMexcbtStepRequest(application_id=one.id, step=step, on=TODAY, reason=reason, version=one.version)


def confirming(one: pb.MexcbtApplication, pupils: int, teachers: int = 3) -> pb.ConfirmMexcbtSchoolRequest:
    return pb.ConfirmMexcbtSchoolRequest(
        application_id=one.id, school_grades=["P3"], pupils_seen=pupils, teachers_seen=teachers, contact=CONTACT,
        version=one.version,
    )  # fmt: skip


async def test_from_the_founder_to_the_lesson_and_back_a_step(school: School):
    board, principal = board_of(school), principal_of(school)
    listed = await enlisted(school, board)
    registered = await board.TakeMexcbtStep(a_step(listed, "register"))
    seen = await principal.GetMexcbt(pb.GetMexcbtRequest())
    assert [(task.side, task.menu) for task in seen.tasks] == [("school", "１．学校情報修正")]
    counted = await principal.CountMexcbtAccounts(pb.CountMexcbtAccountsRequest(application_id=listed.id))
    assert [(row.class_name, row.pupils) for row in counted.counts.classes] == [("3年1組", 3), ("3年2組", 2)]
    assert (counted.counts.pupils, counted.counts.teachers, list(counted.choices)) == (5, 3, ["P3"])
    confirmed = await principal.ConfirmMexcbtSchool(confirming(registered, 5))
    in_use = await board.TakeMexcbtStep(a_step(confirmed, "start"))
    back = await board.TakeMexcbtStep(a_step(in_use, "undo", "通知はまだでした"))
    assert (back.state, back.counts.pupils) == ("confirmed", 5)
    told = await board.GetMexcbtApplication(pb.GetMexcbtApplicationRequest(application_id=listed.id))
    assert [one.step for one in told.history] == ["list", "register", "confirm", "start", "undo"]
    sheets = (await board.GetMexcbtSheets(pb.GetMexcbtSheetsRequest())).sheets
    assert list(sheets[2].rows[0].values)[-4:] == ["3年", "5", "3", TODAY]


async def test_numbers_that_the_register_no_longer_has_are_not_taken(school: School):
    board, principal = board_of(school), principal_of(school)
    registered = await board.TakeMexcbtStep(a_step(await enlisted(school, board), "register"))
    async with school.running.database.transaction(school.tenant) as tx:
        await on_class_roster_changed(
            tx, school.class_event(school.homeroom_id, "3年1組", school.pupils[:2], version=2)
        )
    with pytest.raises(Conflict) as changed:
        await principal.ConfirmMexcbtSchool(confirming(registered, 5))
    assert "児童生徒4人" in changed.value.message
    assert (await principal.ConfirmMexcbtSchool(confirming(registered, 4))).counts.pupils == 4


async def test_another_portal_means_delete_and_register_again(school: School):
    board = board_of(school)
    registered = await board.TakeMexcbtStep(a_step(await enlisted(school, board), "register"))
    change = pb.ChangeMexcbtSchoolRequest(
        application_id=registered.id, portal="別の学習eポータル", contact=CONTACT, version=registered.version
    )
    with pytest.raises(Conflict) as refused:
        await board.ChangeMexcbtSchool(change)
    assert refused.value.reason == "REGISTERED_ALREADY"
    again = pb.EnlistMexcbtSchoolsRequest(
        schools=[pb.MexcbtListing(school_id=str(school.id), portal="別の学習eポータル", contact=CONTACT)],
        school_year=2026,
    )
    with pytest.raises(Conflict):
        await board.EnlistMexcbtSchools(again)
    removed = await board.TakeMexcbtStep(a_step(registered, "remove", "学習eポータルの変更"))
    await board.EnlistMexcbtSchools(again)
    with pytest.raises(Conflict) as two:
        await board.TakeMexcbtStep(a_step(removed, "undo", "やはり戻す"))
    assert two.value.reason == "LISTED_ALREADY"


async def test_one_mail_address_registers_one_founder(school: School):
    board = board_of(school)
    mail = f"{school.tenant}-same@aozora.example"
    await save_founder(board, mail)
    elsewhere = School(school.running, f"{school.tenant}-x")
    with pytest.raises(Invalid) as taken:
        await save_founder(board_of(elsewhere), mail.upper())
    assert [one.field for one in taken.value.violations] == ["mail"]


async def test_nothing_is_registered_before_the_founder_and_the_opening(school: School):
    board = board_of(school)
    listing = pb.MexcbtListing(school_id=str(school.id), portal="実証用学習eポータル", contact=CONTACT)
    await board.EnlistMexcbtSchools(pb.EnlistMexcbtSchoolsRequest(schools=[listing], school_year=2026))
    listed = (await board.GetMexcbt(pb.GetMexcbtRequest())).applications[0]
    with pytest.raises(Conflict) as first:
        await board.TakeMexcbtStep(a_step(listed, "register"))
    assert first.value.reason == "FOUNDER_INCOMPLETE"
    await save_founder(board, f"{school.tenant}@aozora.example", applied_before=True)
    intake = pb.MexcbtIntake(school_year=2026, opens_on="2026-12-01", source="事務連絡")
    await board.SetMexcbtIntake(pb.SetMexcbtIntakeRequest(intake=intake))
    with pytest.raises(Conflict) as closed:
        await board.TakeMexcbtStep(a_step(listed, "register"))
    assert closed.value.reason == "INTAKE_CLOSED"


async def test_each_side_does_its_own_part(school: School):
    board, principal = board_of(school), principal_of(school)
    listed = await enlisted(school, board)
    with pytest.raises(Refused):
        await principal.TakeMexcbtStep(a_step(listed, "register"))
    with pytest.raises(Conflict):
        await principal.ConfirmMexcbtSchool(confirming(listed, 5))
    stranger = school.caller(MexcbtServiceStub, uuid4(), "principal")
    assert not (await stranger.GetMexcbt(pb.GetMexcbtRequest())).applications
    with pytest.raises(Unseen):
        await stranger.GetMexcbtApplication(pb.GetMexcbtApplicationRequest(application_id=listed.id))
    with pytest.raises(Unseen):
        await stranger.ConfirmMexcbtSchool(confirming(listed, 5))
