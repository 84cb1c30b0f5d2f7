"""A board's administrator brings in a roster file: looked at first, then all or nothing."""

from __future__ import annotations

from uuid import UUID

import pytest
from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2, roster_pb2
from roster.usecases import imports
from servicekit.errors import Refused
from servicekit.jobs import JobCancelled

from .conftest import Board, a_name


async def test_the_first_file_creates_schools_classes_people_and_duties(board: Board):
    me = await board.teacher.WhoAmI(roster_pb2.WhoAmIRequest())
    assert me.board.name == "試験市教育委員会"
    assert [school.name for school in me.schools] == ["試験市立けやき小学校"]
    assert [(item.name, duty.kind) for item, duty in zip(me.classes, me.duties, strict=True)] == [
        ("3年1組", roster_pb2.DUTY_KIND_HOMEROOM)
    ]
    found = await board.teacher.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=board.class_31))
    assert [(entry.pupil.number, entry.pupil.names.display.family) for entry in found.entries] == [
        (1, "髙橋"), (2, "山﨑"), (3, "阿部"),
    ]  # fmt: skip
    assert all(entry.pupil.enrolled for entry in found.entries)
    assert not found.entries[0].pupil.names.HasField("official")
    pupil = await board.teacher.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people["pupil1"]))
    assert [(event.kind, event.effective_on) for event in pupil.enrolments[0].events] == [
        (roster_pb2.ENROLMENT_EVENT_KIND_ADMITTED, "2026-04-01")
    ]


async def test_the_children_of_a_file_are_told_together_and_only_once(board: Board):
    async with board.running.database.reading(board.tenant) as tx:
        told = (await tx.execute("SELECT subject, payload FROM outbox WHERE type LIKE '%.Enrolment%'")).all()
    assert {row.subject for row in told} == {f"roster.v1.enrolments_began.{board.tenant}"}
    parts = [events_pb2.EnrolmentsBegan.FromString(bytes(row.payload)) for row in told]
    assert sorted(part.meta.aggregate_version for part in parts) == list(range(1, len(parts) + 1))
    assert {(part.entered_by, part.starts_on) for part in parts} == {("admitted", "2026-04-01")}
    pupils = sorted(number for key, number in board.people.items() if key.startswith("pupil"))
    assert sorted(pupil for part in parts for pupil in part.pupil_ids) == pupils
    assert {board.elementary} <= {part.school_id for part in parts}
    assert (await board.take_in()).state == common_pb2.JOB_STATE_DONE
    async with board.running.database.reading(board.tenant) as tx:
        again = await tx.scalar("SELECT count(*) FROM outbox WHERE type LIKE '%.Enrolment%'")
    assert again == len(parts)


async def test_the_same_file_again_changes_nothing(board: Board):
    change = await board.change(await board.stage())
    assert {(item.entity, item.added, item.changed, item.gone) for item in change.entities} == {
        (name, 0, 0, 0) for name in ("schools", "classes", "people", "members", "appointments", "duties")
    }
    assert not change.needs_shrink_confirmation
    assert not change.problems


async def test_signs_that_mean_something_to_the_database_are_only_signs(board: Board):
    board.a_pupil("pupil9", ("新\\t", "入\t一\\N"), ("アタラシ", "イル"), board.elementary, "P3", board.class_32, 2)
    assert (await board.take_in()).state == common_pb2.JOB_STATE_DONE
    found = await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(query="アタラシ"))
    assert [(one.names.display.family, one.names.display.given) for one in found.pupils] == [("新\\t", "入\t一\\N")]


async def test_new_changed_and_gone_are_told_before_anything_happens(board: Board):
    board.a_pupil("pupil1", ("佐藤", "花"), ("サトウ", "ハナ"), board.elementary, "P3", board.class_31, 1)
    board.a_pupil("pupil9", ("新", "入"), ("アタラシ", "イル"), board.elementary, "P3", board.class_32, 2)
    for key in ("person-pupil2", "member-pupil2"):
        del board.rows[key]
    import_id = await board.stage()
    change = await board.change(import_id)
    people = next(item for item in change.entities if item.entity == "people")
    assert (people.added, people.changed, people.gone) == (1, 1, 1)
    renamed = next(example for example in people.examples if example.kind == "changed")
    assert [(field.field, field.before, field.after) for field in renamed.fields] == [
        ("氏名", "髙橋　花", "佐藤　花"), ("ふりがな", "タカハシ　ハナ", "サトウ　ハナ"),
    ]  # fmt: skip
    assert next(iter((await board.roster(board.class_31)).entries)).pupil.names.display.family == "髙橋"

    assert (await board.apply(import_id, confirm_shrink=True)).state == common_pb2.JOB_STATE_DONE
    listed = (await board.roster(board.class_31)).entries
    assert [entry.pupil.names.display.family for entry in listed] == ["佐藤", "阿部"]
    async with board.running.database.reading(board.tenant) as tx:
        told = await tx.execute("SELECT payload FROM outbox WHERE type LIKE '%.PeopleRenamed'")
    renamed_ids = [events_pb2.PeopleRenamed.FromString(bytes(row.payload)).person_ids for row in told]
    assert renamed_ids == [[board.people["pupil1"]]]
    # The former name stays readable and findable.
    record = await board.teacher.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people["pupil1"]))
    assert [(name.name.family, name.period.ends_on) for name in record.names if name.kind == "display"] == [
        ("髙橋", "2026-11-20"), ("佐藤", ""),
    ]  # fmt: skip
    found = await board.teacher.SearchPupils(roster_pb2.SearchPupilsRequest(query="たかはし"))
    assert [pupil.id for pupil in found.pupils] == [board.people["pupil1"]]
    # The child missing from the file left the class, not the roll: the office decides what happened.
    gone = await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people["pupil2"]))
    assert [(place.period.ends_on) for place in gone.placements] == ["2026-11-20"]
    assert [(roll.state, roll.period.ends_on) for roll in gone.enrolments] == [("undecided", "")]


