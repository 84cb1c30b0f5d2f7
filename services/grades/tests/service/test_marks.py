"""Entering marks over the real wire: outcomes, conflicts, sending again, rights."""

import asyncio
from uuid import uuid4

import pytest
from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2 as pb
from komu.grades.v1.grades_pb2_grpc import GradesServiceStub
from servicekit.auth import STRONG_LEVEL, Actor
from servicekit.errors import Invalid, Refused, StepUpRequired, Unseen
from servicekit.testing import RunningService

SAVED, INVALID = pb.CellResult.OUTCOME_SAVED, pb.CellResult.OUTCOME_INVALID
CONFLICT, LOCKED = pb.CellResult.OUTCOME_CONFLICT, pb.CellResult.OUTCOME_LOCKED


async def test_a_sheet_has_the_class_in_number_order_and_the_columns_of_the_curriculum(world) -> None:
    sheet = await world.as_("homeroom").GetSheet(world.sheet())
    assert [column.key for column in sheet.columns] == [
        "viewpoint.knowledge", "viewpoint.thinking", "viewpoint.attitude", "rating", "comment",
    ]  # fmt: skip
    assert list(sheet.columns[3].allowed) == ["3", "2", "1"]
    assert list(sheet.pupil_ids) == [str(pupil) for pupil in world.pupils]
    assert sheet.writable
    assert sheet.term.label == "2学期"
    assert not sheet.cells


async def test_good_cells_are_saved_and_bad_ones_told(world) -> None:
    hana, ken, *_ = world.pupils
    teacher = world.as_("homeroom")
    answer = await teacher.SaveCells(
        world.save(
            (hana, "viewpoint.knowledge", "Ａ", 0),
            (ken, "viewpoint.knowledge", "E", 0),
            (ken, "rating", "３", 0),
            (uuid4(), "rating", "3", 0),
            (ken, "comment", "漢字の学習に 意欲的でした。", 0),
        )
    )
    assert [result.outcome for result in answer.results] == [SAVED, INVALID, SAVED, INVALID, SAVED]
    assert "A・B・C" in answer.results[1].message
    sheet = await teacher.GetSheet(world.sheet())
    assert {(cell.pupil_id, cell.column): (cell.value, cell.version) for cell in sheet.cells} == {
        (str(hana), "viewpoint.knowledge"): ("A", 1),
        (str(ken), "rating"): ("3", 1),
        (str(ken), "comment"): ("漢字の学習に 意欲的でした。", 1),
    }


async def test_two_people_in_one_cell_are_told_and_neither_loses_work(world) -> None:
    hana = world.pupils[0]
    music, homeroom = world.as_("music"), world.as_("homeroom")
    first = await music.SaveCells(world.save((hana, "rating", "3", 0), subject="music"))
    assert first.results[0].outcome == SAVED
    second = await homeroom.SaveCells(
        world.save((hana, "rating", "1", 0), (hana, "viewpoint.attitude", "B", 0), subject="music")
    )
    conflict = second.results[0]
    assert conflict.outcome == CONFLICT
    assert (conflict.current.value, conflict.current.version) == ("3", 1)
    assert conflict.current.updated_by == str(world.people["music"][0])
    assert second.results[1].outcome == SAVED
    mine = await homeroom.SaveCells(world.save((hana, "rating", "1", conflict.current.version), subject="music"))
    assert (mine.results[0].outcome, mine.results[0].current.version) == (SAVED, 2)
    history = await homeroom.GetCellHistory(
        pb.GetCellHistoryRequest(
            class_id=str(world.class31), subject="music", term="2", pupil_id=str(hana), column="rating"
        )
    )
    assert [(change.before, change.after) for change in history.changes] == [("3", "1"), ("", "3")]


async def test_the_same_value_from_two_people_is_no_conflict(world) -> None:
    hana = world.pupils[0]
    await world.as_("music").SaveCells(world.save((hana, "rating", "3", 0), subject="music"))
    again = await world.as_("homeroom").SaveCells(world.save((hana, "rating", "3", 0), subject="music"))
    assert (again.results[0].outcome, again.results[0].current.version) == (SAVED, 1)


async def test_many_at_once_on_one_cell_leave_one_winner(world) -> None:
    hana = world.pupils[0]
    teacher = world.as_("homeroom")
    requests = [world.save((hana, "comment", f"所見その{n}", 0)) for n in range(8)]
    answers = await asyncio.gather(*(teacher.SaveCells(request) for request in requests))
    outcomes = [answer.results[0].outcome for answer in answers]
    assert outcomes.count(SAVED) == 1
    assert outcomes.count(CONFLICT) == 7
    sheet = await teacher.GetSheet(world.sheet())
    winner = outcomes.index(SAVED)
    assert [(cell.value, cell.version) for cell in sheet.cells] == [(f"所見その{winner}", 1)]
    assert {a.results[0].current.value for a in answers} == {f"所見その{winner}"}


