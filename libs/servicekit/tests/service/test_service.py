"""A whole service process: health, metrics, events, jobs, an orderly end."""

import httpx
import pytest
from komu.common.v1 import common_pb2
from servicekit import jobs
from servicekit.errors import Conflict, Invalid, KomuError, Refused, StepUpRequired, Unseen, Violation
from servicekit.http import problem, status_of

from libs.servicekit.tests import sample
from libs.servicekit.tests.sample import NoteStub


@pytest.fixture
async def whole(grpc_service):
    return await grpc_service(sample.build, calls=sample.CALLS, events=True, health_address="127.0.0.1:0")


async def test_health_metrics_and_the_way_to_the_stream(whole, actor, tenant):
    import asyncio

    await whole.caller(NoteStub, actor).WriteNote(common_pb2.Job(label="told"))
    async with asyncio.timeout(15), httpx.AsyncClient() as client:
        base = f"http://127.0.0.1:{whole.service._http[0].port}"
        assert (await client.get(f"{base}/health/live")).status_code == 200
        up = {"status": "up", "database": True, "nats": True}
        while (await client.get(f"{base}/health/ready")).json() != up:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        while True:
            async with whole.database.reading(tenant) as tx:
                if await tx.scalar("SELECT published_at IS NOT NULL FROM outbox"):
                    break
            await asyncio.sleep(0.02)
        metrics = (await client.get(f"{base}/metrics")).text
    assert 'komu_rpc_seconds_count{code="OK",rpc="komu.sample.v1.NoteService/WriteNote"}' in metrics
    assert 'komu_events_published_total{type="komu.roster.v1.ClassRosterChanged"}' in metrics
    assert "komu_outbox_backlog_age_seconds" in metrics


async def test_entries_are_sealed_and_jobs_run_in_the_service(whole, actor, tenant):
    import asyncio

    await whole.caller(NoteStub, actor).WriteNote(common_pb2.Job(label="sealed"))
    async with whole.database.transaction(tenant, actor) as tx:
        job_id = await jobs.start(tx, "sample.count", {"steps": 2})
    async with asyncio.timeout(15):
        while True:
            async with whole.database.reading(tenant) as tx:
                status = await jobs.get(tx, job_id)
                seals = await tx.scalar("SELECT count(*) FROM audit_seals")
            if status.state == "done" and seals == 1:
                break
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("error", "status"), [
    (Refused("いけません。"), 403), (Unseen(), 404), (Conflict("先に保存されました。", {"version": "2"}), 409),
    (Invalid("違います。", [Violation("name", "空です。")]), 422), (StepUpRequired(2, 900), 401), (KomuError("x"), 400),
])
def test_problem_details(error, status):
    answer = problem(error)
    assert answer.status_code == status == status_of(error)
    assert answer.media_type == "application/problem+json"
    assert error.message in answer.body.decode()
