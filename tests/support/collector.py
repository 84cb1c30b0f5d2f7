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
        self._sent: list[Any] = []
        self._more = threading.Condition()
        self.address = ""

    def Export(self, request: Any, context: Any) -> Any:
        with self._more:
            self._sent += request.resource_spans  # read when somebody asks: a whole session of journeys sends a lot
            self._more.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def _spans(self) -> list[Seen]:
        return [
            Seen(
                next(one.value.string_value for one in sent.resource.attributes if one.key == "service.name"),
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                str(span.attributes),
            )
            for sent in self._sent
            for scope in sent.scope_spans
            for span in scope.spans
        ]

    def trace(self, begun: str, until: Callable[[list[Seen]], bool], seconds: float = 30) -> list[Seen]:
        """All spans of the trace that `begun` (the name of its first span) opened, once `until` holds for them.

        Raises: AssertionError, with what came instead.
        """

        def whole() -> list[Seen] | None:
            spans = self._spans()
            for first in spans:
                if first.name == begun:
                    found = [span for span in spans if span.trace_id == first.trace_id]
                    if until(found):
                        return found
            return None

        with self._more:
            if self._more.wait_for(lambda: whole() is not None, seconds):
                return whole() or []
            raise AssertionError(f"{begun!r} never became whole; seen: {sorted({span.name for span in self._spans()})}")


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