async def test_a_save_sent_again_is_answered_and_not_done_again(world) -> None:
    hana, ken, *_ = world.pupils
    teacher = world.as_("homeroom")
    request = world.save((hana, "rating", "3", 0), (ken, "rating", "9", 0), (ken, "comment", "", 0))
    first = await teacher.SaveCells(request)
    second = await teacher.SaveCells(request)
    both = await asyncio.gather(teacher.SaveCells(request), teacher.SaveCells(request))
    for answer in (first, second, *both):
        assert [(r.outcome, r.current.value, r.current.version) for r in answer.results] == [
            (SAVED, "3", 1), (INVALID, "9", 0), (SAVED, "", 0),
        ]  # fmt: skip
    changed = await teacher.SaveCells(world.save((hana, "rating", "2", 1)))
    assert changed.results[0].current.version == 2
    late = await teacher.SaveCells(request)
    assert (late.results[0].outcome, late.results[0].current.version) == (SAVED, 1)
    sheet = await teacher.GetSheet(world.sheet())
    assert [(cell.value, cell.version) for cell in sheet.cells] == [("2", 2)]


async def test_a_key_used_for_another_save_is_refused(world) -> None:
    hana = world.pupils[0]
    teacher = world.as_("homeroom")
    await teacher.SaveCells(world.save((hana, "rating", "3", 0), key="one"))
    with pytest.raises(Invalid):
        await teacher.SaveCells(world.save((hana, "rating", "1", 1), key="one"))


async def test_a_cleared_cell_keeps_counting_versions(world) -> None:
    hana = world.pupils[0]
    teacher = world.as_("homeroom")
    for at, value in enumerate(["3", "", "2"]):
        answer = await teacher.SaveCells(world.save((hana, "rating", value, at)))
        assert answer.results[0].current.version == at + 1


@pytest.mark.parametrize(
    ("who", "subject", "klass", "writes"),
    [
        ("homeroom", "japanese", "class31", True),
        ("homeroom", "behaviour", "class31", True),
        ("homeroom", "music", "class31", True),
        ("music", "music", "class31", True),
        ("music", "japanese", "class31", None),
        ("next door", "japanese", "class31", None),
        ("free", "japanese", "class31", None),
        ("head", "japanese", "class31", False),
        ("vice", "japanese", "class31", False),
        ("principal", "japanese", "class31", False),
        ("jh homeroom", "mathematics", "class_j1", False),
        ("jh homeroom", "remarks", "class_j1", True),
        ("jh maths", "mathematics", "class_j1", True),
        ("jh maths", "remarks", "class_j1", None),
        ("homeroom", "mathematics", "class_j1", None),
        ("jh principal", "mathematics", "class_j1", False),
        ("jh principal", "japanese", "class31", None),
    ],
)
async def test_who_may_see_and_write(world, who: str, subject: str, klass: str, writes: bool | None) -> None:
    """writes: True = may, False = sees only, None = is refused with a sentence."""
    caller, class_id = world.as_(who), getattr(world, klass)
    pupil = (world.pupils_j1 if klass == "class_j1" else world.pupils)[0]
    column = {"remarks": "remarks.comment", "behaviour": "behaviour.health"}.get(subject, "viewpoint.thinking")
    value = "○" if subject == "behaviour" else "A"
    request = world.save((pupil, column, value, 0), subject=subject, klass=class_id)
    if writes is None:
        with pytest.raises(Refused, match=r"。$"):
            await caller.GetSheet(world.sheet(subject, klass=class_id))
    else:
        sheet = await caller.GetSheet(world.sheet(subject, klass=class_id))
        assert sheet.writable is writes
        assert bool(sheet.locked_reason) is not writes
    if writes:
        assert (await caller.SaveCells(request)).results[0].outcome == SAVED
    else:
        with pytest.raises(Refused, match=r"。$"):
            await caller.SaveCells(request)


async def test_rights_follow_the_register_of_the_day(world) -> None:
    from komu.roster.v1 import roster_pb2

    from services.grades.tests.service.conftest import a_duty

    yesterday = a_duty(roster_pb2.DUTY_KIND_HOMEROOM, world.school, world.class31, ends_on="2026-11-20")
    await world.tell(
        world.staff("homeroom", "teacher", roster_pb2.POST_TEACHER, yesterday, version=2),
        world.staff("homeroom", "teacher", roster_pb2.POST_TEACHER, version=1),
    )
    with pytest.raises(Refused, match="学級担任"):
        await world.as_("homeroom").GetSheet(world.sheet())


