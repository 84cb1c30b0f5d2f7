"""ReadAudit: the same question to every service."""

from datetime import timedelta

from komu.common.v1 import common_pb2
from servicekit.audit import to_proto
from servicekit.grpc import Call

from reports.domain.standing import Standing
from reports.grpc_api.translate import day_of, maybe_uuid, midnight, uuid_of
from reports.usecases.audit import AskedEntries, read_entries


async def read_audit(request: common_pb2.ReadAuditRequest, call: Call, standing: Standing) -> common_pb2.ReadAuditReply:
    """Translate, ask, translate back."""
    to_on = day_of(request.to_on, "to_on")
    asked = AskedEntries(
        school_id=uuid_of(request.school_id, "school_id"),
        subject_id=maybe_uuid(request.subject_id, "subject_id"),
        actor_id=maybe_uuid(request.actor_id, "actor_id"),
        kind=request.kind,
        from_at=midnight(day_of(request.from_on, "from_on")),
        to_at=midnight(to_on + timedelta(days=1)) if to_on else None,
        before_entry=maybe_uuid(request.before_entry_id, "before_entry_id"),
        limit=request.limit,
    )
    reply: common_pb2.ReadAuditReply = to_proto(await call.read(read_entries, standing, asked), "reports")
    return reply
