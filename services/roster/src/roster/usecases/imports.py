"""取込: stage a roster file, look at what it would change, apply all of it or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from servicekit import jobs
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Refused, Unseen

from roster import policy
from roster.domain import roster_change as change_rules
from roster.domain.roster_change import EntityChange, Example, FieldChange
from roster.store import unlisted
from roster.store.imports import apply, compare, enrol, staging
from roster.store.imports.staging import Import
from roster.usecases import telling

JOB_KIND = "roster.import"
STEPS = ("学校", "学級", "人", "在籍", "配置", "担当", "学籍", "学籍補足", "通知")


@dataclass(frozen=True, slots=True)
class Header:
    """First message of a staging stream."""

    import_id: UUID
    source: str
    bulk: bool
    supplement: bool
    school_year: int


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What an import would change, and how far it is."""

    staged: Import
    entities: tuple[EntityChange, ...]
    problems: tuple[str, ...]

    @property
    def needs_shrink_confirmation(self) -> bool:
        """More than a fifth of something would vanish."""
        return change_rules.needs_shrink_confirmation(self.entities)


async def stage(
    tx: Transaction, actor: Actor, header: Header,
    batches: AsyncIterator[Mapping[str, staging.Columns]],
) -> int:  # fmt: skip
    """Take in the rows of a checked file. Staging the same import again replaces what was staged."""
    policy.may_import(actor).enforce()
    known = await staging.get(tx, header.import_id, lock=True)
    if known is not None and known.state in (change_rules.APPLYING, change_rules.APPLIED):
        raise Conflict("この取込はすでに実行されています。", {"state": known.state}, reason="ALREADY_APPLIED")
    await staging.begin(
        tx, header.import_id, source=header.source, bulk=header.bulk, supplement=header.supplement,
        school_year=header.school_year, by=actor.person_id,
    )  # fmt: skip
    count = 0
    async for batch in batches:
        count += await staging.put(tx, batch)
    await staging.staged(tx, header.import_id, count)
    tx.audit("roster_import.staged", header.import_id, after={"source": header.source, "rows": count})
    return count


async def look(tx: Transaction, actor: Actor, import_id: UUID) -> RosterChange:
    """What the file would change: compared once, kept until the register moves on by another import."""
    policy.may_import(actor).enforce()
    staged = await _found(tx, import_id)
    if await _settled(tx, staged):  # an apply holds the lock to its end: who only looks does not wait for it
        return _kept(staged)
    staged = await _found(tx, import_id, lock=True)
    if staged.change is None and staged.state == change_rules.STAGED:
        await _compare(tx, staged)
        staged = await _found(tx, import_id)
    return await _with_job(tx, _kept(staged))


async def _found(tx: Transaction, import_id: UUID, *, lock: bool = False) -> Import:
    staged = await staging.get(tx, import_id, lock=lock)
    if staged is None:
        raise Unseen("この取込は見つかりません。もう一度ファイルを選んでください。")
    return staged


async def _settled(tx: Transaction, staged: Import) -> bool:
    """Whether looking has nothing to write."""
    if staged.state == change_rules.APPLYING and staged.job_id is not None:
        job = await jobs.get(tx, staged.job_id)
        return job.state not in (change_rules.FAILED, change_rules.CANCELLED)
    return staged.change is not None or staged.state != change_rules.STAGED


async def _with_job(tx: Transaction, change: RosterChange) -> RosterChange:
    """A job that failed or was cancelled leaves the import where it can be applied again."""
    if change.staged.state != change_rules.APPLYING or change.staged.job_id is None:
        return change
    job = await jobs.get(tx, change.staged.job_id)
    if job.state in (change_rules.FAILED, change_rules.CANCELLED):
        await staging.set_state(tx, change.staged.id, job.state)
        return replace(change, staged=replace(change.staged, state=job.state))
    return change


async def _compare(tx: Transaction, staged: Import) -> None:
    parameters = {"id": staged.id, "year": staged.school_year, "on": day_in_jst(tx.now)}
    bulk = staged.bulk and not staged.supplement
    entities = (
        await compare.compare_supplement(tx, parameters)
        if staged.supplement
        else await compare.compare(tx, parameters, bulk=bulk)
    )
    problems = await compare.problems(tx, parameters)
    await staging.keep_change(
        tx, staged.id, {"entities": [asdict(entity) for entity in entities], "problems": problems}
    )


