"""A service process: wires database, gRPC, consumers, jobs and health together, starts them, stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from servicekit import clock as clocks
from servicekit import process, telemetry
from servicekit.audit.sealer import Sealer
from servicekit.calls import Calls
from servicekit.db import Database
from servicekit.events.bus import Bus
from servicekit.events.consumer import Consumer
from servicekit.events.intake import Intake
from servicekit.events.relay import Relay
from servicekit.grpc.guard import Guard
from servicekit.http import HttpServer, health_app
from servicekit.jobs import JobKind, JobRunner
from servicekit.settings import ServiceSettings
from servicekit.tls import TlsFiles, issuer_context
from servicekit.tokens import KeySource, TokenVerifier

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = logging.getLogger(__name__)

SERVER_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 16 * 2**20),
    ("grpc.max_send_message_length", 64 * 2**20),
    ("grpc.max_metadata_size", 64 * 2**10),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]

Servicers = Sequence[tuple[Any, Callable[[Any, Any], None]]]


class _Recorder:
    """Stands in for a server while generated code registers its handlers, so that each can be guarded first."""

    def __init__(self) -> None:
        self.handlers: dict[str, Mapping[str, grpc.RpcMethodHandler[Any, Any]]] = {}

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        return None

    def add_registered_method_handlers(
        self, service_name: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        self.handlers[service_name] = handlers


class Service:
    """Everything one process runs. `serve()` until SIGTERM; tests use `start()` and `stop()`."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        rights: Mapping[str, frozenset[str]] | None = None,
        servicers: Servicers = (),
        consumers: Sequence[Consumer] = (),
        jobs: Sequence[JobKind] = (),
        http_app: ASGIApp | None = None,
        database: Database | None = None,
        clock: clocks.Clock = clocks.now,
        keys: KeySource | None = None,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """`rights`: right → roles that have it. `servicers`: (servicer, generated add_…_to_server).
        `http_app`: served on `http_address`. `closing`: called last (clients and the like).

        Raises NotGuarded when a method is not marked or names an unknown right."""
        self.settings = settings
        self.database = database or Database(
            settings.database_url, pool_size=settings.database_pool, clock=clock,
            application_name=f"komu-{settings.service}",
        )
        self.clock = clock
        self.port = 0
        self._closing = closing
        self._http_app = http_app
        self._calls = Calls.read(settings.calls_file)
        verifier = None
        if settings.identity_issuer:
            verifier = TokenVerifier(
                issuer=settings.identity_issuer, audience=settings.service,
                keys=keys or KeySource(settings.identity_jwks_url, verify=issuer_context(settings)),
            )
        self._guard = Guard(
            settings.service, calls=self._calls, rights=rights or {}, verifier=verifier, database=self.database,
            clock=clock, deadline_max_s=settings.deadline_max_s,
        )
        self._guarded: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        for servicer, add_to_server in servicers:
            instance = servicer() if isinstance(servicer, type) else servicer
            recorder = _Recorder()
            add_to_server(instance, recorder)
            for name, handlers in recorder.handlers.items():
                self._guarded[name] = self._guard.handlers(name, handlers, instance)
        self.consumers = tuple(consumers)
        self._tls: TlsFiles | None = None
        self._bus: Bus | None = None
        self._relay: Relay | None = None
        self._intake: Intake | None = None
        self._sealer = Sealer(self.database)
        self._jobs = JobRunner(self.database, jobs) if jobs else None
        self._server: aio.Server | None = None
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        self._http: list[HttpServer] = []
        self._tasks: list[asyncio.Task[None]] = []

    def set_clock(self, clock: clocks.Clock) -> None:
        """Another clock for transactions and token checks; for tests."""
        self.clock = self.database.clock = self._guard.clock = clock

    async def start(self) -> None:
        """Starts everything and returns when gRPC listens; NATS may still be on its way."""
        settings = self.settings
        if self._guarded:
            self._tls = TlsFiles.of(settings)
            await self._start_grpc(self._tls)
        if settings.nats_url:
            tls = TlsFiles.of(settings) if settings.nats_url.startswith("tls://") else None
            self._bus = Bus(settings.service, settings.nats_url, tls)
            self._run(self._bus.run())
            if settings.service in self._calls.events:
                self._relay = Relay(settings.service, self.database, self._bus)
                self._run(self._relay.run())
            if self.consumers:
                self._intake = Intake(settings.service, self.database, self._bus, self.consumers)
                self._run(self._intake.run())
        self._run(self._sealer.run())
        if self._jobs is not None:
            self._run(self._jobs.run())
        if settings.health_address:
            await self._start_http(health_app(self.ready), settings.health_address)
        if self._http_app is not None and settings.http_address:
            await self._start_http(
                self._http_app, settings.http_address, cert=settings.http_tls_cert, key=settings.http_tls_key
            )
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        log.info("%s is serving", settings.service)

    def _run(self, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _start_grpc(self, tls: TlsFiles) -> None:
        server = aio.server(options=SERVER_OPTIONS)
        for name, handlers in self._guarded.items():
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
            server.add_registered_method_handlers(name, handlers)  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        self.port = server.add_secure_port(self.settings.grpc_address, server_credentials(tls))
        await server.start()
        self._server = server

    async def _start_http(self, app: ASGIApp, address: str, **tls: Any) -> None:
        http = HttpServer(app, address, **tls)
        await http.start()
        self._http.append(http)

    async def ready(self) -> dict[str, bool]:
        """What readiness asks: does the database answer, is the stream reached."""
        state = {"database": await self.database.answers()}
        if self._bus is not None:
            state["nats"] = self._bus.connected
        return state

    async def stop(self) -> None:
        """Lets running RPCs finish (grace), then stops the loops, then closes connections."""
        await self._health.enter_graceful_shutdown()
        for http in self._http:
            await http.stop()
        if self._server is not None:
            await self._server.stop(self.settings.shutdown_grace_s)
        if self._jobs is not None:
            await self._jobs.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._bus is not None:
            await self._bus.close()
        for close in self._closing:
            with contextlib.suppress(Exception):
                await close()
        await self.database.close()
        telemetry.flush()

    async def serve(self) -> None:
        """Until SIGTERM or SIGINT."""
        settings = self.settings
        telemetry.set_up(
            settings.service, otlp_endpoint=settings.otlp_endpoint, stack=settings.stack, log_level=settings.log_level
        )
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        await self.start()
        process.settled()
        try:
            await stopping.wait()
        finally:
            log.info("%s is stopping", settings.service)
            await self.stop()


def server_credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    """Mutual TLS whose certificate is looked up anew for every connection: a renewed file needs no restart."""

    def configuration() -> Any:
        material = tls.material
        return grpc.ssl_server_certificate_configuration([(material.key, material.cert)], material.ca)

    def fetch() -> Any:
        return configuration() if tls.refresh() else None

    return grpc.dynamic_ssl_server_credentials(configuration(), fetch, require_client_authentication=True)
