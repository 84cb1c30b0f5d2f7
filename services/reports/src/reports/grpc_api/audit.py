"""ReadAudit: the same question to every service."""

from komu.common.v1 import common_pb2
from servicekit.audit import question_of, to_proto
from servicekit.grpc import Call

from reports.domain.standing import Standing
from reports.usecases.audit import read_entries


async def read_audit(request: common_pb2.ReadAuditRequest, call: Call, standing: Standing) -> common_pb2.ReadAuditReply:
    """Translate, ask, translate back."""
    page = await call.read(read_entries, standing, question_of(request))
    reply: common_pb2.ReadAuditReply = to_proto(page, "reports")
    return reply
