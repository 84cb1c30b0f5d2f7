"""RPCs through mTLS, token, right, level: fail closed."""

from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from komu.common.v1 import common_pb2
from servicekit.auth import Actor
from servicekit.clock import now
from servicekit.errors import Invalid, KomuError, Refused, StepUpRequired, Unauthenticated, Unseen
from servicekit.grpc import Service
from servicekit.grpc.guard import NotGuarded
from servicekit.testing import an_actor

from libs.servicekit.tests import sample
from libs.servicekit.tests.sample import NoteStub

ASK = common_pb2.GetJobRequest(job_id=str(uuid4()))


async def test_a_person_writes_and_reads(running, actor):
    me = running.caller(NoteStub, actor)
    written = await me.WriteNote(common_pb2.Job(label="𠮷"))
    assert (await me.GetNote(common_pb2.GetJobRequest(job_id=written.id))).label == "𠮷"
    assert [note.label for note in await me.Follow(ASK)] == ["𠮷"]


async def test_another_board_does_not_see_it(running, actor):
    written = await running.caller(NoteStub, actor).WriteNote(common_pb2.Job(label="ours"))
    with pytest.raises(Unseen):
        await running.caller(NoteStub, an_actor("other")).GetNote(common_pb2.GetJobRequest(job_id=written.id))


async def test_contract_errors_keep_message_reason_and_fields(running, actor):
    me = running.caller(NoteStub, actor)
    with pytest.raises(Refused, match="今日は書けません。") as refused:
        await me.WriteNote(common_pb2.Job(label="refuse"))
    assert refused.value.reason == "NOT_TODAY"
    with pytest.raises(Invalid) as invalid:
        await me.WriteNote(common_pb2.Job(label=""))
    assert [(v.field, v.message) for v in invalid.value.violations] == [("text", "空にはできません。")]


async def test_what_the_database_cannot_hold_is_the_callers_to_mend(running, actor):
    with pytest.raises(Invalid, match="保存できない文字") as invalid:
        await running.caller(NoteStub, actor).WriteNote(common_pb2.Job(label="a\0b"))
    assert invalid.value.reason == "UNSTORABLE"


async def test_an_unexpected_error_tells_nothing_and_logs_no_content(running, actor, caplog):
    with pytest.raises(KomuError) as failed:
        await running.caller(NoteStub, actor).WriteNote(common_pb2.Job(kind="crash"))
    assert failed.value.reason == "INTERNAL"
    assert "山田" not in failed.value.message
    from servicekit.telemetry import JsonFormatter

    lines = [JsonFormatter("roster").format(record) for record in caplog.records]
    assert any("RuntimeError" in line for line in lines)
    assert not any("山田" in line for line in lines)


async def test_no_token_a_forged_one_or_one_for_another_audience_is_nobody(running, token_issuer, actor):
    from servicekit.testing.issuer import TokenIssuer

    forged = token_issuer.token(actor, "roster", key=TokenIssuer._new_key())
    tokens = [
        token_issuer.token(actor, "grades"),
        token_issuer.token(actor, "roster", claims={"iss": "https://elsewhere"}),
        token_issuer.token(actor, "roster", claims={"aud": ["roster", "grades"]}),
        token_issuer.token(actor, "roster", claims={"person": None}),
        token_issuer.token(actor, "roster", claims={"tenant": None}),
        token_issuer.token(actor, "roster", at=now() - timedelta(hours=2)),
        forged,
        token_issuer.token(actor, "roster")[:-6] + "AAAAAA",
        "eyJhbGciOiJub25lIn0.e30.",
        "",
    ]
    for token in tokens:
        with pytest.raises(Unauthenticated):
            await running.bare(NoteStub, ("authorization", f"Bearer {token}")).GetNote(ASK)
    with pytest.raises(Unauthenticated):
        await running.bare(NoteStub).GetNote(ASK)


async def test_a_new_key_of_the_issuer_is_fetched(running, token_issuer, actor):
    running.service._guard._verifier._keys._fetched_at = -100.0
    token_issuer.rotate()
    with pytest.raises(Unseen):
        await running.caller(NoteStub, actor).GetNote(ASK)


async def test_a_role_without_the_right_is_refused(running, tenant):
    with pytest.raises(Refused) as refused:
        await running.caller(NoteStub, an_actor(tenant, "office")).GetNote(ASK)
    assert refused.value.reason == "RIGHT_MISSING"
    assert refused.value.roles == sample.RIGHTS["note.read"], "who may is told"


