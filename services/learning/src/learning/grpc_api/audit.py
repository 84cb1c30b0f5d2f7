"""AuditService: the same question to every service."""

from __future__ import annotations

from komu.common.v1 import common_pb2
from komu.learning.v1 import audit_pb2_grpc
from servicekit.audit import question_of, to_proto
from servicekit.grpc import Call, rpc

from learning.usecases.audit import read_entries


class AuditServicer(audit_pb2_grpc.AuditServiceServicer):
    """Who did what, and who looked."""

    @rpc(right="audit.read")
    async def ReadAudit(self, request: common_pb2.ReadAuditRequest, call: Call) -> common_pb2.ReadAuditReply:
        reply: common_pb2.ReadAuditReply = to_proto(await call.read(read_entries, question_of(request)), "learning")
        return reply
