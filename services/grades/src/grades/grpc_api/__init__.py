"""Inbound gRPC: translate, call a use case, translate back."""

from grades.grpc_api.servicer import RIGHTS, GradesServicer

__all__ = ["RIGHTS", "GradesServicer"]
