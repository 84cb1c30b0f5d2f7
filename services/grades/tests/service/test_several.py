"""特別支援学級: one class, pupils of several 学年, each with the cells of the own."""

from uuid import UUID, uuid4

import pytest
from grades.consumers import class_fact
from komu.grades.v1 import grades_pb2 as pb
from komu.roster.v1 import roster_pb2

SAVED, INVALID = pb.CellResult.OUTCOME_SAVED, pb.CellResult.OUTCOME_INVALID


@pytest.fixture(params=["P1", ""], ids=["told by the lowest", "told without"])
async def himawari(request, world) -> tuple[UUID, list[UUID]]:
    """The class and its three pupils: 小1, 小3, 小5."""
    class_id, pupils = uuid4(), [uuid4() for _ in range(3)]
    members = world.members(pupils)
    for member, school_grade in zip(members, ("P1", "P3", "P5"), strict=True):
        member.school_grade = school_grade
    told = world.a_class(class_id, "ひまわり学級", request.param, members)
    getattr(told.roster, "class").kind = roster_pb2.CLASS_KIND_SPECIAL_NEEDS
    duty = roster_pb2.Duty(
        id=str(uuid4()), kind=roster_pb2.DUTY_KIND_HOMEROOM, school_id=str(world.school), class_id=str(class_id),
        period={"starts_on": "2026-04-01"},
    )  # fmt: skip
    await world.tell(told, world.staff("himawari", "teacher", roster_pb2.POST_TEACHER, duty))
    return class_id, pupils


async def test_the_sheets_are_those_of_all_pupils_and_count_each_by_the_own(world, himawari) -> None:
    class_id, _ = himawari
    listed = await world.as_("himawari").ListSheets(pb.ListSheetsRequest(class_id=str(class_id)))
    sheets = {entry.subject.key: entry for entry in listed.sheets}
    assert {"life_environment", "science", "home_economics", "foreign_language_activity"} <= set(sheets)
    assert all(entry.writable for entry in listed.sheets)
    assert sheets["japanese"].progress["2"].expected == 3 + 4 + 4  # no 評定 in 小1
    assert sheets["life_environment"].progress["2"].expected == 3
    assert sheets["science"].progress["2"].expected == 4 + 4


async def test_a_sheet_tells_which_cells_do_not_apply_and_saving_follows(world, himawari) -> None:
    class_id, (first, third, fifth) = himawari
    teacher = world.as_("himawari")
    sheet = await teacher.GetSheet(world.sheet(klass=class_id))
    assert [(pupil.pupil_id, pupil.school_grade, list(pupil.not_applicable)) for pupil in sheet.pupils] == [
        (str(first), "P1", ["rating"]), (str(third), "P3", []), (str(fifth), "P5", []),
    ]  # fmt: skip
    answer = await teacher.SaveCells(
        world.save((first, "rating", "3", 0), (third, "rating", "3", 0), klass=class_id, key="several")
    )
    assert [result.outcome for result in answer.results] == [INVALID, SAVED]
    assert answer.results[0].message == "この欄は、小1の様式にありません。"
    again = await teacher.GetSheet(world.sheet(klass=class_id))
    assert [(cell.pupil_id, cell.value) for cell in again.cells] == [(str(third), "3")]
    listed = await teacher.ListSheets(pb.ListSheetsRequest(class_id=str(class_id)))
    assert listed.sheets[0].progress["2"].filled == 1


async def test_an_ordinary_sheet_says_nothing_per_pupil(world) -> None:
    assert not (await world.as_("homeroom").GetSheet(world.sheet())).pupils


async def test_closing_counts_them(world, himawari) -> None:
    class_id, (first, third, fifth) = himawari
    found = await world.as_("principal").GetClosing(pb.GetClosingRequest(**world.term()))
    own = {entry.subject: entry for entry in found.missing if entry.class_id == str(class_id)}
    assert found.missing[-1].class_id == str(class_id)  # after the classes of one 学年
    assert own["japanese"].cells == 3 + 4 + 4
    assert own["life_environment"].pupil_ids == [str(first)]
    assert set(own["science"].pupil_ids) == {str(third), str(fifth)}
    assert own["home_economics"].pupil_ids == [str(fifth)]
    everybody = 7 * 4 * 4 + 4
    assert found.missing_total == everybody + sum(entry.cells for entry in own.values())


async def test_records_have_the_pupils_own_school_grade(world, himawari) -> None:
    class_id, (first, third, _) = himawari
    teacher = world.as_("himawari")
    await teacher.SaveCells(world.save((third, "rating", "3", 0), klass=class_id))
    records = await teacher.GetRecords(pb.GetRecordsRequest(class_id=str(class_id), purpose="report_card", term="2"))
    years = {pupil.pupil_id: pupil.years[0] for pupil in records.pupils}
    assert (years[str(first)].school_grade, list(years[str(first)].values)) == ("P1", [])
    assert (years[str(third)].school_grade, years[str(third)].values[0].value) == ("P3", "3")
    assert [year.school_grade for year in records.curricula] == ["P1", "P3", "P5"]


async def test_a_pupil_without_school_grade_is_shown_and_locked(world) -> None:
    """What an older roster told: no class grade and none of the pupil."""
    class_id, known, unknown = uuid4(), uuid4(), uuid4()
    members = world.members([known, unknown])
    members[0].school_grade = "P3"
    await world.tell(world.a_class(class_id, "複式学級", "", members))
    sheet = await world.as_("principal").GetSheet(world.sheet(klass=class_id))
    assert len(sheet.pupils[1].not_applicable) == len(sheet.columns)


async def test_a_course_of_several_is_left_out(world) -> None:
    told = world.a_class(uuid4(), "算数 合同", "", [])
    getattr(told.roster, "class").kind = roster_pb2.CLASS_KIND_COURSE
    assert class_fact(told.roster) is None
