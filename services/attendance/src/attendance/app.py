"""The only place that wires attendance together."""

from __future__ import annotations

from komu.attendance.v1 import attendance_pb2_grpc
from servicekit.grpc import Service

from attendance.consumers import CONSUMERS
from attendance.grpc_api import RIGHTS, AttendanceServicer
from attendance.settings import Settings


def build(settings: Settings) -> Service:
    """The service, ready to serve."""
    return Service(
        settings,
        rights=RIGHTS,
        servicers=[(AttendanceServicer(), attendance_pb2_grpc.add_AttendanceServiceServicer_to_server)],
        consumers=CONSUMERS,
    )
