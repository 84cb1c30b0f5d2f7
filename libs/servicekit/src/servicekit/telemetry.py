"""Traces, metrics and logs. Ids only: no names, marks or health facts reach any of the three.

Without an OTLP endpoint spans are still made (trace ids join the logs of all services) but go nowhere.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from prometheus_client import Counter, Gauge, Histogram

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

RPC_SECONDS = Histogram("komu_rpc_seconds", "Time of one RPC.", ["rpc", "code"], buckets=_BUCKETS)
OUTBOX_WAITING = Gauge("komu_outbox_waiting", "Events saved but not yet published.")
OUTBOX_AGE = Gauge("komu_outbox_backlog_age_seconds", "Age of the oldest event not yet published.")
EVENTS_PUBLISHED = Counter("komu_events_published", "Events given to the stream.", ["type"])
EVENTS_CONSUMED = Counter("komu_events_consumed", "Events whose effect was saved.", ["consumer", "outcome"])
EVENT_LAG = Histogram(
    "komu_event_lag_seconds", "From the fact to its effect in this service.", ["consumer"], buckets=_BUCKETS
)
JOBS_FINISHED = Counter("komu_jobs_finished", "Jobs that came to an end.", ["kind", "state"])
AUDIT_UNSEALED = Gauge("komu_audit_unsealed", "Audit entries waiting for their seal.")

_ids = RandomIdGenerator()
_tracer = trace.get_tracer("komu.servicekit")
_provider: TracerProvider | None = None


def tracer() -> trace.Tracer:
    """The kit's tracer; services may open spans of their own with it (attributes: ids and counts only)."""
    return _tracer


def set_up(service: str, *, otlp_endpoint: str | None = None, stack: str = "main", log_level: str = "INFO") -> None:
    """Prepares logs and traces of this process. Called once by `Service.serve`."""
    set_up_logging(service, log_level)
    if not otlp_endpoint:
        return
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.namespace": "komu", "komu.stack": stack})
    )
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint, insecure=otlp_endpoint.startswith("http://")))
    )
    use_provider(provider)


def use_provider(provider: TracerProvider | None) -> None:
    """Sends the spans of this process to `provider` (None: nowhere); tests give one with an in-memory exporter."""
    global _tracer, _provider
    _tracer = (provider or trace.get_tracer_provider()).get_tracer("komu.servicekit")
    _provider = provider


def flush() -> None:
    """Sends the spans still held back."""
    if _provider is not None:
        _provider.force_flush(2000)


# --- trace context ---------------------------------------------------------------------------------------------


def current_traceparent() -> str | None:
    """W3C trace context of the work under way, or None outside of any."""
    span_context = trace.get_current_span().get_span_context()
    if not span_context.is_valid:
        return None
    return f"00-{span_context.trace_id:032x}-{span_context.span_id:016x}-{int(span_context.trace_flags):02x}"


def current_trace_id() -> str | None:
    """32 hex digits, or None."""
    span_context = trace.get_current_span().get_span_context()
    return f"{span_context.trace_id:032x}" if span_context.is_valid else None


def remote_context(traceparent: str | None) -> SpanContext | None:
    """The caller's span; None when the header is missing or malformed."""
    if not traceparent or len(traceparent) != 55:
        return None
    try:
        span_context = SpanContext(
            trace_id=int(traceparent[3:35], 16), span_id=int(traceparent[36:52], 16), is_remote=True,
            trace_flags=TraceFlags(int(traceparent[53:55], 16)),
        )
    except ValueError:
        return None
    return span_context if span_context.is_valid else None


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, *, parent: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Iterator[Span]:
    """A span around a piece of work. `parent`: a traceparent from outside. Errors leave their type, not their text."""
    remote = remote_context(parent)
    if _provider is None:
        # Nobody collects spans here: the trace id is handed on (or made, where work begins), nothing else is paid for.
        if remote is None:
            if kind is SpanKind.INTERNAL or trace.get_current_span().get_span_context().is_valid:
                yield trace.get_current_span()
                return
            remote = SpanContext(_ids.generate_trace_id(), _ids.generate_span_id(), is_remote=False)
        token = otel_context.attach(trace.set_span_in_context(NonRecordingSpan(remote)))
        try:
            yield trace.get_current_span()
        finally:
            otel_context.detach(token)
        return
    context = trace.set_span_in_context(NonRecordingSpan(remote)) if remote else None
    opened = _tracer.start_span(name, context, kind, attributes)
    token = otel_context.attach(trace.set_span_in_context(opened, context))
    try:
        yield opened
    except BaseException as error:
        opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        otel_context.detach(token)
        opened.end()


def _ignore(_: int) -> None:
    return None


@contextmanager
def sql_span(read_only: bool) -> Iterator[Callable[[int], None]]:
    """One span per transaction; call the value with the number of statements at the end."""
    if _provider is None:
        yield _ignore
        return
    name = "sql read" if read_only else "sql write"
    with span(name, SpanKind.CLIENT, attributes={"db.system.name": "postgresql"}) as opened:
        yield lambda statements: opened.set_attribute("komu.sql.statements", statements)


# --- logs ------------------------------------------------------------------------------------------------------


class JsonFormatter(logging.Formatter):
    """One JSON object per line. Of an exception: its type and where it happened, not its text (it may quote data)."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace_id = current_trace_id()
        if trace_id:
            line["trace_id"] = trace_id
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            sqlstate = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None)
            if sqlstate:
                line["sqlstate"] = sqlstate
            line["where"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
            ][-12:]
        return orjson.dumps(line, default=str).decode()


def set_up_logging(service: str, level: str = "INFO") -> None:
    """Structured logs on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "alembic.runtime.migration"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
