"""Inbound gRPC: translate, call a use case, translate back."""

from attendance.grpc_api.servicer import RIGHTS, AttendanceServicer

__all__ = ["RIGHTS", "AttendanceServicer"]
