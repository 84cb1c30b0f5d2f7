"""年度更新の準備: open it, look at it, plan classes, 担任, numbers and 卒業, throw it away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from jpschool.school_year import last_day
from servicekit import jobs
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Refused, Unseen, Violation
from servicekit.ids import uuid7
from servicekit.jobs import JobStatus

from roster import policy
from roster.domain.people import School
from roster.domain.rollover import balance, check, numbering, plan
from roster.domain.rollover.balance import Balance
from roster.domain.rollover.check import DiffPart, Missing
from roster.domain.rollover.plan import PlannedClass, Rollover, RolloverProblem
from roster.domain.standing import REGISTRARS, Standing
from roster.store import rollover as store
from roster.store import rollover_pupils as children
from roster.store import schools, staff
from roster.usecases.views import standing_of


@dataclass(frozen=True, slots=True)
class Facts:
    """A rehearsal, its school, and what the actor is there."""

    rollover: Rollover
    school: School
    standing: Standing
    led: frozenset[str]  # 学年 of the coming year whose children the actor leads now


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page of a rehearsal shows."""

    rollover: Rollover
    classes: tuple[PlannedClass, ...]
    sizes: Mapping[UUID, Balance]
    teachers: Mapping[UUID, str]
    gaps: tuple[Missing, ...]
    counts: Mapping[str, int]
    without_class: Mapping[str, int]
    school: School
    job: JobStatus | None
    own_school_grades: tuple[str, ...]
    school_grades: tuple[str, ...]
    whole_school: bool
    may_publish: bool


def invalid(field: str, problem: RolloverProblem) -> Invalid:
    """The rule's own words at its field."""
    return Invalid(str(problem), [Violation(field, str(problem))])


async def facts_of(tx: Transaction, actor: Actor, rollover_id: UUID, *, lock: bool = False) -> Facts:
    """The rehearsal for somebody who serves its school. Raises: Unseen."""
    found = await store.get(tx, rollover_id, lock=lock)
    if found is None:
        raise Unseen("この年度更新の準備は見つかりません。取りやめられたかもしれません。")
    found = await _as_it_is(tx, found)
    standing = await standing_of(tx, actor)
    policy.may_see_school(actor, standing, found.school_id).enforce()
    school = (await schools.schools(tx, [found.school_id]))[0]
    led = await store.led_school_grades(tx, actor.person_id, found.school_id, day_in_jst(tx.now))
    coming = plan.coming(school.kind)
    return Facts(found, school, standing, frozenset(coming[one].school_grade for one in led if one in coming))


async def _as_it_is(tx: Transaction, found: Rollover) -> Rollover:
    """A publication that failed or was cancelled left the register as it was: the plan may be mended."""
    if found.state == plan.PUBLISHING and found.job_id is not None:
        job = await jobs.get(tx, found.job_id)
        if job.state in ("failed", "cancelled"):
            return replace(found, state=plan.PLANNING)
    return found


async def change_of(tx: Transaction, actor: Actor, rollover_id: UUID) -> tuple[Facts, int]:
    """The same for somebody who plans the whole school, locked, with the revision of the change."""
    facts = await facts_of(tx, actor, rollover_id, lock=True)
    policy.may_plan_year(actor, facts.standing, facts.rollover.school_id).enforce()
    editable(facts.rollover)
    return facts, await store.next_revision(tx, rollover_id)


def editable(rollover: Rollover) -> None:
    """Raises: Conflict once it is published."""
    if not rollover.editable:
        raise Conflict(
            "この年度更新は公開されています。直すときは、公開を取り消すか、名簿の画面で一人ずつ直してください。",
            {"state": rollover.state}, reason="PUBLISHED",
        )  # fmt: skip


