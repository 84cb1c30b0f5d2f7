"""指導要録 様式1: everything the sheet asks for (class I; each opening is noted per child)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from jpschool.school_year import first_day, last_day
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Invalid, Unseen

from roster import policy
from roster.domain.people import DatedStaff, Placement, PupilRecord, RegisterNames, RegisterSheet, YearLine
from roster.domain.period import Period
from roster.store import aggregates, pupils, records, schools
from roster.usecases.views import standing_of, whole_records

MOST_PUPILS = 200


async def register_sheets(
    tx: Transaction, actor: Actor, pupil_ids: list[UUID], class_id: UUID | None
) -> list[RegisterSheet]:
    """Sheets of pupils, or of everybody who is or was in a class, in the order asked for (class: 出席番号)."""
    on = day_in_jst(tx.now)
    standing = await standing_of(tx, actor)
    if class_id is not None:
        homeroom = await schools.get_class(tx, class_id)
        if homeroom is None:
            raise Unseen
        policy.may_see_school(actor, standing, homeroom.school_id).enforce()
        pupil_ids = await pupils.member_ids(tx, class_id)
    if len(pupil_ids) > MOST_PUPILS:
        raise Invalid(f"一度に開けるのは{MOST_PUPILS}人までです。")
    facts = await pupils.facts(tx, pupil_ids, on)
    if len(facts) != len(set(pupil_ids)):
        raise Unseen
    policy.may_read_register_sheets(actor, standing, list(facts.values())).enforce()
    hidden = not all(policy.sees_protected_address(standing, item.school_ids) for item in facts.values())
    found = {record.pupil.id: record for record in await whole_records(tx, pupil_ids, hidden=hidden)}
    for pupil_id in pupil_ids:
        tx.audit("guidance_register.read", pupil_id, subject_id=pupil_id, information_class=1)
    return await _sheets(tx, [found[pupil_id] for pupil_id in pupil_ids], hidden=hidden)


async def register_names(tx: Transaction, actor: Actor, class_id: UUID) -> RegisterNames:
    """Official names of everybody who is or was in the class, 校長 and 担任 of its year: what 出席簿 prints.

    Not of class I as the sheet is: 出席簿 is of class III (教育情報セキュリティポリシーに関するガイドライン),
    and the pupil's page shows the official name to the same people without the second factor.
    """
    homeroom = await schools.get_class(tx, class_id)
    if homeroom is None:
        raise Unseen
    standing = await standing_of(tx, actor)
    policy.may_read_register_names(actor, standing, homeroom.school_id, class_id).enforce()
    ids = await pupils.member_ids(tx, class_id)
    names = await records.dated_names(tx, ids)
    principals = (await records.principals(tx, [homeroom.school_id])).get(homeroom.school_id, [])
    teachers = (await records.homeroom_teachers(tx, [class_id])).get(class_id, [])
    return RegisterNames(
        tuple((pupil_id, tuple(names.get(pupil_id, ()))) for pupil_id in ids),
        _of_year(principals, homeroom.school_year),
        _of_year(teachers, homeroom.school_year),
    )


def _of_year(staff: list[DatedStaff], school_year: int) -> tuple[DatedStaff, ...]:
    year = Period(first_day(school_year), last_day(school_year))
    return tuple(item for item in staff if item.period.overlaps(year))


async def _sheets(tx: Transaction, found: list[PupilRecord], *, hidden: bool) -> list[RegisterSheet]:
    rooms = {place.homeroom.id for record in found for place in record.placements if place.homeroom.kind != "course"}
    school_ids = {roll.school_id for record in found for roll in record.enrolments}
    teachers = await records.homeroom_teachers(tx, rooms)
    principals = await records.principals(tx, school_ids)
    known = {school.id: school for school in await schools.schools(tx, school_ids, closed=True)}
    ids = [record.pupil.id for record in found]
    facts = await records.family_facts(tx, ids)
    earlier = await records.former_guardians(tx, ids)
    own_school_grades = await aggregates.own_school_grades(tx, list(rooms))
    sheets = []
    for record in found:
        own = facts[record.pupil.id]
        school = known.get(record.pupil.school_id) if record.pupil.school_id else None
        if school is None:
            raise Unseen("在籍の記録がありません。")
        lines = [
            _line(
                place,
                own_school_grades.get((place.homeroom.id, record.pupil.id), place.homeroom.school_grade),
                principals.get(place.homeroom.school_id, []),
                teachers.get(place.homeroom.id, []),
            )
            for place in record.placements
            if place.homeroom.kind != "course"
        ]
        before = earlier.get(record.pupil.id, [])
        if hidden and record.pupil.protected_address:
            before = [replace(guardian, phone="", address="") for guardian in before]
        sheets.append(
            RegisterSheet(
                record, school, tuple(lines), own.prior_history, own.next_school, own.next_school_address,
                tuple(before), tuple(principals.get(school.id, ())),
            )
        )  # fmt: skip
    return sheets


def _line(
    place: Placement, school_grade: str, principals: list[DatedStaff], teachers: list[DatedStaff]
) -> YearLine:
    room = place.homeroom
    return YearLine(
        room.school_year, school_grade, room.id, room.name, place.number,
        _of_year(principals, room.school_year), _of_year(teachers, room.school_year),
    )  # fmt: skip