async def test_a_file_that_lost_more_than_a_fifth_needs_a_second_word(board: Board):
    for key in [key for key in board.rows if key.endswith(("pupil1", "pupil2", "pupil3"))]:
        del board.rows[key]
    import_id = await board.stage()
    assert (await board.change(import_id)).needs_shrink_confirmation
    with pytest.raises(Refused, match="5分の1") as refused:
        await board.apply(import_id)
    assert refused.value.reason == "SHRINK_NOT_CONFIRMED"
    assert len((await board.roster(board.class_31)).entries) == 3
    assert (await board.apply(import_id, confirm_shrink=True)).state == common_pb2.JOB_STATE_DONE
    assert (await board.roster(board.class_31)).entries == []


async def test_a_file_that_points_nowhere_is_refused_and_nothing_is_written(board: Board):
    board.put(
        "member-ghost",
        member=roster_pb2.StageMember(class_source_id=board.class_31, person_source_id="ghost", number=9),
    )
    board.a_pupil("pupil8", ("書", "かれない"), ("カ", "カレナイ"), board.elementary, "P3", board.class_31, 8)
    import_id = await board.stage()
    assert any("ghost" in problem for problem in (await board.change(import_id)).problems)
    with pytest.raises(Refused) as refused:
        await board.apply(import_id)
    assert refused.value.reason == "IMPORT_PROBLEMS"
    assert len((await board.roster(board.class_31)).entries) == 3


async def test_supplement_brings_official_names_births_addresses_guardians_and_entry(board: Board):
    row = roster_pb2.StageSupplement(
        person_id=board.people["pupil1"], official=a_name("髙\U000e0101橋", "花"), sex=roster_pb2.SEX_FEMALE,
        birth_on="2017-05-05", admitted_on="2024-04-08", prior_history="みどり幼稚園",
        address=roster_pb2.DatedAddress(postal_code="001-0001", text="試験市本町1-1"),
        guardians=[
            roster_pb2.Guardian(
                names=common_pb2.PersonNames(display=a_name("髙橋", "一郎"), kana=a_name("タカハシ", "イチロウ")),
                relationship="父", rank=1, phone="000-0000-0000",
            )
        ],
    )  # fmt: skip
    job = await board.take_in([roster_pb2.StageRow(supplement=row)], bulk=False, supplement=True)
    assert job.state == common_pb2.JOB_STATE_DONE, job.label
    record = await board.office.GetPupil(roster_pb2.GetPupilRequest(pupil_id=board.people["pupil1"]))
    assert record.pupil.names.official.family == "髙\U000e0101橋"
    assert (record.pupil.birth_on, record.pupil.sex) == ("2017-05-05", roster_pb2.SEX_FEMALE)
    assert [address.text for address in record.addresses] == ["試験市本町1-1"]
    assert [guardian.names.display.given for guardian in record.guardians] == ["一郎"]
    events = record.enrolments[0].events
    assert sorted((event.effective_on, event.struck) for event in events) == [
        ("2024-04-08", False),
        ("2026-04-01", True),
    ]
    assert record.enrolments[0].period.starts_on == "2024-04-08"


async def test_the_sheet_keeps_the_guardian_before_and_every_principal(board: Board):
    async def guardian(given: str) -> None:
        names = common_pb2.PersonNames(display=a_name("髙橋", given), kana=a_name("タカハシ", "ア"))
        row = roster_pb2.StageSupplement(
            person_id=board.people["pupil1"], guardians=[roster_pb2.Guardian(names=names, rank=1, relationship="父")]
        )
        job = await board.take_in([roster_pb2.StageRow(supplement=row)], bulk=False, supplement=True)
        assert job.state == common_pb2.JOB_STATE_DONE, job.label

    await guardian("一郎")
    async with board.running.database.transaction(board.tenant) as tx:
        await tx.execute("UPDATE guardians SET starts_on = '2025-04-01'")
    await guardian("次郎")
    office = board.as_person("office", "office", strong=True)
    request = roster_pb2.GetRegisterSheetsRequest(pupil_ids=[board.people["pupil1"]])
    sheet = (await office.GetRegisterSheets(request)).sheets[0]
    assert [one.names.display.given for one in sheet.guardians] == ["次郎"]
    assert [(one.names.display.given, one.period.ends_on) for one in sheet.former_guardians] == [("一郎", "2026-11-20")]
    assert [(one.name.given, one.post) for one in sheet.principals] == [("principal", roster_pb2.POST_PRINCIPAL)]


