"""The register is followed: newer facts replace older ones, and a rebuild makes it what roster says."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from komu.roster.v1 import roster_pb2
from learning.consumers import on_class_roster_changed, on_staff_duties_changed
from learning.domain.register import Post
from learning.store import register
from learning.usecases.register import Snapshot, read_register, replace_register

from .conftest import School

DAY = date(2026, 11, 20)


async def test_who_sits_where_and_who_stands_where(school: School):
    async with school.running.database.reading(school.tenant) as tx:
        members = await register.members(tx, school.homeroom_id, DAY)
        assert [(one.pupil_id, one.number, one.school_grade) for one in members] == [
            (pupil, number, "P3") for number, pupil in enumerate(school.pupils, 1)
        ]
        places = await register.places(tx, [school.pupils[1], uuid4()], DAY)
        assert [(one.school_class.name, one.number) for one in places[school.pupils[1]]] == [("3年1組", 2)]
        assert len(places) == 1
        standing = await register.standing(tx, school.principal_id, DAY)
        assert standing.posts == {(school.id, Post.PRINCIPAL)}
        assert await register.standing(tx, school.principal_id, date(2026, 3, 31)) == register.Standing()


async def test_an_older_class_does_not_replace_a_newer_one(school: School):
    newer = school.class_event(school.homeroom_id, "3年1組", school.pupils[:1], version=3)
    late = school.class_event(school.homeroom_id, "3年A組", school.pupils, version=2)
    async with school.running.database.transaction(school.tenant) as tx:
        await on_class_roster_changed(tx, newer)
        await on_class_roster_changed(tx, late)
        assert len(await register.members(tx, school.homeroom_id, DAY)) == 1


async def test_a_rebuild_drops_what_roster_no_longer_has_and_keeps_what_came_meanwhile(school: School):
    async with school.running.database.transaction(school.tenant) as tx:
        before = await read_register(tx)
        await on_class_roster_changed(
            tx, school.class_event(school.homeroom_id, "3年1組", school.pupils[:2], version=9)
        )
        await on_staff_duties_changed(tx, school.staff_event(uuid4(), roster_pb2.POST_NURSE))
        await replace_register(tx, before, Snapshot([], [], []))
        assert [one.name for one in await register.classes_of_school(tx, school.id, 2026)] == ["3年1組"]
        assert len(await register.members(tx, school.homeroom_id, DAY)) == 2
        assert await register.members(tx, school.other_class_id, DAY) == []
        assert await register.standing(tx, school.teacher_id, DAY) == register.Standing()
        assert len((await read_register(tx)).staff) == 1
