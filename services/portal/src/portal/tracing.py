"""One span and one measurement per browser request; the calls it makes carry its trace on.

A trace sent by a browser is not believed: anybody could choose it.
"""

import secrets
import time
from contextlib import ExitStack

from opentelemetry.trace import SpanKind
from prometheus_client import Histogram
from servicekit import telemetry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_SECONDS = Histogram(
    "komu_page_seconds",
    "Time of one browser request.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class Traced:
    """The outermost layer: everything within belongs to one trace, also where nobody collects spans."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with ExitStack() as spans:
            opened = spans.enter_context(telemetry.span(f"page {scope['method']}", SpanKind.SERVER))
            if telemetry.current_trace_id() is None:
                own = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
                opened = spans.enter_context(telemetry.span("page", parent=own))
            try:
                await self.app(scope, receive, noted)
            finally:
                route = getattr(scope.get("route"), "path", "other")
                opened.update_name(f"{scope['method']} {route}")
                opened.set_attribute("http.response.status_code", status)
                PAGE_SECONDS.labels(scope["method"], route, str(status)).observe(time.perf_counter() - began)