async def list_rollovers(tx: Transaction, actor: Actor, school_id: UUID) -> tuple[list[Rollover], int]:
    """Rehearsals of a school, newest first, and the year one may be opened for (0: the register has no classes)."""
    policy.may_see_school(actor, await standing_of(tx, actor), school_id).enforce()
    newest = await store.newest_year(tx, school_id)
    found = [await _as_it_is(tx, each) for each in await store.of_school(tx, school_id)]
    return found, newest + 1 if newest else 0


async def open_rollover(tx: Transaction, actor: Actor, school_id: UUID, school_year: int) -> Rollover:
    """Begin to plan the year after the register's newest; twice is once."""
    policy.may_plan_year(actor, await standing_of(tx, actor), school_id).enforce()
    known = next((each for each in await store.of_school(tx, school_id) if each.school_year == school_year), None)
    if known is not None:
        return known
    newest = await store.newest_year(tx, school_id)
    if newest is None or school_year != newest + 1:
        raise Refused(
            "準備できるのは、名簿にあるいちばん新しい年度の次の年度だけです。"
            + (f"この学校では{newest + 1}年度です。" if newest else "先に名簿を取り込んでください。"),
            reason="NOT_COMING_YEAR",
        )
    school = (await schools.schools(tx, [school_id]))[0]
    made = Rollover(
        uuid7(), school_id, school_year, plan.PLANNING, 1, "mixed", await store.next_certificate(tx, school_id),
        "class", last_day(newest), tx.now, actor.person_id,
    )  # fmt: skip
    if not await store.insert(tx, made):
        return next(each for each in await store.of_school(tx, school_id) if each.school_year == school_year)
    now = await store.classes_of_year(tx, school_id, newest)
    planned = _coming_classes(now, school.kind)
    await store.put_classes(tx, made.id, planned)
    coming = plan.coming(school.kind)
    await children.refresh(tx, made, coming, 1)
    await children.carry(tx, made.id, _only_way(now, planned, coming), 1)
    await store.pair_twins(tx, made.id)
    tx.audit("rollover.created", made.id, after={"school_year": school_year}, subject_id=school_id)
    return made


def _coming_classes(now: Sequence[PlannedClass], school_kind: str) -> list[PlannedClass]:
    """As many classes as the children have now, one 学年 up; the first 学年 and 特別支援学級 as many as there are."""
    own = [each.value for each in plan.school_grades(school_kind)]
    planned = []
    for then in own:
        source = own[max(own.index(then) - 1, 0)]
        of_source = [each for each in now if each.kind == plan.HOMEROOM and each.school_grade == source]
        planned += [
            PlannedClass(uuid7(), then, plan.class_name(each.name, source, then), plan.HOMEROOM, position)
            for position, each in enumerate(of_source)
        ]
    special = [each for each in now if each.kind == plan.SPECIAL_NEEDS]
    planned += [
        PlannedClass(uuid7(), "", each.name, plan.SPECIAL_NEEDS, position) for position, each in enumerate(special)
    ]
    return planned


def _only_way(
    now: Sequence[PlannedClass], planned: Sequence[PlannedClass], coming: Mapping[str, plan.Coming]
) -> dict[UUID, UUID]:
    """This year's class → the coming one where there is nothing to choose: one class, and 特別支援学級."""
    into = {}
    for each in now:
        if each.kind == plan.SPECIAL_NEEDS:
            same = [one for one in planned if one.kind == plan.SPECIAL_NEEDS and one.name == each.name]
        else:
            then = coming.get(each.school_grade)
            same = [
                one for one in planned if then and one.kind == plan.HOMEROOM and one.school_grade == then.school_grade
            ]
        if len(same) == 1:
            into[each.id] = same[0].id
    return into


async def discard(tx: Transaction, actor: Actor, rollover_id: UUID) -> None:
    """Throw a rehearsal away: nothing of it is in the register."""
    facts, _ = await change_of(tx, actor, rollover_id)
    await store.discard(tx, rollover_id)
    found = facts.rollover
    tx.audit("rollover.discarded", rollover_id, before={"school_year": found.school_year}, subject_id=found.school_id)