def _kept(staged: Import) -> RosterChange:
    kept = staged.change or {"entities": [], "problems": []}
    entities = tuple(
        EntityChange(
            entity["entity"], entity["existing"], entity["added"], entity["changed"], entity["gone"],
            tuple(
                Example(item["kind"], item["label"], tuple(FieldChange(**field) for field in item["fields"]))
                for item in entity["examples"]
            ),
        )
        for entity in kept["entities"]
    )  # fmt: skip
    return RosterChange(staged, entities, tuple(kept["problems"]))


async def start(tx: Transaction, actor: Actor, import_id: UUID, confirm_shrink: bool) -> UUID:
    """Begin the apply as a job; asking twice gives the same job."""
    policy.may_import(actor).enforce()
    staged = await _found(tx, import_id, lock=True)
    change = await _with_job(tx, _kept(staged))
    if change.staged.state in (change_rules.APPLYING, change_rules.APPLIED) and staged.job_id is not None:
        return staged.job_id
    if change.staged.change is None:
        await _compare(tx, staged)
        change = _kept(await _found(tx, import_id))
    stopping = [problem for problem in change.problems if compare.blocking(problem)]
    if stopping:
        raise Refused("名簿に問題があるため取り込めません。" + stopping[0], reason="IMPORT_PROBLEMS")
    if change.needs_shrink_confirmation and not confirm_shrink:
        shrinking = "、".join(_ENTITY_NAMES[entity.entity] for entity in change.entities if entity.shrinks)
        raise Refused(
            f"登録済みの{shrinking}の5分の1を超える件数が名簿からなくなります。"
            "ファイルが正しいことを確かめ、確認のうえで実行してください。",
            reason="SHRINK_NOT_CONFIRMED",
        )
    job_id = await jobs.start(tx, JOB_KIND, {"import_id": str(import_id)})
    await staging.set_state(tx, import_id, change_rules.APPLYING, job_id=job_id)
    tx.audit("roster_import.started", import_id, after={"job_id": str(job_id), "confirm_shrink": confirm_shrink})
    return job_id


_ENTITY_NAMES = {
    "schools": "学校",
    "classes": "学級",
    "people": "人",
    "members": "学級の在籍",
    "appointments": "教職員の配置",
    "duties": "担任・担当",
}


async def apply_staged(
    tx: Transaction, import_id: UUID, by: UUID | None, step: Callable[[int, int, str], Awaitable[None]]
) -> None:
    """All of it, in the transaction of the job; `step` may raise to stop, and then nothing has happened."""
    staged = await staging.get(tx, import_id, lock=True)
    if staged is None or staged.state == change_rules.APPLIED:
        return
    parameters = {
        "tenant": tx.tenant, "id": import_id, "year": staged.school_year, "on": day_in_jst(tx.now), "by": by,
        "now": tx.now, "bulk": staged.bulk and not staged.supplement,
    }  # fmt: skip
    touched = apply.Touched()
    await compare.plan_for_sets(tx)
    total = len(STEPS)
    for number, name in enumerate(STEPS):
        await step(number, total, f"{name}を取り込んでいます")
        match name:
            case "学校":
                await apply.apply_schools(tx, parameters, touched)
            case "学級":
                await apply.apply_classes(tx, parameters, touched)
            case "人":
                await apply.apply_people(tx, parameters, touched)
            case "在籍":
                await apply.apply_members(tx, parameters, touched)
            case "配置":
                await apply.apply_appointments(tx, parameters, touched)
            case "担当":
                await apply.apply_duties(tx, parameters, touched)
            case "学籍":
                await enrol.apply_enrolments(tx, parameters, touched)
                await unlisted.note(tx, import_id, day_in_jst(tx.now))
            case "学籍補足":
                await enrol.apply_supplements(tx, parameters, touched)
            case "通知":
                await enrol.bump(tx, touched)
                await telling.schools_changed(tx, touched.schools)
                await telling.class_rosters_changed(tx, touched.classes)
                await telling.staff_duties_changed(tx, touched.staff)
                await telling.enrolments_changed(tx, touched.enrolments)
                telling.enrolments_began(tx, import_id, touched.begun)
                telling.people_renamed(tx, import_id, touched.renamed)
    await step(total, total, "取り込みを確定しています")
    await staging.set_state(tx, import_id, change_rules.APPLIED)
    await staging.forget(tx, import_id)
    tx.audit(
        "roster_import.applied",
        import_id,
        after={
            "source": staged.source, "rows": staged.rows, "schools": len(touched.schools),
            "classes": len(touched.classes), "staff": len(touched.staff),
            "enrolments": len(touched.enrolments) + sum(len(one.pupil_ids) for one in touched.begun),
        },
    )  # fmt: skip
