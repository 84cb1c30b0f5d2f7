"""A collector of traces for tests: speaks OTLP over gRPC, keeps the spans it is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True)
class Seen:
    """One span as it was sent."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: str


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """`address` for `KOMU_OTLP_ENDPOINT`; `trace(…)` waits for what belongs together."""

    def __init__(self) -> None:
        self._spans: list[Seen] = []
        self._more = threading.Condition()
        self.address = ""

    def Export(self, request: Any, context: Any) -> Any:
        with self._more:
            for resource in request.resource_spans:
                named = {one.key: one.value.string_value for one in resource.resource.attributes}
                for scope in resource.scope_spans:
                    self._spans += [
                        Seen(
                            named["service.name"],
                            span.name,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            str(span.attributes),
                        )
                        for span in scope.spans
                    ]
            self._more.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def trace(self, begun: str, until: Callable[[list[Seen]], bool], seconds: float = 30) -> list[Seen]:
        """All spans of the trace that `begun` (the name of its first span) opened, once `until` holds for them.

        Raises: AssertionError, with what came instead.
        """

        def whole() -> list[Seen] | None:
            for first in self._spans:
                if first.name == begun:
                    found = [span for span in self._spans if span.trace_id == first.trace_id]
                    if until(found):
                        return found
            return None

        with self._more:
            if self._more.wait_for(lambda: whole() is not None, seconds):
                return whole() or []
            raise AssertionError(f"{begun!r} never became whole; seen: {sorted({span.name for span in self._spans})}")


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of this machine."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    collector.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(0).wait()
