"""A small service to try the kit on: notes of a tenant. Its gRPC glue is what protoc would have generated."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import sqlalchemy as sa
from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2
from servicekit import jobs
from servicekit.auth import Actor
from servicekit.db import Transaction, update_versioned
from servicekit.errors import Invalid, Refused, Unseen, Violation
from servicekit.events import consumer
from servicekit.grpc import Call, Service, rpc, workload_rpc

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE_NAME = "komu.sample.v1.NoteService"
METHODS = ("GetNote", "WriteNote", "Follow", "Secret", "Snapshot", "Either")
STREAMING = ("Follow",)

notes = sa.table(
    "notes", *(sa.column(name) for name in ("tenant_id", "id", "text", "version", "updated_at", "updated_by"))
)
NOTES = sa.Table(
    "notes", sa.MetaData(),
    sa.Column("tenant_id", sa.Text, primary_key=True), sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("text", sa.Text), sa.Column("version", sa.BigInteger),
    sa.Column("updated_at", sa.DateTime(timezone=True)), sa.Column("updated_by", sa.Uuid),
)

RIGHTS = {
    "note.read": frozenset({"teacher"}),
    "note.write": frozenset({"teacher"}),
    "note.secret": frozenset({"principal"}),
}
CALLS = {
    "calls": {"roster": {"portal": ["*"], "attendance": ["Snapshot", "Either"], "reports": ["GetNote"]}},
    "events": {"roster": ["attendance"]},
}


async def write_note(tx: Transaction, actor: Actor, note_id: UUID, text: str) -> UUID:
    if text == "refuse":
        raise Refused("今日は書けません。", reason="NOT_TODAY")
    if not text:
        raise Invalid("入力を確かめてください。", [Violation("text", "空にはできません。")])
    await tx.execute(
        sa.insert(NOTES).values(tenant_id=tx.tenant, id=note_id, text=text, version=1, updated_by=actor.person_id)
    )
    tx.audit("note.written", note_id, after={"text": text}, subject_id=actor.person_id)
    event = events_pb2.ClassRosterChanged()
    event.meta.aggregate_id = str(note_id)
    event.meta.aggregate_version = 1
    getattr(event.roster, "class").name = text
    tx.emit(event)
    return note_id


async def read_note(tx: Transaction, actor: Actor | None, note_id: UUID) -> tuple[UUID, str]:
    row = (await tx.execute("SELECT id, text FROM notes WHERE id = :id", {"id": note_id})).first()
    if row is None:
        raise Unseen
    return row.id, row.text


async def change_note(tx: Transaction, note_id: UUID, version: int, text: str) -> int:
    return await update_versioned(tx, NOTES, {"tenant_id": tx.tenant, "id": note_id}, version, {"text": text})


class NoteServicer:
    @rpc(right="note.read")
    async def GetNote(self, request: common_pb2.GetJobRequest, call: Call) -> common_pb2.Job:
        note_id, text = await call.read(read_note, UUID(request.job_id))
        return common_pb2.Job(id=str(note_id), label=text)

    @rpc(right="note.write")
    async def WriteNote(self, request: common_pb2.Job, call: Call) -> common_pb2.Job:
        if request.kind == "crash":
            raise RuntimeError("山田花子")
        note_id = await call.run(write_note, UUID(request.id) if request.id else uuid4(), request.label)
        return common_pb2.Job(id=str(note_id))

    @rpc(right="note.read")
    async def Follow(self, request: common_pb2.GetJobRequest, call: Call):
        async with call.reading() as tx:
            rows = await tx.execute(sa.select(NOTES.c.id, NOTES.c.text).order_by(NOTES.c.text))
        for row in rows:
            yield common_pb2.Job(id=str(row.id), label=row.text)

    @rpc(right="note.secret", information_class=1)
    async def Secret(self, request: common_pb2.GetJobRequest, call: Call) -> common_pb2.Job:
        return common_pb2.Job(label="秘")

    @workload_rpc()
    async def Snapshot(self, request: common_pb2.GetJobRequest, call: Call) -> common_pb2.Job:
        assert call.actor is None
        return common_pb2.Job(label=f"{call.workload}/{call.tenant}")

    @workload_rpc()
    @rpc(right="note.read")
    async def Either(self, request: common_pb2.GetJobRequest, call: Call) -> common_pb2.Job:
        return common_pb2.Job(label="person" if call.actor else "workload")


def add_to_server(servicer: Any, server: Any) -> None:
    handlers = {}
    for name in METHODS:
        make = grpc.unary_stream_rpc_method_handler if name in STREAMING else grpc.unary_unary_rpc_method_handler
        request = common_pb2.Job if name == "WriteNote" else common_pb2.GetJobRequest
        handlers[name] = make(
            getattr(servicer, name), request_deserializer=request.FromString,
            response_serializer=common_pb2.Job.SerializeToString,
        )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE_NAME, handlers),))
    server.add_registered_method_handlers(SERVICE_NAME, handlers)


class NoteStub:
    def __init__(self, channel: Any) -> None:
        for name in METHODS:
            make = channel.unary_stream if name in STREAMING else channel.unary_unary
            request = common_pb2.Job if name == "WriteNote" else common_pb2.GetJobRequest
            setattr(
                self, name,
                make(
                    f"/{SERVICE_NAME}/{name}", request_serializer=request.SerializeToString,
                    response_deserializer=common_pb2.Job.FromString,
                ),
            )


@consumer(subject="roster.v1.class_roster_changed.*", message=events_pb2.ClassRosterChanged)
async def on_class_roster_changed(tx: Transaction, event: events_pb2.ClassRosterChanged) -> None:
    text = getattr(event.roster, "class").name
    if text.startswith("poison"):
        raise ValueError(f"cannot take in {text}")
    await tx.execute(
        "INSERT INTO notes (tenant_id, id, text, version) VALUES (:t, :i, :x, 1)",
        {"t": tx.tenant, "i": UUID(event.meta.aggregate_id), "x": text},
    )


@jobs.job("sample.count")
async def count(job: jobs.JobContext) -> str:
    for step in range(job.args["steps"]):
        job.check_cancelled()
        job.progress(step + 1, job.args["steps"], f"{step + 1}件目")
        if job.args.get("stop_at") == step and job.attempt == 1:
            raise RuntimeError("stop")
    return "counted"


def build(settings: Any) -> Service:
    return Service(settings, rights=RIGHTS, servicers=[(NoteServicer(), add_to_server)], jobs=[count])
