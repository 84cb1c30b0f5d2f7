"""年度更新 becomes real: as one job, all or nothing; and taken back as long as nobody lived it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from servicekit import jobs
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Refused
from servicekit.jobs import JobStatus

from roster import policy
from roster.domain.rollover import check, plan
from roster.domain.rollover.plan import Published, Rollover, RolloverProblem
from roster.store import rollover as store
from roster.store import rollover_publish as statements
from roster.store import rollover_pupils as children
from roster.usecases import telling
from roster.usecases.rollovers import facts_of

JOB_KIND = "roster.rollover"
STEPS = ("確かめ", "前の年度", "学級", "進級・卒業", "新入学", "在籍と担任", "通知")


async def start(tx: Transaction, actor: Actor, rollover_id: UUID) -> JobStatus:
    """Begin to publish; asking twice gives the same job."""
    facts = await facts_of(tx, actor, rollover_id, lock=True)
    policy.may_publish_year(actor, facts.standing, facts.rollover.school_id).enforce()
    found = facts.rollover
    if not found.editable and found.job_id is not None:
        return await jobs.get(tx, found.job_id)
    await _ready(tx, found)
    job_id = await jobs.start(tx, JOB_KIND, {"rollover_id": str(rollover_id)})
    await store.set_state(tx, rollover_id, plan.PUBLISHING, job_id=job_id)
    tx.audit("rollover.publication_started", rollover_id, after={"job_id": job_id}, subject_id=found.school_id)
    return await jobs.get(tx, job_id)


async def _ready(tx: Transaction, found: Rollover) -> None:
    """Raises: Refused with the first thing that is missing."""
    try:
        plan.may_publish_on(found, day_in_jst(tx.now))
    except RolloverProblem as problem:
        raise Refused(str(problem), reason="YEAR_NOT_BEGUN") from problem
    if not _stopping(await children.unnamed(tx, found)):
        return
    first = _stopping(await children.whole(tx, found))[0]
    who = "、".join(first.names[:3]) + ("ほか" if len(first.names) > 3 else "")
    raise Refused(f"まだ公開できません。{first.sentence}（{who}）", reason="INCOMPLETE")


def _stopping(now: children.Whole) -> list[check.Missing]:
    return [gap for gap in check.missing(now.classes, now.pupils, now.pairs, now.around) if gap.blocking]


async def publish(
    tx: Transaction, rollover_id: UUID, by: UUID | None, step: Callable[[int, int, str], Awaitable[None]]
) -> None:
    """All of it, in the transaction of the job; `step` may raise to stop, and then nothing has happened."""
    found = await store.get(tx, rollover_id, lock=True)
    if found is None or found.state != plan.PUBLISHING:
        return  # published before the process died, or thrown away
    await step(0, len(STEPS), f"{STEPS[0]}をしています")
    await _ready(tx, found)
    p = statements.parameters(tx, found, by)
    published = Published(set(), set(), set())
    for number, (name, act) in enumerate(
        zip(
            STEPS[1:-1],
            (
                statements.end_the_old_year, statements.make_classes, statements.end_rolls, statements.admit,
                statements.fill_classes,
            ),
            strict=True,
        ),
        1,
    ):  # fmt: skip
        await step(number, len(STEPS), f"{name}を書いています")
        await act(tx, p, published)
    await step(len(STEPS) - 1, len(STEPS), "ほかの画面に知らせています")
    await _tell(tx, rollover_id, published)
    await store.set_state(tx, rollover_id, plan.PUBLISHED, by=by)
    tx.audit(
        "rollover.published", rollover_id, subject_id=found.school_id,
        after={
            "school_year": found.school_year, "classes": len(published.classes), "staff": len(published.staff),
            "graduates": len(published.enrolments), "entrants": sum(len(one.pupil_ids) for one in published.begun),
        },
    )  # fmt: skip


async def _tell(tx: Transaction, rollover_id: UUID, published: Published) -> None:
    await telling.class_rosters_changed(tx, published.classes)
    await telling.staff_duties_changed(tx, published.staff)
    await telling.enrolments_changed(tx, published.enrolments)
    telling.enrolments_began(tx, rollover_id, published.begun)


async def undo(tx: Transaction, actor: Actor, rollover_id: UUID) -> Rollover:
    """The register as it was before, in one transaction; the plan is there to be mended."""
    facts = await facts_of(tx, actor, rollover_id, lock=True)
    found = facts.rollover
    policy.may_publish_year(actor, facts.standing, found.school_id).enforce()
    try:
        plan.may_undo(found)
    except RolloverProblem as problem:
        raise Conflict(str(problem), reason="NOT_UNDOABLE") from problem
    p = statements.parameters(tx, found, actor.person_id)
    touched = await statements.touched_since(tx, p)
    if touched:
        raise Conflict(
            "公開のあとに名簿で変更されたため、まとめて取り消せません（"
            + "、".join(touched[:3])
            + ("ほか" if len(touched) > 3 else "")
            + "）。直すところは、名簿の画面で一人ずつ直してください。",
            reason="CHANGED_MEANWHILE",
        )
    back = await statements.take_back(tx, p, day_in_jst(tx.now))
    await store.set_state(tx, rollover_id, plan.UNDONE, by=actor.person_id)
    await _tell(tx, rollover_id, back)
    done = {"classes": len(back.classes), "graduates": len(back.enrolments)}
    tx.audit("rollover.undone", rollover_id, after=done, subject_id=found.school_id)
    again = await store.get(tx, rollover_id)
    return again or found


async def note_attendance(tx: Transaction, class_id: UUID, on: date) -> None:
    """A roll was taken in a class of the new year."""
    await store.note_attendance(tx, class_id, on)
