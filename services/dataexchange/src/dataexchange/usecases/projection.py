"""Following the register: what it told is kept at once, the OneRoster objects are made by a job right behind it.

The job exists because names are asked for at the register: an event carries ids only."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from servicekit import jobs
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Unavailable
from servicekit.jobs import JobContext

from dataexchange.domain.roster_objects import making, sources
from dataexchange.domain.roster_objects.making import Made
from dataexchange.domain.roster_objects.sources import Board, Duty, Names, School, SchoolClass, Staff
from dataexchange.store import roster_objects as store
from dataexchange.store.roster_objects import Source

JOB = "oneroster.project"
SERVICE = "rostering"
LONGEST_WAIT_S = 30.0
AT_ONCE = {"school": 500, "staff": 500, "class": 40}


class AsksNames(Protocol):
    """Where names come from."""

    async def names(self, tenant: str, ids: Sequence[str]) -> tuple[Board | None, dict[str, Names]]: ...


async def follow_school(tx: Transaction, school: School, version: int) -> None:
    if await store.keep_source(tx, "school", UUID(school.id), version, school, ()):
        await _awake(tx)


async def follow_class(tx: Transaction, one: SchoolClass, version: int) -> None:
    if await store.keep_source(tx, "class", UUID(one.id), version, one, [UUID(one.school_id)]):
        await _awake(tx)


async def follow_staff(tx: Transaction, staff: Staff, version: int) -> None:
    """The classes of former and of new duties have other enrolments now."""
    before = await store.refs_of(tx, "staff", UUID(staff.id))
    after = {UUID(duty.class_id) for duty in staff.duties if duty.class_id}
    if await store.keep_source(tx, "staff", UUID(staff.id), version, staff, after):
        await store.mark_stale(tx, "class", after | set(before))
        await _awake(tx)


async def follow_names(tx: Transaction, people: Sequence[UUID]) -> None:
    """Their objects are made anew, with the names of now."""
    await store.mark_stale(tx, "staff", people)
    await store.mark_stale(tx, "class", await store.classes_of(tx, map(str, people)))
    await _awake(tx)


async def _awake(tx: Transaction) -> None:
    """One job waits at a time; it takes whatever is stale when it starts."""
    waiting = await tx.scalar(
        "SELECT id FROM jobs WHERE tenant_id = :tenant AND kind = :kind AND state = 'waiting' LIMIT 1 FOR SHARE",
        {"tenant": tx.tenant, "kind": JOB},
    )
    if waiting is None:
        await jobs.start(tx, JOB, {})
    else:
        tx.after_commit(tx.database.wake_jobs)


async def project(job: JobContext, register: AsksNames) -> None:
    """Make the objects of everything stale, some aggregates per transaction."""
    for kind in ("school", "staff", "class"):
        after: UUID | None = None
        while True:
            async with job.reading() as tx:
                batch = await store.stale(tx, kind, after, AT_ONCE[kind])
                known = await _known_members(tx, batch)
            if not batch:
                break
            after = batch[-1].id
            board, names = await _names(register, job.tenant, sorted(known | set(_people(batch))))
            if board is None:
                return
            async with job.transaction() as tx:
                await _MAKERS[kind](tx, board, batch, names)


async def _names(
    register: AsksNames, tenant: str, people: Sequence[str]
) -> tuple[Board | None, dict[str, Names]]:  # fmt: skip
    """Waits for the register as long as it is away: nobody else would make what is stale until something changes."""
    wait_s = 1.0
    while True:
        try:
            return await register.names(tenant, people)
        except Unavailable:
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)


async def _known_members(tx: Transaction, batch: Sequence[Source]) -> set[str]:
    """Who was in these classes until now: taken out of them, they may be gone altogether."""
    classes = [one.id for one in batch if one.kind == "class"]
    return set(await store.pupils_in(tx, classes)) if classes else set()


def _people(batch: Iterable[Source]) -> Iterator[str]:
    for one in batch:
        if one.kind == "staff":
            yield str(one.id)
        elif one.kind == "class":
            yield from (member["pupil_id"] for member in one.facts["members"])


async def _make_schools(tx: Transaction, board: Board, batch: Sequence[Source], _: Mapping[str, Names]) -> None:
    made = [making.school_org(board, sources.school(one.facts)) for one in batch]
    await store.put(tx, SERVICE, [making.board_org(board), *made])
    await store.fresh(tx, batch)


async def _make_staff(tx: Transaction, board: Board, batch: Sequence[Source], names: Mapping[str, Names]) -> None:
    made, gone = [], []
    today = day_in_jst(tx.now).isoformat()
    for one in batch:
        staff = sources.staff(one.facts)
        found = making.staff_user(board, staff, names[staff.id], today) if staff.id in names else None
        if found is None:
            gone.append(staff.id)
        else:
            made.append(found)
    await store.put(tx, SERVICE, made)
    await store.retire_ids(tx, SERVICE, ("user",), gone)
    await store.fresh(tx, batch)


async def _make_classes(tx: Transaction, board: Board, batch: Sequence[Source], names: Mapping[str, Names]) -> None:
    classes = [sources.school_class(one.facts) for one in batch]
    ids = [one.id for one in batch]
    wanted = {UUID(one.school_id) for one in classes}
    schools = {str(one.id): sources.school(one.facts) for one in await store.sources(tx, "school", wanted)}
    duties: dict[str, list[Duty]] = {}
    for source in await store.sources_about(tx, "staff", ids):
        for duty in sources.staff(source.facts).duties:
            duties.setdefault(duty.class_id, []).append(duty)
    made: list[Made] = [making.board_org(board)]
    done: list[Source] = []
    for source, one in zip(batch, classes, strict=True):
        if one.school_id in schools:  # told before the class, in the order of the stream
            made += making.of_class(board, schools[one.school_id], one, duties.get(one.id, ()))
            done.append(source)
    await store.put(tx, SERVICE, made)
    await store.retire(tx, SERVICE, [one.id for one in done], [(one.kind, one.id) for one in made])
    await _make_pupils(tx, names)
    await store.fresh(tx, done)


async def _make_pupils(tx: Transaction, names: Mapping[str, Names]) -> None:
    placements: dict[str, list[making.Placement]] = {}
    for pupil_id, enrolment, refs in await store.homerooms_of(tx, names):
        placements.setdefault(pupil_id, []).append(making.placement(enrolment, refs))
    today = day_in_jst(tx.now).isoformat()
    here = {who for who, places in placements.items() if max(place.ends_before for place in places) >= today}
    await store.put(
        tx, SERVICE, [made for who in here for made in making.pupil(who, names[who], placements[who])]
    )
    await store.retire_ids(tx, SERVICE, ("user", "demographics"), [who for who in names if who not in here])


_MAKERS = {"school": _make_schools, "staff": _make_staff, "class": _make_classes}
