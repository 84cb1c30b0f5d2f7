"""年度更新: planned beside the register, published as one, taken back; nobody's move is lost, nothing half-done."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
import pytest_asyncio
from komu.attendance.v1 import events_pb2 as attendance_events
from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2, roster_pb2
from komu.roster.v1 import rollover_pb2 as pb
from komu.roster.v1.rollover_pb2_grpc import RolloverServiceStub
from roster.consumers import on_day_taken
from servicekit.errors import Conflict, Invalid, Refused, Unseen
from servicekit.testing import Caller, RunningService

from .conftest import Board
from .test_unlisted import told

PAST = common_pb2.Period(starts_on="2025-04-01")


class School(Board):
    """A board whose register still stands in 2025年度; today is November 2026, so that its next year has begun."""

    def __init__(self, running: RunningService, tenant: str) -> None:
        super().__init__(running, tenant)
        self.school_year = 2025
        self.class_6 = "6ea2b2f4-0000-4000-8000-" + self._codes[:10] + "66"
        self.a_class("6", self.class_6, self.elementary, "P6", "6年1組")
        self.a_pupil("six1", ("卒業", "一"), ("ソツギョウ", "ハジメ"), self.elementary, "P6", self.class_6, 2)
        self.a_pupil("six2", ("赤井", "二"), ("アカイ", "ジ"), self.elementary, "P6", self.class_6, 1)
        for row in self.rows.values():
            kind = row.WhichOneof("row")
            if kind == "class":
                getattr(row, "class").school_year = 2025
            elif kind in ("member", "duty", "appointment"):
                getattr(row, kind).period.CopyFrom(PAST)

    def who(self, key: str, role: str, *, strong: bool = True) -> Caller[RolloverServiceStub]:
        return self.running.caller(RolloverServiceStub, self.actor(key, role, strong=strong))

    @property
    def head(self) -> Caller[RolloverServiceStub]:
        return self.who("principal", "principal")

    @property
    def planner(self) -> Caller[RolloverServiceStub]:
        return self.who("office", "office")

    async def opened(self) -> pb.Rollover:
        return await self.planner.OpenRollover(pb.OpenRolloverRequest(school_id=self.elementary, school_year=2026))

    async def look(self, plan: pb.Rollover) -> pb.GetRolloverReply:
        return await self.head.GetRollover(pb.RolloverRequest(rollover_id=plan.id))

    async def cards(self, plan: pb.Rollover, school_grade: str = "P4") -> dict[str, pb.PlannedPupil]:
        asked = pb.GetRolloverBoardRequest(rollover_id=plan.id, school_grade=school_grade)
        return {each.id: each for each in (await self.planner.GetRolloverBoard(asked)).pupils}

    async def ready(self) -> pb.Rollover:
        """Everything decided: one class per 学年, 担任, numbers, certificates, two new children."""
        plan = await self.opened()
        call, at = self.planner, {"rollover_id": plan.id}
        for school_grade, names in (("P1", ["1年1組"]), ("P4", ["4年1組", "4年2組"])):
            await call.SetRolloverClasses(pb.SetRolloverClassesRequest(**at, school_grade=school_grade, names=names))
        await call.AddRolloverEntrants(
            pb.AddRolloverEntrantsRequest(**at, entrants=[entrant("新田", "ニッタ"), entrant("青木", "アオキ")])
        )
        for school_grade in ("P1", "P4"):
            await call.ProposeRolloverClasses(pb.ProposeRolloverClassesRequest(**at, school_grade=school_grade))
        for place, each in enumerate((await self.look(plan)).classes):
            staff = self.people[("teacher", "teacher2", "vice")[place]]
            await call.SetRolloverTeacher(
                pb.SetRolloverTeacherRequest(**at, class_id=each.id, staff_id=staff, version=each.version)
            )
        await call.NumberRollover(pb.NumberRolloverRequest(**at, order="mixed"))
        return await call.SetRolloverGraduation(
            pb.SetRolloverGraduationRequest(**at, certificate_from=301, order="class", graduated_on="2026-03-19")
        )

    async def publish(self, plan: pb.Rollover) -> common_pb2.Job:
        job = await self.head.PublishRollover(pb.RolloverRequest(rollover_id=plan.id))
        async with asyncio.timeout(20):
            while job.state in (common_pb2.JOB_STATE_WAITING, common_pb2.JOB_STATE_RUNNING):
                job = (await self.look(plan)).job
        return job

    async def register(self) -> dict[str, list[tuple[object, ...]]]:
        """The real tables, without the versions that count on."""
        asked = {
            "enrolments": "SELECT id, starts_on, ends_on, state, left_by, school_grade FROM enrolments ORDER BY id",
            "members": "SELECT class_id, pupil_id, number, starts_on, ends_on FROM class_members ORDER BY 1, 2, 4",
            "duties": "SELECT id, staff_id, class_id, starts_on, ends_on FROM duties ORDER BY id",
            "classes": "SELECT id, school_year, name FROM classes WHERE withdrawn_on IS NULL ORDER BY id",
            "events": "SELECT id, kind, effective_on FROM enrolment_events WHERE struck_at IS NULL ORDER BY id",
            "ledger": "SELECT number, pupil_id FROM graduation_certificates ORDER BY number",
        }
        async with self.running.database.reading(self.tenant) as tx:
            return {name: [tuple(row) for row in await tx.execute(query)] for name, query in asked.items()}


def entrant(family: str, kana: str) -> pb.RolloverEntrant:
    return pb.RolloverEntrant(
        family=family, given="子", kana_family=kana, kana_given="コ", sex=roster_pb2.SEX_FEMALE, birth_on="2019-05-05"
    )


@pytest_asyncio.fixture(loop_scope="session")
async def school(running: RunningService, tenant: str) -> School:
    made = School(running, tenant)
    job = await made.take_in()
    assert job.state == common_pb2.JOB_STATE_DONE, job.label
    return made


async def test_a_rehearsal_begins_with_this_years_children_and_leaves_no_trace_when_thrown_away(school: School):
    before = await school.register()
    plan = await school.opened()
    assert (await school.opened()).id == plan.id
    found = await school.look(plan)
    assert dict(found.counts) == {"promoted": 4, "graduates": 2}
    assert [(each.school_grade, each.name, each.size) for each in found.classes] == [
        ("P4", "4年1組", 0), ("P4", "4年2組", 0)
    ]  # fmt: skip
    assert {gap.kind for gap in found.gaps} == {"no_class", "no_teacher", "empty_class", "no_certificate"}
    await school.planner.DiscardRollover(pb.RolloverRequest(rollover_id=plan.id))
    with pytest.raises(Unseen):
        await school.look(plan)
    assert await school.register() == before
    assert (await school.opened()).id != plan.id


async def test_only_the_year_after_the_newest_is_planned(board: Board):
    planner = board.running.caller(RolloverServiceStub, board.actor("office", "office"))
    listed = await planner.ListRollovers(pb.ListRolloversRequest(school_id=board.elementary))
    assert (listed.coming_year, len(listed.rollovers)) == (2027, 0)
    with pytest.raises(Refused, match="2027年度"):
        await planner.OpenRollover(pb.OpenRolloverRequest(school_id=board.elementary, school_year=2028))
    plan = await planner.OpenRollover(pb.OpenRolloverRequest(school_id=board.elementary, school_year=2027))
    principal = board.running.caller(RolloverServiceStub, board.actor("principal", "principal"))
    with pytest.raises(Refused, match="2027年4月1日に始まる"):
        await principal.PublishRollover(pb.RolloverRequest(rollover_id=plan.id))


async def test_two_people_move_one_child_and_the_later_one_is_told(school: School):
    plan = await school.opened()
    ones, twos = [each.id for each in (await school.look(plan)).classes]
    child, friend = school.people["pupil1"], school.people["pupil2"]
    cards = await school.cards(plan)

    async def move(who: Caller[RolloverServiceStub], *moves: tuple[str, str]) -> pb.RolloverMoves:
        return await who.MoveRolloverPupils(
            pb.MoveRolloverPupilsRequest(
                rollover_id=plan.id, school_grade="P4",
                moves=[pb.RolloverMove(pupil_id=one, class_id=to, version=cards[one].version) for one, to in moves],
            )
        )  # fmt: skip

    teacher = school.who("teacher", "teacher")
    first = await move(teacher, (child, ones))
    assert [(place.class_id, place.lost) for place in first.places] == [(ones, False)]
    later = await move(school.planner, (child, twos), (friend, twos))
    assert {place.pupil_id: (place.class_id, place.lost, place.moved_by_name) for place in later.places} == {
        child: (ones, True, "先生\u3000teacher"), friend: (twos, False, "先生\u3000office"),
    }  # fmt: skip
    since = await teacher.GetRolloverMoves(
        pb.GetRolloverMovesRequest(rollover_id=plan.id, school_grade="P4", after_revision=first.revision)
    )
    assert [(place.pupil_id, place.class_id) for place in since.places] == [(friend, twos)]
    assert since.revision == later.revision
    with pytest.raises(Conflict, match="なくしました"):
        await move(school.planner, (friend, school.class_31))


async def test_who_may_and_who_may_not(school: School):
    plan = await school.opened()
    at = {"rollover_id": plan.id}
    teacher = school.who("teacher", "teacher")
    with pytest.raises(Refused, match="その学年の担任"):
        await teacher.GetRolloverBoard(pb.GetRolloverBoardRequest(**at, school_grade="P5"))
    with pytest.raises(Refused, match="校長・教頭・事務職員"):
        await teacher.NumberRollover(pb.NumberRolloverRequest(**at, order="mixed"))
    with pytest.raises(Refused):
        await school.planner.PublishRollover(pb.RolloverRequest(**at))
    with pytest.raises(Unseen):
        await school.who("jh_principal", "principal").GetRollover(pb.RolloverRequest(**at))
    look = await teacher.GetRollover(pb.RolloverRequest(**at))
    assert (list(look.own_school_grades), look.whole_school, look.may_publish) == (["P4"], False, False)


async def test_exceptions_wishes_and_numbers_by_hand(school: School):
    plan = await school.opened()
    at = {"rollover_id": plan.id}
    child, friend = school.people["pupil1"], school.people["pupil4"]
    card = (await school.cards(plan))[child]
    kept = await school.planner.SetRolloverPupil(
        pb.SetRolloverPupilRequest(**at, pupil_id=child, version=card.version, care="席を前に", band=4)
    )
    assert (kept.care, kept.band, kept.version) == ("席を前に", 4, card.version + 1)
    with pytest.raises(Conflict, match="ほかの人が変更"):
        await school.planner.SetRolloverPupil(pb.SetRolloverPupilRequest(**at, pupil_id=child, version=card.version))
    with pytest.raises(Invalid):
        await school.planner.SetRolloverPupil(
            pb.SetRolloverPupilRequest(**at, pupil_id=child, version=kept.version, band=6)
        )
    await school.planner.SetRolloverPair(
        pb.SetRolloverPairRequest(**at, first_id=friend, second_id=child, kind=pb.ROLLOVER_PAIR_KIND_APART)
    )
    moves = await school.planner.ProposeRolloverClasses(pb.ProposeRolloverClassesRequest(**at, school_grade="P4"))
    placed = {each.pupil_id: each.class_id for each in moves.places}
    assert len(placed) == 4
    assert placed[child] != placed[friend]
    stays = await school.planner.SetRolloverPupil(
        pb.SetRolloverPupilRequest(
            **at, pupil_id=child, version=(await school.cards(plan))[child].version,
            outcome=pb.ROLLOVER_OUTCOME_RETAINED,
        )
    )  # fmt: skip
    assert (stays.outcome, stays.school_grade, stays.class_id) == (pb.ROLLOVER_OUTCOME_RETAINED, "P3", "")
    assert child in await school.cards(plan, "P3")


async def test_published_as_one_told_to_others_and_taken_back_without_a_trace(school: School):
    before = await school.register()
    plan = await school.ready()
    assert await school.register() == before
    found = await school.look(plan)
    assert list(found.gaps) == []
    diff = await school.head.GetRolloverDiff(pb.RolloverRequest(rollover_id=plan.id))
    assert {part.kind: len(part.lines) for part in diff.parts} == {
        "classes": 3, "promoted": 4, "enters": 2, "graduates": 2
    }  # fmt: skip
    job = await school.publish(plan)
    assert (job.state, job.done) == (common_pb2.JOB_STATE_DONE, job.total), job.label
    new_class = next(each for each in found.classes if each.name == "4年1組")
    listed = await school.roster(new_class.id, on="2026-11-21")
    assert [entry.pupil.number for entry in listed.entries] == list(range(1, new_class.size + 1))
    assert {entry.pupil.school_grade for entry in listed.entries} == {"P4"}
    told_classes = {event.roster.version: event.roster for event in await told(school, events_pb2.ClassRosterChanged)
                    if getattr(event.roster, "class").id == new_class.id}  # fmt: skip
    assert [len(each.members) for each in told_classes.values()] == [new_class.size]
    gone = [event.enrolment for event in await told(school, events_pb2.EnrolmentChanged)]
    assert [(each.left_by, each.period.ends_on) for each in gone] == [("graduated", "2026-03-19")] * 2
    last = {pupil: ends for room, pupil, _, _, ends in (await school.register())["members"]}
    assert str(last[school.person("six1")]) == "2026-03-19"
    came = (await told(school, events_pb2.EnrolmentsBegan))[-1]
    assert (came.starts_on, len(came.pupil_ids)) == ("2026-04-01", 2)
    ledger = (await school.register())["ledger"]
    assert ledger == [(301, school.person("six2")), (302, school.person("six1"))]
    assert (await school.publish(plan)).id == job.id

    undone = await school.head.UndoRollover(pb.RolloverRequest(rollover_id=plan.id))
    assert undone.state == pb.ROLLOVER_STATE_UNDONE
    assert await school.register() == before
    last = [event.roster for event in await told(school, events_pb2.ClassRosterChanged)
            if getattr(event.roster, "class").id == new_class.id][-1]  # fmt: skip
    assert (len(last.members), last.version) == (0, 2)
    again = await school.publish(plan)
    assert (again.state, again.id == job.id) == (common_pb2.JOB_STATE_DONE, False), again.label
    assert (await school.register())["ledger"] == ledger
    asked = common_pb2.ReadAuditRequest(school_id=school.elementary, kind="change", limit=200)
    noted = [entry.action for entry in (await school.principal.ReadAudit(asked)).entries]
    published = ["rollover.published", "rollover.publication_started"]
    assert [one for one in noted if one in published or one == "rollover.undone"] == [
        *published, "rollover.undone", *published,
    ]  # fmt: skip
    assert noted[-1] == "rollover.created"


async def test_an_incomplete_plan_is_refused_and_a_child_that_came_meanwhile_is_asked_for(school: School):
    plan = await school.ready()
    school.a_pupil("pupil9", ("転入", "子"), ("テンニュウ", "コ"), school.elementary, "P3", school.class_31, 9)
    school.rows["member-pupil9"].member.period.CopyFrom(PAST)
    await school.take_in()
    with pytest.raises(Refused, match=r"名簿に増えた.*転入"):
        await school.head.PublishRollover(pb.RolloverRequest(rollover_id=plan.id))
    reply = await school.planner.RefreshRollover(pb.RolloverRequest(rollover_id=plan.id))
    assert (reply.came, reply.went) == (1, 0)
    with pytest.raises(Refused, match="学級の決まっていない"):
        await school.head.PublishRollover(pb.RolloverRequest(rollover_id=plan.id))
    assert (await school.look(plan)).rollover.state == pb.ROLLOVER_STATE_PLANNING


async def test_no_undo_once_a_roll_was_taken_or_the_register_was_changed(school: School):
    plan = await school.ready()
    await school.publish(plan)
    room = next(each for each in (await school.look(plan)).classes if each.name == "4年2組")
    await school.principal.AssignHomeroomTeacher(
        roster_pb2.AssignHomeroomTeacherRequest(
            class_id=room.id, staff_id=school.people["office"], starts_on="2026-09-01", version=1
        )
    )
    with pytest.raises(Conflict, match="4年2組"):
        await school.head.UndoRollover(pb.RolloverRequest(rollover_id=plan.id))
    async with school.running.database.transaction(school.tenant) as tx:
        await on_day_taken(tx, attendance_events.DayTaken(class_id=room.id, on="2026-04-08"))
    with pytest.raises(Conflict, match="2026年4月8日の出欠"):
        await school.head.UndoRollover(pb.RolloverRequest(rollover_id=plan.id))
    assert (await school.look(plan)).rollover.attendance_on == "2026-04-08"


async def test_a_new_child_that_the_register_knows_keeps_its_number(school: School):
    """A 中学校 types its 新入生: who graduates from a 小学校 of the board is found by カナ and birth date."""
    async with school.running.database.transaction(school.tenant) as tx:
        await tx.execute("UPDATE persons SET birth_on = '2013-06-06' WHERE id = :id", {"id": school.person("six1")})
    head = school.who("jh_principal", "principal")
    plan = await head.OpenRollover(pb.OpenRolloverRequest(school_id=school.lower, school_year=2026))
    typed = pb.RolloverEntrant(
        family="卒業", given="一", kana_family="ソツギョウ", kana_given="ハジメ", birth_on="2013-06-06"
    )
    asked = pb.AddRolloverEntrantsRequest(rollover_id=plan.id, entrants=[typed, entrant("外", "ソト")])
    reply = await head.AddRolloverEntrants(asked)
    assert (reply.added, reply.known) == (2, 1)
    assert (await head.AddRolloverEntrants(asked)).added == 0
    found = await head.GetRollover(pb.RolloverRequest(rollover_id=plan.id))
    assert [list(gap.names) for gap in found.gaps if gap.kind == "elsewhere"] == [["卒業\u3000一"]]
    asked_board = pb.GetRolloverBoardRequest(rollover_id=plan.id, school_grade="J1")
    assert UUID(school.people["six1"]) in {UUID(each.id) for each in (await head.GetRolloverBoard(asked_board)).pupils}
