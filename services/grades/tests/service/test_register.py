"""Following roster: order, age, and the whole of it again."""

from uuid import uuid4

import pytest
from grades.consumers import class_fact, staff_fact
from grades.usecases import register
from komu.grades.v1 import grades_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.errors import Refused, Unseen


async def test_an_older_fact_changes_nothing(world) -> None:
    newer = world.a_class(world.class31, "3年1組", "P3", world.members(world.pupils[:2]), version=3)
    older = world.a_class(world.class31, "3年1組", "P3", world.members(world.pupils), version=2)
    await world.tell(newer, older)
    sheet = await world.as_("homeroom").GetSheet(world.sheet())
    assert len(sheet.pupil_ids) == 2


async def test_rebuilding_makes_the_projection_what_roster_says_and_keeps_what_came_meanwhile(world) -> None:
    database = world.running.database
    async with database.reading(world.tenant) as tx:
        before = await register.read_register(tx)
    await world.tell(world.a_class(world.class32, "3年2組", "P3", world.members([uuid4(), uuid4()]), version=9))
    snapshot = register.Snapshot(
        schools=[],
        classes=[
            class_fact(world.a_class(world.class31, "3年1組", "P3", world.members(world.pupils[:1])).roster),
            class_fact(world.a_class(world.class32, "3年2組", "P3", []).roster),
        ],
        staff=[
            staff_fact(
                world.staff(
                    "homeroom", "teacher", roster_pb2.POST_TEACHER,
                    roster_pb2.Duty(
                        id=str(uuid4()), kind=roster_pb2.DUTY_KIND_HOMEROOM, school_id=str(world.school),
                        class_id=str(world.class31), period={"starts_on": "2026-04-01"},
                    ),
                ).duties
            ),
            staff_fact(world.staff("principal", "principal", roster_pb2.POST_PRINCIPAL).duties),
        ],
    )  # fmt: skip
    async with database.transaction(world.tenant) as tx:
        await register.replace_register(tx, before, snapshot)
    assert len((await world.as_("homeroom").GetSheet(world.sheet())).pupil_ids) == 1
    kept = await world.as_("principal").GetSheet(world.sheet(klass=world.class32))
    assert len(kept.pupil_ids) == 2
    with pytest.raises(Refused):
        await world.as_("music").GetSheet(world.sheet("music"))
    with pytest.raises(Unseen):
        await world.as_("principal").GetSheet(world.sheet(klass=world.class_j1))


async def test_a_class_beyond_compulsory_school_is_left_out(world) -> None:
    assert class_fact(world.a_class(uuid4(), "1年A組", "H1", []).roster) is None


async def test_the_first_class_of_a_year_lays_terms_and_the_boards_decisions(world) -> None:
    terms = await world.as_("principal").ListTerms(pb.ListTermsRequest(school_id=str(world.school), school_year=2026))
    assert [(term.key, term.starts_on, term.ends_on) for term in terms.terms] == [
        ("1", "2026-04-01", "2026-08-31"),
        ("2", "2026-09-01", "2026-12-31"),
        ("3", "2027-01-01", "2027-03-31"),
        ("year", "2026-04-01", "2027-03-31"),
    ]
    none = await world.as_("principal").ListTerms(pb.ListTermsRequest(school_id=str(world.school), school_year=2025))
    assert not none.terms
