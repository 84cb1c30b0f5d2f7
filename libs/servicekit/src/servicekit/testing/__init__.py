"""Fixtures for services' tests: real PostgreSQL, real gRPC with mTLS and tokens, real NATS. A pytest plugin.

A service's `conftest.py` says which service it is:

    @pytest.fixture(scope="session")
    def service() -> str:
        return "roster"

    @pytest.fixture(scope="session")
    async def running(grpc_service):
        return await grpc_service(app.build)          # build(settings) -> Service
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import uvloop
import yaml

from servicekit.auth import STRONG_LEVEL, Actor
from servicekit.clock import Clock, FixedClock, now
from servicekit.db import Database, Transaction
from servicekit.grpc.service import Service
from servicekit.settings import ServiceSettings
from servicekit.testing.issuer import TokenIssuer
from servicekit.testing.nats import NatsServer
from servicekit.testing.pki import TestAuthority
from servicekit.testing.postgres import PostgresServer, ServiceDatabase, free_port
from servicekit.testing.running import Caller, RunningService

__all__ = [
    "Caller", "FixedClock", "NatsServer", "PostgresServer", "RunningService", "ServiceDatabase", "TestAuthority",
    "TokenIssuer", "an_actor", "free_port",
]


class GrpcService(Protocol):
    """`await grpc_service(build)`: starts what `build(settings)` returns; stopped at the end of the session."""

    async def __call__(
        self, build: Callable[[Any], Service], *, settings: type[ServiceSettings] = ServiceSettings,
        clock: Clock | None = None, calls: Mapping[str, Any] | None = None, events: bool = False,
        database: ServiceDatabase | None = None, **more: Any,
    ) -> RunningService: ...


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """Tests run on the loop that processes run on (`servicekit.process`)."""
    return {"uvloop": uvloop.new_event_loop}


def an_actor(
    tenant: str, *roles: str, person_id: UUID | None = None, strong: bool = True, session_id: str = "session"
) -> Actor:
    """A signed-in person, with a second factor given just now unless `strong` is False."""
    at = now()
    levels = {1: at, STRONG_LEVEL: at} if strong else {1: at}
    return Actor(tenant, person_id or uuid4(), frozenset(roles or ("teacher",)), levels, session_id)


def calls_file() -> Path:
    """`infra/calls.yaml` of the repository the tests run in."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).parents):
        if (folder / "infra" / "calls.yaml").exists():
            return folder / "infra" / "calls.yaml"
    raise FileNotFoundError("infra/calls.yaml")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL 16 of this worker."""
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def service_db(postgres: PostgresServer) -> Callable[..., ServiceDatabase]:
    """`service_db("roster")`: its migrated database in this worker, always the same; `.clone()` for a fresh one."""
    made: dict[str, ServiceDatabase] = {}

    def of(service: str, *, directory: Path | None = None) -> ServiceDatabase:
        if service not in made:
            made[service] = postgres.create_service(service, directory=directory)
        return made[service]

    return of


@pytest.fixture(scope="session")
def service() -> str:
    """Name of the service under test: override it in the service's conftest."""
    raise pytest.UsageError("override the fixture `service` in conftest.py")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(service_db: Callable[..., ServiceDatabase], service: str) -> AsyncIterator[Database]:
    """The service's database under its app role."""
    opened = Database(service_db(service).app_url, application_name="komu-test")
    yield opened
    await opened.close()


@pytest.fixture
def tenant() -> str:
    """A board nobody else uses: what a test commits disturbs no other test."""
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture
def actor(tenant: str) -> Actor:
    """A teacher of `tenant` with a fresh second factor."""
    return an_actor(tenant, "teacher")


class _RollBack(Exception):
    pass


@pytest_asyncio.fixture(loop_scope="session")
async def tx(database: Database, tenant: str, actor: Actor) -> AsyncIterator[Transaction]:
    """A transaction that is rolled back after the test. `tx.told` shows events and audit entries so far."""
    with suppress(_RollBack):
        async with database.transaction(tenant, actor) as opened:
            yield opened
            raise _RollBack


@pytest.fixture
def fixed_clock(request: pytest.FixtureRequest) -> Iterator[FixedClock]:
    """A clock that stands still; `database` (and with it `tx`) uses it during the test."""
    stopped = FixedClock()
    opened: Database = request.getfixturevalue("database")
    before, opened.clock = opened.clock, stopped
    yield stopped
    opened.clock = before


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    """The tests' certificate authority."""
    return TestAuthority(tmp_path_factory.mktemp("pki"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def token_issuer() -> AsyncIterator[TokenIssuer]:
    """The tests' Keycloak."""
    issuer = TokenIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    """A NATS server with JetStream."""
    server = NatsServer()
    server.start()
    yield server
    server.remove()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def grpc_service(
    request: pytest.FixtureRequest, service: str, service_db: Callable[..., ServiceDatabase],
    authority: TestAuthority, token_issuer: TokenIssuer, tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[GrpcService]:
    """`running = await grpc_service(build)`; then `running.caller(Stub, actor).Method(request)`."""
    started: list[RunningService] = []

    async def start(
        build: Callable[[Any], Service], *, settings: type[ServiceSettings] = ServiceSettings,
        clock: Clock | None = None, calls: Mapping[str, Any] | None = None, events: bool = False,
        database: ServiceDatabase | None = None, **more: Any,
    ) -> RunningService:
        file = calls_file()
        if calls is not None:
            file = tmp_path_factory.mktemp("calls") / "calls.yaml"
            file.write_text(yaml.safe_dump(calls))
        given: dict[str, Any] = {
            "service": service,
            "database_url": (database or service_db(service)).app_url,
            "nats_url": request.getfixturevalue("nats_server").url if events else None,
            "tls_cert": authority.cert(service), "tls_key": authority.key(service), "tls_ca": authority.ca_file,
            "grpc_address": "127.0.0.1:0",
            "identity_issuer": token_issuer.url,
            "identity_jwks_url": token_issuer.jwks_url,
            "identity_token_url": token_issuer.token_url,
            "exchange_client_id": token_issuer.client_id,
            "exchange_client_secret": token_issuer.client_secret,
            "calls_file": file,
            "shutdown_grace_s": 1.0,
            **more,
        }
        built = build(settings(**given))
        if clock is not None:
            built.set_clock(clock)
        await built.start()
        running = RunningService(built, token_issuer, authority)
        started.append(running)
        return running

    yield start
    for running in reversed(started):
        await running.stop()
