"""ReadAudit: the same question to every service."""

from __future__ import annotations

from komu.common.v1 import common_pb2
from servicekit.audit import to_proto
from servicekit.grpc import Call

from attendance.grpc_api.translate import date_of, uuid_of
from attendance.usecases.audit import AskedEntries, read_entries


async def read_audit(request: common_pb2.ReadAuditRequest, call: Call) -> common_pb2.ReadAuditReply:
    """Translate, ask, translate back."""
    asked = AskedEntries(
        school_id=uuid_of(request.school_id, "school_id"),
        subject_id=uuid_of(request.subject_id, "subject_id") if request.subject_id else None,
        actor_id=uuid_of(request.actor_id, "actor_id") if request.actor_id else None,
        kind=request.kind,
        from_on=date_of(request.from_on, "from_on") if request.from_on else None,
        to_on=date_of(request.to_on, "to_on") if request.to_on else None,
        before_entry=uuid_of(request.before_entry_id, "before_entry_id") if request.before_entry_id else None,
        limit=request.limit,
    )
    reply: common_pb2.ReadAuditReply = to_proto(await call.read(read_entries, asked), "attendance")
    return reply
