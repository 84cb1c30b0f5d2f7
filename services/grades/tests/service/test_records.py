"""Whole records for forms and packages."""

import pytest
from komu.grades.v1 import grades_pb2 as pb
from servicekit.errors import Invalid, Refused, StepUpRequired, Unseen


async def test_a_report_card_has_the_terms_up_to_the_one_asked_for(world) -> None:
    hana = world.pupils[0]
    teacher = world.as_("homeroom")
    for term in ("1", "2", "3", "year"):
        await teacher.SaveCells(world.save((hana, "rating", "3", 0), term=term))
    records = await teacher.GetRecords(
        pb.GetRecordsRequest(class_id=str(world.class31), purpose="report_card", term="2")
    )
    assert [pupil.pupil_id for pupil in records.pupils] == [str(pupil) for pupil in world.pupils]
    year = records.pupils[0].years[0]
    assert (year.school_year, year.school_grade, year.class_id) == (2026, "P3", str(world.class31))
    assert [(v.term, v.subject, v.column, v.value) for v in year.values] == [
        ("1", "japanese", "rating", "3"), ("2", "japanese", "rating", "3"),
    ]  # fmt: skip
    assert {subject.subject.key for subject in records.curricula[0].subjects} >= {"japanese", "moral", "remarks"}


async def test_a_guidance_record_is_the_year_and_asks_for_a_fresh_second_factor(world) -> None:
    hana = world.pupils[0]
    teacher = world.as_("homeroom")
    await teacher.SaveCells(
        world.save((hana, "remarks.general", "明るく誠実である。", 0), subject="remarks", term="year")
    )
    request = pb.GetRecordsRequest(pupil_ids=[str(hana)], purpose="guidance_record")
    records = await teacher.GetRecords(request)
    value = records.pupils[0].years[0].values[0]
    assert (value.term, value.kind, value.value) == ("year", pb.CELL_KIND_GENERAL_REMARKS, "明るく誠実である。")
    caller = world.as_("homeroom", minutes_ago=20)
    await caller.GetRecords(pb.GetRecordsRequest(pupil_ids=[str(hana)], purpose="report_card"))
    with pytest.raises(StepUpRequired):
        await caller.GetRecords(request)


@pytest.mark.parametrize("who", ["music", "next door", "free", "head", "jh principal"])
async def test_only_homeroom_and_leaders_take_whole_records(world, who: str) -> None:
    with pytest.raises(Refused, match=r"。$"):
        await world.as_(who).GetRecords(
            pb.GetRecordsRequest(pupil_ids=[str(world.pupils[0])], purpose="guidance_record")
        )


async def test_unknown_pupils_and_purposes(world) -> None:
    teacher = world.as_("homeroom")
    with pytest.raises(Unseen):
        await teacher.GetRecords(pb.GetRecordsRequest(pupil_ids=[str(world.school)], purpose="report_card"))
    with pytest.raises(Invalid):
        await teacher.GetRecords(pb.GetRecordsRequest(pupil_ids=[str(world.pupils[0])], purpose="gossip"))
    with pytest.raises(Invalid):
        await teacher.GetRecords(pb.GetRecordsRequest(pupil_ids=["x"], purpose="report_card"))
