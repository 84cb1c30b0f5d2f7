"""Looking: who am I, schools, classes, class lists, search, the pupil's own page, staff."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from jpschool.school_year import school_year_of
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Unseen

from roster import policy
from roster.domain.duty import Duty
from roster.domain.enrolment import Enrolment
from roster.domain.names import NameSets, query_key, typed_number
from roster.domain.people import (
    Appointment,
    Board,
    ClassList,
    ClassSummary,
    Pupil,
    PupilRecord,
    School,
    SchoolClass,
    StaffMember,
)
from roster.domain.standing import Standing
from roster.store import class_page, enrolments, me, pupils, records, schools, staff


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """The signed-in person as the register knows them today."""

    person_id: UUID
    names: NameSets | None
    board: Board | None
    schools: tuple[School, ...]
    appointments: tuple[Appointment, ...]
    duties: tuple[Duty, ...]
    classes: tuple[SchoolClass, ...]


async def standing_of(tx: Transaction, actor: Actor) -> Standing:
    """What the actor is today."""
    return await schools.standing(tx, actor.person_id, day_in_jst(tx.now))


async def who_am_i(tx: Transaction, actor: Actor) -> WhoAmI:
    """The person's own posts, duties and classes of today. Someone unknown to the register gets an empty answer."""
    on = day_in_jst(tx.now)
    names, board = await me.person_and_board(tx, actor.person_id)
    appointments, served = await me.posts(tx, actor.person_id, on)
    duties, classes = await me.duties(tx, actor.person_id, on)
    seen = await schools.schools(tx) if actor.holds("board_admin") else served
    return WhoAmI(actor.person_id, names, board, tuple(seen), tuple(appointments), tuple(duties), tuple(classes))


async def list_schools(tx: Transaction, actor: Actor) -> list[School]:
    """Schools the person serves today; the board's administrator sees all."""
    scope = policy.scope(actor, await standing_of(tx, actor))
    return await schools.schools(tx, None if scope.whole_board else scope.school_ids)


async def list_classes(
    tx: Transaction, actor: Actor, school_id: UUID | None, school_year: int, after: UUID | None, limit: int
) -> tuple[list[ClassSummary], bool]:
    """Classes with size and 担任, and whether there are more."""
    on = day_in_jst(tx.now)
    standing = await standing_of(tx, actor)
    if school_id is not None:
        policy.may_see_school(actor, standing, school_id).enforce()
        wanted = frozenset({school_id})
    else:
        scope = policy.scope(actor, standing)
        wanted = frozenset(school.id for school in await schools.schools(tx)) if scope.whole_board else scope.school_ids
    found = await schools.class_summaries(tx, wanted, school_year or school_year_of(on), on, after, limit + 1)
    return found[:limit], len(found) > limit


async def class_list(tx: Transaction, actor: Actor, class_id: UUID, on: date | None, whole_year: bool) -> ClassList:
    """A class with its members of a day, or of the whole year."""
    today = day_in_jst(tx.now)
    found = await class_page.class_page(tx, class_id, actor.person_id, on or today, today, whole_year=whole_year)
    if found is None:
        raise Unseen
    answer, standing = found
    policy.may_see_school(actor, standing, answer.homeroom.school_id).enforce()
    return answer


async def search_pupils(
    tx: Transaction, actor: Actor, query: str, school_id: UUID | None, include_left: bool,
    after: tuple[str, UUID] | None, limit: int,
) -> tuple[list[Pupil], bool]:  # fmt: skip
    """Pupils by any form of any name they have or had, or by 出席番号, in 五十音 order; and whether there are more."""
    standing = await standing_of(tx, actor)
    scope = policy.scope(actor, standing)
    if school_id is not None:
        policy.may_see_school(actor, standing, school_id).enforce()
    wanted = frozenset({school_id}) if school_id else (None if scope.whole_board else scope.school_ids)
    number = typed_number(query)
    found = await pupils.search(
        tx, key="" if number is not None else query_key(query), number=number, school_ids=wanted,
        include_left=include_left, after=after, on=day_in_jst(tx.now), limit=limit + 1,
    )  # fmt: skip
    return found[:limit], len(found) > limit


async def pupil_record(tx: Transaction, actor: Actor, pupil_id: UUID) -> PupilRecord:
    """Everything the pupil's own page shows; a protected address only to those who keep the register."""
    on = day_in_jst(tx.now)
    facts = (await pupils.facts(tx, [pupil_id], on)).get(pupil_id)
    if facts is None:
        raise Unseen
    standing = await standing_of(tx, actor)
    policy.may_see_pupil(actor, standing, facts.school_ids).enforce()
    hidden = facts.protected_address and not policy.sees_protected_address(standing, facts.school_ids)
    return (await whole_records(tx, [pupil_id], hidden=hidden))[0]


async def pupil_page(tx: Transaction, actor: Actor, pupil_id: UUID) -> tuple[PupilRecord, list[School]]:
    """The record, and the schools it names."""
    record = await pupil_record(tx, actor, pupil_id)
    named = {roll.school_id for roll in record.enrolments} | {place.homeroom.school_id for place in record.placements}
    return record, await schools.schools(tx, named, closed=True)


async def whole_records(tx: Transaction, ids: list[UUID], *, hidden: bool) -> list[PupilRecord]:
    """Records of pupils in class order. `hidden`: without the addresses of protected children."""
    on = day_in_jst(tx.now)
    names = await records.dated_names(tx, ids)
    addresses = await records.addresses(tx, ids)
    guardians = await records.guardians(tx, ids)
    rolls = await enrolments.of_pupils(tx, ids)
    placements = await records.placements(tx, ids)
    former = await enrolments.former(tx, ids)
    found = []
    for pupil in await pupils.by_ids(tx, ids, on, official=True):
        veiled = hidden and pupil.protected_address
        found.append(
            PupilRecord(
                pupil,
                tuple(names.get(pupil.id, ())),
                () if veiled else tuple(addresses.get(pupil.id, ())),
                tuple(
                    replace(guardian, phone="", address="") if veiled else guardian
                    for guardian in guardians.get(pupil.id, ())
                ),
                tuple(_veiled(roll) if veiled else roll for roll in rolls.get(pupil.id, ())),
                tuple(placements.get(pupil.id, ())),
                tuple(former.get(pupil.id, ())),
            )
        )
    return found


def _veiled(roll: Enrolment) -> Enrolment:
    """Where a protected child went is told to as few as possible."""
    events = tuple(replace(event, counterpart_name="", counterpart_address="", reason="") for event in roll.events)
    return replace(roll, events=events)


async def people_names(tx: Transaction, actor: Actor, ids: list[UUID]) -> list[tuple[UUID, str, NameSets]]:
    """Display names: of staff of the board, of pupils of the schools served."""
    scope = policy.scope(actor, await standing_of(tx, actor))
    return await pupils.people_names(tx, ids, None if scope.whole_board else scope.school_ids)


async def list_staff(tx: Transaction, actor: Actor, school_id: UUID) -> list[StaffMember]:
    """Everybody who works at a school today."""
    policy.may_see_school(actor, await standing_of(tx, actor), school_id).enforce()
    return await staff.of_school(tx, school_id, day_in_jst(tx.now))
