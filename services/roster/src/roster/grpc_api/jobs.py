"""Long work of roster: the apply of an import, the change of the year."""

from __future__ import annotations

from uuid import UUID

from servicekit.jobs import JobContext, job

from roster.usecases import imports, rollovers_publish


@job(imports.JOB_KIND)
async def apply_import(context: JobContext) -> str:
    """All rows in one transaction; a cancel before the commit leaves the register as it was."""
    import_id = UUID(context.args["import_id"])

    async def step(done: int, total: int, label: str) -> None:
        context.check_cancelled()
        context.progress(done, total, label)

    async with context.transaction() as tx:
        await imports.apply_staged(tx, import_id, context.actor.person_id if context.actor else None, step)
        context.check_cancelled()
    context.progress(len(imports.STEPS), len(imports.STEPS), "名簿を取り込みました")
    return str(import_id)


@job(rollovers_publish.JOB_KIND)
async def publish_rollover(context: JobContext) -> str:
    """The whole year in one transaction; a second try after a crash finds it published and does nothing."""
    rollover_id = UUID(context.args["rollover_id"])

    async def step(done: int, total: int, label: str) -> None:
        context.check_cancelled()
        context.progress(done, total, label)

    async with context.transaction() as tx:
        await rollovers_publish.publish(tx, rollover_id, context.actor.person_id if context.actor else None, step)
    total = len(rollovers_publish.STEPS)
    context.progress(total, total, "新しい年度を公開しました")
    return str(rollover_id)
