"""Inbound gRPC: translate, call a use case, translate back."""

from attendance.grpc_api.servicer import AttendanceServicer

__all__ = ["AttendanceServicer"]
