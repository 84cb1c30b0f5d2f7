"""HTTP around a service: health and metrics, problem details and security headers for pages and partners."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.errors import (
    Conflict,
    Invalid,
    KomuError,
    Refused,
    StepUpRequired,
    Unauthenticated,
    Unavailable,
    Unseen,
)

_STATUS: dict[type[KomuError], int] = {
    Refused: 403, Unseen: 404, Conflict: 409, Invalid: 422, StepUpRequired: 401, Unauthenticated: 401, Unavailable: 503,
}

_MAY_BE_AWAY = {"nats"}

SECURITY_HEADERS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
}


def health_app(ready: Callable[[], Awaitable[dict[str, bool]]]) -> ASGIApp:
    """`/health/live`, `/health/ready` (503 with the names of what is missing), `/metrics`.

    NATS is told but does not count: while it is away events wait in the outbox and people go on working."""

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "up"})

    async def is_ready(_: Request) -> Response:
        state = await ready()
        up = all(fine for name, fine in state.items() if name not in _MAY_BE_AWAY)
        return JSONResponse({"status": "up" if up else "down", **state}, status_code=200 if up else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/health/live", live), Route("/health/ready", is_ready), Route("/metrics", metrics)]
    )


def status_of(error: KomuError) -> int:
    """HTTP status of a contract error."""
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)


def problem(error: KomuError) -> JSONResponse:
    """RFC 9457 problem details of a contract error."""
    body: dict[str, Any] = {
        "type": f"urn:komu:problem:{error.reason.lower()}", "title": error.message, "status": status_of(error),
        "reason": error.reason,
    }
    if isinstance(error, Invalid):
        body["violations"] = [{"field": v.field, "message": v.message} for v in error.violations]
    if isinstance(error, Conflict) and error.details:
        body["details"] = error.details
    return JSONResponse(body, status_code=status_of(error), media_type="application/problem+json")


async def problem_handler(_: Request, error: Exception) -> Response:
    """For `app.add_exception_handler(KomuError, problem_handler)`."""
    if not isinstance(error, KomuError):
        raise error
    return problem(error)


class SecurityHeaders:
    """ASGI middleware: sets the headers that are not already set by the response."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = SECURITY_HEADERS, *, hsts: bool = True) -> None:
        self._app = app
        self._headers = dict(headers)
        if hsts:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class _Uvicorn(uvicorn.Server):
    """Signals belong to the process, not to one of its servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """One listening HTTP server inside the process's event loop."""

    def __init__(self, app: ASGIApp, address: str, *, cert: Path | None = None, key: Path | None = None) -> None:
        host, _, port = address.rpartition(":")
        self._server = _Uvicorn(
            uvicorn.Config(
                app, host=host.strip("[]") or "127.0.0.1", port=int(port), log_config=None, access_log=False,
                lifespan="auto", server_header=False, date_header=True, timeout_graceful_shutdown=5,
                ssl_certfile=str(cert) if cert else None, ssl_keyfile=str(key) if key else None,
            )
        )
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Returns when it listens; `port` is then the real one. Raises OSError when the address is taken."""
        self._task = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._task.done():
                await self._task
                raise OSError("the HTTP address is taken")
            await asyncio.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit as error:
            raise OSError("the HTTP address is taken") from error

    async def stop(self) -> None:
        """Lets running answers finish for some seconds."""
        if self._task is None:
            return
        self._server.should_exit = True
        await self._task