async def test_class_one_needs_a_recent_second_factor(running, tenant):
    async def ask(levels):
        person = Actor(tenant, uuid4(), frozenset({"principal"}), levels, "s")
        return await running.caller(NoteStub, person).Secret(ASK)

    at = now()
    assert (await ask({1: at, 2: at - timedelta(minutes=14)})).label == "秘"
    for levels in ({}, {1: at}, {1: at, 2: at - timedelta(minutes=16)}, {2: at + timedelta(minutes=5)}):
        with pytest.raises(StepUpRequired) as needed:
            await ask(levels)
        assert (needed.value.level, needed.value.max_age_s) == (2, 900)


async def test_only_listed_services_may_call(running, actor):
    for stranger in ("grades", "attendance"):
        with pytest.raises(Refused) as refused:
            await running.caller(NoteStub, actor, via=stranger).GetNote(ASK)
        assert refused.value.reason == "CALLER_NOT_LISTED"
    with pytest.raises(Unseen):
        await running.caller(NoteStub, actor, via="reports").GetNote(ASK)
    with pytest.raises(Refused):
        await running.caller(NoteStub, actor, via="reports").WriteNote(common_pb2.Job(label="x"))


async def test_the_identity_is_the_uri_and_only_without_one_the_common_name(running, authority, actor):
    authority.issue("masked", uri="spiffe://komu/grades", common_name="portal")
    authority.issue("foreign", uri="spiffe://elsewhere/portal", common_name="portal")
    authority.issue("plain", uri="", common_name="portal")
    for stranger in ("masked", "foreign"):
        with pytest.raises(Refused):
            await running.caller(NoteStub, actor, via=stranger).GetNote(ASK)
    with pytest.raises(Unseen):
        await running.caller(NoteStub, actor, via="plain").GetNote(ASK)


async def test_a_workload_rpc_is_for_named_services_with_a_tenant(running, actor, tenant):
    reply = await running.workload(NoteStub, "attendance", tenant).Snapshot(ASK)
    assert reply.label == f"attendance/{tenant}"
    with pytest.raises(Refused):
        await running.workload(NoteStub, "portal", tenant).Snapshot(ASK)  # "*" is for persons' calls only
    with pytest.raises(Refused):
        await running.caller(NoteStub, actor, via="attendance").Snapshot(ASK)
    with pytest.raises(Invalid):
        await running.workload(NoteStub, "attendance", "No Tenant").Snapshot(ASK)


async def test_an_rpc_may_be_for_both(running, actor, tenant):
    assert (await running.caller(NoteStub, actor).Either(ASK)).label == "person"
    assert (await running.workload(NoteStub, "attendance", tenant).Either(ASK)).label == "workload"
    with pytest.raises(Refused):
        await running.workload(NoteStub, "portal", tenant).Either(ASK)


async def test_a_call_without_deadline_is_not_taken(running, actor):
    me = running.caller(NoteStub, actor)
    with pytest.raises(grpc.RpcError) as refused:
        await me.stub.GetNote(ASK, metadata=me.metadata)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_without_a_certificate_of_ours_there_is_no_connection(running, tmp_path, authority, actor):
    from servicekit.testing import TestAuthority

    strangers = TestAuthority(tmp_path)
    for key, cert in ((strangers.key("portal").read_bytes(), strangers.cert("portal").read_bytes()), (None, None)):
        credentials = grpc.ssl_channel_credentials(authority.ca_file.read_bytes(), key, cert)
        async with grpc.aio.secure_channel(running.address, credentials) as channel:
            with pytest.raises(grpc.RpcError) as refused:
                await NoteStub(channel).GetNote(ASK, timeout=5)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_renewed_certificates_are_used_without_a_restart(grpc_service, authority, actor):
    running = await grpc_service(sample.build, calls=sample.CALLS)
    with pytest.raises(Unseen):
        await running.caller(NoteStub, actor).GetNote(ASK)
    before = _server_serial(running, authority)
    authority.issue("roster")
    running.service._tls._looked_at = 0.0
    assert _server_serial(running, authority) != before


def _server_serial(running, authority):
    import socket
    import ssl

    context = ssl.create_default_context(cafile=str(authority.ca_file))
    context.load_cert_chain(authority.cert("portal"), authority.key("portal"))
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", running.service.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        return secure.getpeercert()["serialNumber"]


@pytest.mark.parametrize("trouble", ["unmarked", "unknown right"])
async def test_a_server_with_an_unguarded_method_does_not_start(running, trouble):
    class Careless(sample.NoteServicer):
        async def GetNote(self, request, context):
            return common_pb2.Job()

    servicer, rights = (Careless(), sample.RIGHTS) if trouble == "unmarked" else (sample.NoteServicer(), {})
    with pytest.raises(NotGuarded, match="GetNote"):
        Service(running.service.settings, rights=rights, servicers=[(servicer, sample.add_to_server)])
