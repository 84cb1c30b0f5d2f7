"""ReadAudit: the same question to every service."""

from __future__ import annotations

from komu.common.v1 import common_pb2
from servicekit.audit import question_of, to_proto
from servicekit.grpc import Call

from attendance.usecases.audit import read_entries


async def read_audit(request: common_pb2.ReadAuditRequest, call: Call) -> common_pb2.ReadAuditReply:
    """Translate, ask, translate back."""
    reply: common_pb2.ReadAuditReply = to_proto(await call.read(read_entries, question_of(request)), "attendance")
    return reply
