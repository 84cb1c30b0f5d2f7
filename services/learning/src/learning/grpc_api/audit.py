"""AuditService: the same question to every service."""

from __future__ import annotations

from komu.common.v1 import common_pb2
from komu.learning.v1 import audit_pb2_grpc
from servicekit.audit import to_proto
from servicekit.grpc import Call, rpc

from learning.grpc_api.translate import day_or_none, uuid_of
from learning.usecases.audit import AskedEntries, read_entries


class AuditServicer(audit_pb2_grpc.AuditServiceServicer):
    """Who did what, and who looked."""

    @rpc(right="audit.read")
    async def ReadAudit(self, request: common_pb2.ReadAuditRequest, call: Call) -> common_pb2.ReadAuditReply:
        asked = AskedEntries(
            school_id=uuid_of(request.school_id, "school_id"),
            subject_id=uuid_of(request.subject_id, "subject_id") if request.subject_id else None,
            actor_id=uuid_of(request.actor_id, "actor_id") if request.actor_id else None,
            kind=request.kind,
            from_on=day_or_none(request.from_on, "from_on"),
            to_on=day_or_none(request.to_on, "to_on"),
            before_entry=uuid_of(request.before_entry_id, "before_entry_id") if request.before_entry_id else None,
            limit=request.limit,
        )
        reply: common_pb2.ReadAuditReply = to_proto(await call.read(read_entries, asked), "learning")
        return reply