async def look(tx: Transaction, actor: Actor, rollover_id: UUID) -> Overview:
    """Classes, sums, and what is missing."""
    facts = await facts_of(tx, actor, rollover_id)
    found = facts.rollover
    now = await children.whole(tx, found)
    classes, pupils = now.classes, now.pupils
    gaps = check.missing(classes, pupils, now.pairs, now.around) if found.editable else []
    teachers = await store.staff_names(tx, {each.homeroom_staff_id for each in classes if each.homeroom_staff_id})
    whole = facts.standing.holds(found.school_id, REGISTRARS)
    order = tuple(each.value for each in plan.school_grades(facts.school.kind))
    return Overview(
        found, tuple(classes), balance.balance(pupils), teachers, tuple(gaps),
        Counter(each.outcome for each in pupils),
        Counter(each.school_grade for each in pupils if each.outcome in plan.IN_CLASS and each.class_id is None),
        facts.school, await jobs.get(tx, found.job_id) if found.job_id else None,
        tuple(each for each in order if whole or each in facts.led), order, whole,
        policy.may_publish_year(actor, facts.standing, found.school_id).allowed,
    )  # fmt: skip


async def look_at_diff(tx: Transaction, actor: Actor, rollover_id: UUID) -> tuple[Rollover, tuple[DiffPart, ...]]:
    """Everything that publishing does, with names."""
    facts = await facts_of(tx, actor, rollover_id)
    policy.may_plan_year(actor, facts.standing, facts.rollover.school_id).enforce()
    classes = await store.classes(tx, rollover_id)
    teachers = await store.staff_names(tx, {each.homeroom_staff_id for each in classes if each.homeroom_staff_id})
    return facts.rollover, check.diff(classes, await children.everybody(tx, rollover_id), teachers)


async def refresh(tx: Transaction, actor: Actor, rollover_id: UUID) -> tuple[int, int]:
    """名簿に合わせる: children who came and went since."""
    facts, revision = await change_of(tx, actor, rollover_id)
    came, went = await children.refresh(tx, facts.rollover, plan.coming(facts.school.kind), revision)
    await store.pair_twins(tx, rollover_id)
    tx.audit("rollover.refreshed", rollover_id, after={"came": came, "went": went}, subject_id=facts.rollover.school_id)
    return came, went


async def set_classes(
    tx: Transaction, actor: Actor, rollover_id: UUID, school_grade: str, names: Sequence[str]
) -> Rollover:
    """Classes of a 学年 (or 特別支援学級) in order. A kept name keeps its children, else the place in the row does."""
    facts, revision = await change_of(tx, actor, rollover_id)
    if school_grade and school_grade not in {each.value for each in plan.school_grades(facts.school.kind)}:
        raise Unseen("この学校にない学年です。")
    if len(names) > plan.MOST_CLASSES:
        raise invalid("names", RolloverProblem(f"一つの学年の学級は{plan.MOST_CLASSES}までです。"))
    known = await store.classes(tx, rollover_id)
    of_school_grade = [each for each in known if each.school_grade == school_grade]
    planned = _named(of_school_grade, [name.strip() for name in names], school_grade)
    kept = {each.id for each in planned}
    try:
        plan.check_classes([*planned, *(each for each in known if each.school_grade != school_grade)])
    except RolloverProblem as problem:
        raise invalid("names", problem) from problem
    gone = [each.id for each in of_school_grade if each.id not in kept]
    freed = await store.remove_classes(tx, rollover_id, gone, revision)
    await store.put_classes(tx, rollover_id, planned)
    tx.audit(
        "rollover_classes.set", rollover_id, subject_id=facts.rollover.school_id,
        before={"names": [each.name for each in of_school_grade]},
        after={"names": [each.name for each in planned], "freed": freed},
    )  # fmt: skip
    return replace(facts.rollover, revision=revision)


