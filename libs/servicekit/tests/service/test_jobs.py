"""Jobs: progress, cancel, another try."""

import asyncio

import pytest
from servicekit import jobs
from servicekit.errors import Refused, Unseen
from servicekit.ids import uuid7

from libs.servicekit.tests.sample import count


@pytest.fixture
async def runner(database):
    made = []

    def start(*kinds):
        runner = jobs.JobRunner(database, kinds)
        made.append((runner, asyncio.create_task(runner.run())))
        return runner

    yield start
    for runner, task in made:
        await runner.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ended(database, tenant, job_id):
    async with asyncio.timeout(15):
        while True:
            async with database.reading(tenant) as tx:
                status = await jobs.get(tx, job_id)
            if status.state in ("done", "failed", "cancelled"):
                return status
            await asyncio.sleep(0.01)


async def test_a_job_runs_after_the_commit_and_shows_how_far_it_is(database, tenant, actor, runner):
    runner(count)
    async with database.transaction(tenant, actor) as tx:
        job_id = await jobs.start(tx, "sample.count", {"steps": 3})
    status = await ended(database, tenant, job_id)
    assert (status.state, status.done, status.total, status.label, status.result_id) == (
        "done", 3, 3, "3件目", "counted",
    )
    message = jobs.to_proto(status)
    assert message.finished_at.seconds
    assert message.state == 3


async def test_the_job_acts_for_whoever_started_it(database, tenant, actor, runner):
    seen = []

    @jobs.job("sample.who")
    async def who(job):
        async with job.transaction() as tx:
            seen.append((tx.tenant, tx.actor.person_id, tx.actor.roles))

    runner(who)
    async with database.transaction(tenant, actor) as tx:
        job_id = await jobs.start(tx, "sample.who", None)
    await ended(database, tenant, job_id)
    assert seen == [(tenant, actor.person_id, actor.roles)]


async def test_a_job_can_be_cancelled_waiting_and_running(database, tenant, runner):
    running = asyncio.Event()

    @jobs.job("sample.long")
    async def long(job):
        running.set()
        while True:
            job.check_cancelled()
            await asyncio.sleep(0.01)

    async with database.transaction(tenant) as tx:
        waiting = await jobs.start(tx, "sample.nobody-runs-this", {})
    async with database.transaction(tenant) as tx:
        assert (await jobs.cancel(tx, waiting)).state == "cancelled"
    runner(long)
    async with database.transaction(tenant) as tx:
        job_id = await jobs.start(tx, "sample.long", {})
    await running.wait()
    async with database.transaction(tenant) as tx:
        assert (await jobs.cancel(tx, job_id)).cancel_requested
    assert (await ended(database, tenant, job_id)).state == "cancelled"


async def test_a_job_of_a_dead_process_is_taken_up_where_it_was(database, tenant, runner):
    tried, begun = [], asyncio.Event()

    @jobs.job("sample.resume")
    async def resume(job):
        tried.append((job.attempt, job.checkpoint))
        if job.attempt == 1:
            async with job.transaction() as tx:
                await job.save_checkpoint(tx, {"row": 7})
            begun.set()
            await asyncio.Event().wait()
        return "resumed"

    first = jobs.JobRunner(database, [resume])
    async with database.transaction(tenant) as tx:
        job_id = await jobs.start(tx, "sample.resume", {})
    assert await first._take()
    async with asyncio.timeout(10):
        await begun.wait()
        while True:
            async with database.reading(tenant) as tx:
                if await tx.scalar("SELECT checkpoint FROM jobs WHERE id = :id", {"id": job_id}):
                    break
    for task in tuple(first._running):  # as if killed: nothing is written back, the lease runs out
        first._owner = uuid7()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with database.transaction(tenant) as tx:
        await tx.execute("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = :id", {"id": job_id})
    runner(resume)
    assert (await ended(database, tenant, job_id)).result_id == "resumed"
    assert tried == [(1, None), (2, {"row": 7})]


async def test_a_failed_job_says_why(database, tenant, runner):
    @jobs.job("sample.refused")
    async def refused(job):
        raise Refused("閉じた学期は変えられません。")

    @jobs.job("sample.broken")
    async def broken(job):
        raise RuntimeError("山田")

    runner(refused, broken)
    async with database.transaction(tenant) as tx:
        first = await jobs.start(tx, "sample.refused", {})
        second = await jobs.start(tx, "sample.broken", {})
    assert (await ended(database, tenant, first)).label == "閉じた学期は変えられません。"
    status = await ended(database, tenant, second)
    assert status.state == "failed"
    assert "山田" not in status.label


async def test_starting_twice_with_one_key_is_starting_once(database, tenant):
    key = uuid7()
    for _ in range(2):
        async with database.transaction(tenant) as tx:
            assert await jobs.start(tx, "sample.nobody-runs-this", {}, job_id=key) == key
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT count(*) FROM jobs") == 1
    async with database.reading("other") as tx:
        with pytest.raises(Unseen):
            await jobs.get(tx, key)