async def test_another_board_sees_nothing(world, running: RunningService) -> None:
    at = running.service.clock()
    someone = Actor("t-other", uuid4(), frozenset({"principal"}), {1: at, STRONG_LEVEL: at}, "session")
    stranger = running.caller(GradesServiceStub, someone)
    with pytest.raises(Unseen):
        await stranger.GetSheet(world.sheet())
    with pytest.raises(Unseen):
        await stranger.SaveCells(world.save((world.pupils[0], "rating", "3", 0)))
    with pytest.raises(Unseen):
        await stranger.GetClosing(pb.GetClosingRequest(**world.term()))
    with pytest.raises(Unseen):
        await stranger.GetRecords(pb.GetRecordsRequest(pupil_ids=[str(world.pupils[0])], purpose="report_card"))


async def test_marks_ask_for_the_second_factor_and_the_overview_does_not(world) -> None:
    weak = world.as_("homeroom", strong=False)
    assert (await weak.ListSheets(pb.ListSheetsRequest(class_id=str(world.class31)))).sheets
    for call in (
        weak.GetSheet(world.sheet()),
        weak.SaveCells(world.save((world.pupils[0], "rating", "3", 0))),
        weak.GetRecords(pb.GetRecordsRequest(class_id=str(world.class31), purpose="guidance_record")),
    ):
        with pytest.raises(StepUpRequired):
            await call


async def test_the_overview_tells_progress_by_subject_and_term(world) -> None:
    hana, ken, *_ = world.pupils
    teacher = world.as_("homeroom")
    await teacher.SaveCells(world.save((hana, "rating", "3", 0), (ken, "rating", "2", 0), (ken, "comment", "良", 0)))
    await teacher.SaveCells(world.save((hana, "behaviour.health", "○", 0), subject="behaviour"))
    listed = await teacher.ListSheets(pb.ListSheetsRequest(class_id=str(world.class31)))
    far = {entry.subject.key: entry.progress for entry in listed.sheets}
    assert [term.key for term in listed.terms] == ["1", "2", "3", "year"]
    assert (far["japanese"]["2"].filled, far["japanese"]["2"].expected) == (2, 16)
    assert (far["japanese"]["1"].filled, far["japanese"]["1"].expected) == (0, 16)
    assert (far["behaviour"]["2"].filled, far["behaviour"]["2"].expected) == (1, 0)
    music_only = await world.as_("music").ListSheets(pb.ListSheetsRequest(class_id=str(world.class31)))
    assert [entry.subject.key for entry in music_only.sheets] == ["music"]


async def test_who_left_stays_writable_and_who_moved_is_in_the_new_class(world) -> None:
    hana, ken, *rest = world.pupils
    await world.tell(
        world.a_class(
            world.class31, "3年1組", "P3",
            [
                *world.members([hana], ends_on="2026-10-09"),
                *world.members([ken], ends_on="2026-10-31"),
                *world.members(rest),
            ],
            version=2,
        ),
        world.a_class(world.class32, "3年2組", "P3", world.members([ken], starts_on="2026-11-01"), version=2),
    )  # fmt: skip
    sheet = await world.as_("homeroom").GetSheet(world.sheet())
    assert set(sheet.pupil_ids) == {str(hana), *map(str, rest)}
    answer = await world.as_("homeroom").SaveCells(world.save((hana, "rating", "3", 0)))
    assert answer.results[0].outcome == SAVED
    next_door = await world.as_("next door").GetSheet(world.sheet(klass=world.class32))
    assert list(next_door.pupil_ids) == [str(ken)]
    closing = await world.as_("principal").GetClosing(pb.GetClosingRequest(**world.term()))
    assert str(hana) not in {pupil for entry in closing.missing for pupil in entry.pupil_ids}


async def test_reads_and_saves_stand_in_the_log_and_only_the_principal_reads_it(world) -> None:
    hana, ken, *_ = world.pupils
    teacher = world.as_("homeroom")
    await teacher.GetSheet(world.sheet())
    await teacher.SaveCells(world.save((hana, "rating", "3", 0), (ken, "rating", "2", 0)))
    request = common_pb2.ReadAuditRequest(school_id=str(world.school), subject_id=str(ken), limit=10)
    with pytest.raises(Refused):
        await teacher.ReadAudit(request)
    page = await world.as_("principal").ReadAudit(request)
    assert [entry.action for entry in page.entries] == ["cells.saved", "sheet.read"]
    saved = page.entries[0]
    assert '"value":"2"' in saved.after_json.replace(" ", "")
    assert saved.actor_id == str(world.people["homeroom"][0])
    assert page.entries[1].information_class == 2
    reads = await world.as_("principal").ReadAudit(
        common_pb2.ReadAuditRequest(school_id=str(world.school), kind="read", limit=10)
    )
    assert {entry.action for entry in reads.entries} == {"sheet.read"}
