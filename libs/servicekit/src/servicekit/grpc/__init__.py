"""gRPC: who calls (certificate, token), what they may (right, level), and the way into a use case."""

from servicekit.grpc.call import Call
from servicekit.grpc.rpc import rpc, workload_rpc
from servicekit.grpc.service import Service

__all__ = ["Call", "Service", "rpc", "workload_rpc"]