def _named(known: Sequence[PlannedClass], names: Sequence[str], school_grade: str) -> list[PlannedClass]:
    kind = plan.HOMEROOM if school_grade else plan.SPECIAL_NEEDS
    by_name = {each.name: each for each in known}
    free = [each for each in known if each.name not in names]
    planned = []
    for position, name in enumerate(names):
        same = by_name.pop(name, None) or (free.pop(0) if free else None)
        planned.append(
            replace(same, name=name, position=position)
            if same
            else PlannedClass(uuid7(), school_grade, name, kind, position)
        )
    return planned


async def set_teacher(
    tx: Transaction, actor: Actor, rollover_id: UUID, class_id: UUID, staff_id: UUID | None, version: int
) -> Rollover:
    """担任 of the coming year."""
    facts, revision = await change_of(tx, actor, rollover_id)
    on = day_in_jst(tx.now)
    if staff_id is not None and not await staff.serves(tx, staff_id, facts.rollover.school_id, on):
        begins = store.year_days(facts.rollover)["begins"]
        if not await staff.serves(tx, staff_id, facts.rollover.school_id, begins):
            problem = RolloverProblem("この学校に勤めている教職員を選んでください。")
            raise invalid("staff_id", problem)
    before = next((each for each in await store.classes(tx, rollover_id) if each.id == class_id), None)
    if before is None:
        raise Unseen("この学級は準備にありません。")
    if not await store.set_teacher(tx, rollover_id, class_id, staff_id, version):
        raise Conflict(
            f"{before.name}は、ほかの人が変更しました。いまの担任を確かめて、もう一度選んでください。",
            {"version": str(before.version)}, reason="CHANGED_MEANWHILE",
        )  # fmt: skip
    tx.audit(
        "rollover_teacher.set", rollover_id, subject_id=facts.rollover.school_id,
        before={"class_id": class_id, "staff_id": before.homeroom_staff_id},
        after={"class_id": class_id, "staff_id": staff_id},
    )  # fmt: skip
    return replace(facts.rollover, revision=revision)


async def number(tx: Transaction, actor: Actor, rollover_id: UUID, order: str) -> Rollover:
    """出席番号 for every class, anew."""
    facts, revision = await change_of(tx, actor, rollover_id)
    try:
        numbers = numbering.class_numbers(await children.everybody(tx, rollover_id), order)
    except RolloverProblem as problem:
        raise invalid("order", problem) from problem
    await children.set_numbers(tx, rollover_id, "number", numbers, revision)
    await store.set_number_order(tx, rollover_id, order)
    done = {"order": order, "pupils": len(numbers)}
    tx.audit("rollover_numbers.set", rollover_id, after=done, subject_id=facts.rollover.school_id)
    return replace(facts.rollover, revision=revision, number_order=order)


async def set_graduation(
    tx: Transaction, actor: Actor, rollover_id: UUID, begins: int, order: str, on: date
) -> Rollover:
    """証書番号 of the graduates, and the day of 卒業."""
    facts, revision = await change_of(tx, actor, rollover_id)
    year_end = last_day(facts.rollover.from_year)
    if not (date(year_end.year, 1, 1) <= on <= year_end):
        raise invalid(
            "graduated_on", RolloverProblem(f"卒業の日は、{year_end.year}年1月1日から3月31日までの日にしてください。")
        )
    try:
        numbers = numbering.certificate_numbers(await children.everybody(tx, rollover_id), begins, order)
    except RolloverProblem as problem:
        raise invalid("certificate_from", problem) from problem
    await children.set_numbers(tx, rollover_id, "certificate", numbers, revision)
    await store.set_graduation(tx, rollover_id, begins, order, on)
    tx.audit(
        "rollover_graduation.set", rollover_id, subject_id=facts.rollover.school_id,
        after={"certificate_from": begins, "order": order, "graduated_on": on, "pupils": len(numbers)},
    )  # fmt: skip
    return replace(facts.rollover, revision=revision, certificate_from=begins, certificate_order=order, graduated_on=on)
