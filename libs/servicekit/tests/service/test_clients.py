"""One service asking another: channels, tokens, traces, renewed certificates."""

import asyncio
from uuid import uuid4

import grpc
import pytest
from komu.common.v1 import common_pb2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from servicekit import telemetry
from servicekit.clients import Clients, raise_for, service_config
from servicekit.errors import Refused, Unauthenticated, Unavailable, Unseen

from libs.servicekit.tests.sample import NoteStub

ASK = common_pb2.GetJobRequest(job_id=str(uuid4()))


@pytest.fixture
async def clients(running, authority):
    """The clients of the service `reports`."""
    settings = running.service.settings.model_copy(
        update={
            "service": "reports", "tls_cert": authority.cert("reports"), "tls_key": authority.key("reports"),
            "service_addresses": {"roster": running.address},
        }
    )
    made = Clients(settings)
    yield made
    await made.close()


async def asked(stub, method, metadata, request=ASK, **more):
    try:
        return await getattr(stub, method)(request, metadata=metadata, **more)
    except grpc.RpcError as error:
        raise_for(error)


async def test_a_call_on_behalf_of_a_person_carries_an_exchanged_token(clients, token_issuer, actor):
    stub = clients.stub(NoteStub, "roster")
    assert clients.stub(NoteStub, "roster") is stub
    own = token_issuer.token(actor, "reports")
    before = token_issuer.exchanges
    tokens = await asyncio.gather(*(clients.on_behalf(own, "roster") for _ in range(20)))
    assert len(set(tokens)) == 1
    assert token_issuer.exchanges == before + 1
    await clients.on_behalf(own, "roster")
    assert token_issuer.exchanges == before + 1
    with pytest.raises(Unseen):
        await asked(stub, "GetNote", tokens[0])
    with pytest.raises(Refused):
        await asked(stub, "WriteNote", tokens[0], common_pb2.Job(label="x"))


async def test_a_token_the_issuer_does_not_know_is_nobodys(clients, token_issuer, actor):
    for token in ("", "nonsense", token_issuer.token(actor, "reports", key=token_issuer._new_key())):
        with pytest.raises(Unauthenticated):
            await clients.on_behalf(token, "roster")


async def test_a_renewed_certificate_is_shown_without_a_restart(clients, authority, token_issuer, actor):
    stub, metadata = clients.stub(NoteStub, "roster"), await clients.on_behalf(token_issuer.token(actor, "x"), "roster")
    with pytest.raises(Unseen):
        await asked(stub, "GetNote", metadata)
    authority.issue("reports", uri="spiffe://komu/grades")
    clients._tls._looked_at = 0.0
    with pytest.raises(Refused):  # the other side sees the new certificate
        await asked(stub, "GetNote", metadata)
    authority.issue("reports")
    clients._tls._looked_at = 0.0
    with pytest.raises(Unseen):
        await asked(stub, "GetNote", metadata)


async def test_a_service_that_is_not_there_is_unavailable_within_the_deadline(clients):
    clients._settings = clients._settings.model_copy(update={"service_addresses": {"roster": "127.0.0.1:1"}})
    with pytest.raises(Unavailable):
        await asked(clients.stub(NoteStub, "roster"), "GetNote", (), timeout=1)


def test_only_reads_are_tried_again():
    from servicekit.clients import READ_PREFIXES

    assert "GetPupil".startswith(READ_PREFIXES)
    for write in ("AssignHomeroomTeacher", "SaveDay", "RecordDeparture", "CancelJob", "StageRoster"):
        assert not write.startswith(READ_PREFIXES)
    assert '"UNAVAILABLE"' in service_config(["/komu.roster.v1.RosterService/GetPupil"])


def test_what_is_held_back_is_sent_at_the_end():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    telemetry.use_provider(provider)
    try:
        with telemetry.span("last words"):
            pass
        assert not exporter.get_finished_spans()
        telemetry.flush()
        assert [span.name for span in exporter.get_finished_spans()] == ["last words"]
    finally:
        telemetry.use_provider(None)
        provider.shutdown()


async def test_one_trace_joins_caller_rpc_and_sql(clients, token_issuer, actor):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.use_provider(provider)
    try:
        metadata = await clients.on_behalf(token_issuer.token(actor, "x"), "roster")
        with telemetry.span("page", SpanKind.SERVER) as page, pytest.raises(Unseen):
            await asked(clients.stub(NoteStub, "roster"), "GetNote", metadata)
        spans = {span.name: span for span in exporter.get_finished_spans()}
    finally:
        telemetry.use_provider(None)
    rpc, sql = spans["komu.sample.v1.NoteService/GetNote"], spans["sql read"]
    trace_id = page.get_span_context().trace_id
    assert {span.context.trace_id for span in (rpc, sql)} == {trace_id}
    assert rpc.parent.span_id == page.get_span_context().span_id
    assert sql.parent.span_id == rpc.context.span_id
    assert sql.attributes["komu.sql.statements"] == 1
    assert str(actor.person_id) not in str([dict(span.attributes or {}) for span in spans.values()])
