"""Inbound gRPC: translate, call a use case, translate back."""

from reports.grpc_api.servicer import RIGHTS, ReportsServicer

__all__ = ["RIGHTS", "ReportsServicer"]