async def test_only_the_boards_administrator_imports(board: Board):
    with pytest.raises(Refused):
        await board.stage(caller=board.principal)


@pytest.mark.parametrize("stopped_at", range(len(imports.STEPS) + 1))
async def test_an_apply_stopped_at_any_step_leaves_the_register_as_it_was(board: Board, stopped_at: int):
    before = await board.roster(board.class_31)
    board.a_pupil("late", ("途中", "止"), ("トチュウ", "トマル"), board.elementary, "P3", board.class_31, 9)
    board.a_pupil("pupil1", ("改名", "花"), ("カイメイ", "ハナ"), board.elementary, "P3", board.class_31, 7)
    import_id = await board.stage()

    async def stop(done: int, total: int, label: str) -> None:
        if done == stopped_at:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        async with board.running.database.transaction(board.tenant) as tx:
            await imports.apply_staged(tx, UUID(import_id), None, stop)
    assert await board.roster(board.class_31) == before
    assert (await board.apply(import_id)).state == common_pb2.JOB_STATE_DONE
    assert len((await board.roster(board.class_31)).entries) == 4


async def test_an_apply_under_way_can_be_looked_at(board: Board):
    board.a_pupil("late", ("途中", "見"), ("トチュウ", "ミル"), board.elementary, "P3", board.class_31, 9)
    import_id = await board.stage()
    people = [item.added for item in (await board.change(import_id)).entities if item.entity == "people"]
    seen = []

    async def look(done: int, total: int, label: str) -> None:
        change = await board.change(import_id)
        seen.append([item.added for item in change.entities if item.entity == "people"])

    async with board.running.database.transaction(board.tenant) as tx:
        await imports.apply_staged(tx, UUID(import_id), None, look)
    assert seen == [people] * (len(imports.STEPS) + 1)
    assert len((await board.roster(board.class_31)).entries) == 4


def where_it_stands(name: str, code: str, address: str) -> roster_pb2.StageRow:
    """A row of 学校補足: a school by its code, without a source id."""
    return roster_pb2.StageRow(org=roster_pb2.StageOrg(code=code, name=name, address=address))


async def test_school_supplement_brings_the_address_and_a_later_roster_leaves_it(board: Board):
    code = board.rows["org-elementary"].org.code
    row = where_it_stands("試験市立けやき小学校", code, "試験市本町1番1号")
    import_id = await board.stage([row], bulk=False, supplement=True)
    change = await board.change(import_id)
    (schools,) = change.entities
    assert (schools.entity, schools.added, schools.changed, schools.gone) == ("schools", 0, 1, 0)
    assert [(field.field, field.before, field.after) for field in schools.examples[0].fields] == [
        ("所在地", "", "試験市本町1番1号")
    ]
    assert (await board.apply(import_id)).state == common_pb2.JOB_STATE_DONE

    assert (await board.roster(board.class_31)).school.address == "試験市本町1番1号"
    sheets = await board.as_person("principal", "principal", strong=True).GetRegisterSheets(
        roster_pb2.GetRegisterSheetsRequest(pupil_ids=[board.people["pupil1"]], school_year=2026)
    )
    assert sheets.sheets[0].school.address == "試験市本町1番1号"
    again = await board.change(await board.stage())
    assert {item.changed for item in again.entities} == {0}
    assert (await board.take_in()).state == common_pb2.JOB_STATE_DONE
    assert (await board.roster(board.class_31)).school.address == "試験市本町1番1号"


@pytest.mark.parametrize("wrong", ["code", "name"])
async def test_school_supplement_of_an_unknown_school_is_refused(board: Board, wrong: str):
    code = "B100000000000" if wrong == "code" else board.rows["org-elementary"].org.code
    name = "試験市立けやき小学校" if wrong == "code" else "試験市立いちょう小学校"
    import_id = await board.stage([where_it_stands(name, code, "どこか")], bulk=False, supplement=True)
    assert any(code in problem and name in problem for problem in (await board.change(import_id)).problems)
    with pytest.raises(Refused) as refused:
        await board.apply(import_id)
    assert refused.value.reason == "IMPORT_PROBLEMS"
    assert len((await board.admin.ListSchools(roster_pb2.ListSchoolsRequest())).schools) == 2
