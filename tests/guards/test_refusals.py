"""Every RPC of every service turns strangers away: asked over the wire, found by reflection, none forgotten."""

from __future__ import annotations

import typing
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pool
from servicekit.calls import Calls
from servicekit.errors import KomuError
from servicekit.grpc.rpc import RpcSpec, spec_of
from servicekit.grpc.status import error_of
from servicekit.testing import PostgresServer, RunningService, TestAuthority, TokenIssuer, an_actor, calls_file

SERVICES = ("roster", "attendance", "grades", "reports", "dataexchange", "learning")
CALLS = Calls.read(calls_file())


@dataclass(frozen=True)
class Method:
    """One RPC as the contract has it, and the mark of the servicer behind it."""

    service: str
    full_service: str
    name: str
    spec: RpcSpec

    @property
    def for_persons(self) -> bool:
        return self.spec.right is not None


def methods_of(service: str) -> list[Method]:
    module = import_module(f"{service}.grpc_api")
    contracts = f"komu.{service}.v1"
    for one in iter_modules(import_module(contracts).__path__):  # a contract without messages nobody else imports
        import_module(f"{contracts}.{one.name}")
    found = []
    for servicer in vars(module).values():
        if not (isinstance(servicer, type) and servicer.__name__.endswith("Servicer")):
            continue
        contract = f"{contracts}.{servicer.__name__.removesuffix('Servicer')}Service"
        for method in descriptor_pool.Default().FindServiceByName(contract).methods:
            spec = spec_of(getattr(servicer, method.name))
            assert spec is not None, f"{contract}/{method.name}"
            found.append(Method(service, contract, method.name, spec))
    return found


METHODS = [method for service in SERVICES for method in methods_of(service)]
FOR_PERSONS = [method for method in METHODS if method.for_persons]


def named(method: Method) -> str:
    return f"{method.service}.{method.name}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def doors(
    postgres: PostgresServer, authority: TestAuthority, token_issuer: TokenIssuer
) -> AsyncIterator[dict[str, RunningService]]:
    """Every service's real server."""
    opened: dict[str, RunningService] = {}
    for service in SERVICES:
        build = import_module(f"{service}.app").build
        settings = typing.get_type_hints(build)["settings"](
            service=service,
            database_url=postgres.create_service(service).app_url,
            tls_cert=authority.cert(service),
            tls_key=authority.key(service),
            tls_ca=authority.ca_file,
            grpc_address="127.0.0.1:0",
            identity_issuer=token_issuer.url,
            identity_jwks_url=token_issuer.jwks_url,
            identity_token_url=token_issuer.token_url,
            exchange_client_id=token_issuer.client_id,
            exchange_client_secret=token_issuer.client_secret,
            calls_file=calls_file(),
            shutdown_grace_s=0.1,
        )
        built = build(settings)
        await built.start()
        opened[service] = RunningService(built, token_issuer, authority)
    yield opened
    for running in opened.values():
        await running.stop()


async def refusal(
    running: RunningService,
    method: Method,
    *metadata: tuple[str, str],
    via: str = "portal",
    within_s: float | None = 10,
) -> KomuError:
    """How an empty request is answered: every kind of method takes a stream of one and answers with one error."""
    ask: Any = running.channel(via).stream_stream(f"/{method.full_service}/{method.name}")
    try:
        async for _ in ask(iter([b""]), metadata=metadata, timeout=within_s):
            raise AssertionError(f"{named(method)} answered")
    except grpc.RpcError as error:
        return error_of(error)
    raise AssertionError(f"{named(method)} ended without an answer and without an error")


def caller_of(method: Method) -> str:
    """A service that may call it for a person."""
    return sorted(CALLS.callers_of(method.service, method.name, with_token=True))[0]


def bearer(issuer: TokenIssuer, method: Method, *roles: str, strong: bool, audience: str = "") -> tuple[str, str]:
    token = issuer.token(an_actor("t-strange", *roles, strong=strong), audience or method.service)
    return ("authorization", f"Bearer {token}")


@pytest.mark.parametrize("method", [one for one in FOR_PERSONS if not one.spec.workloads], ids=named)
async def test_nobody_signed_in_is_turned_away(doors: dict[str, RunningService], method: Method):
    error = await refusal(doors[method.service], method, via=caller_of(method))
    assert error.reason == "UNAUTHENTICATED"


@pytest.mark.parametrize("method", FOR_PERSONS, ids=named)
async def test_a_role_without_the_right_is_turned_away(
    doors: dict[str, RunningService], token_issuer: TokenIssuer, method: Method
):
    stranger = bearer(token_issuer, method, "role-nobody-has", strong=True)
    error = await refusal(doors[method.service], method, stranger, via=caller_of(method))
    assert error.reason == "RIGHT_MISSING"


@pytest.mark.parametrize("method", FOR_PERSONS, ids=named)
async def test_a_token_for_another_service_is_turned_away(
    doors: dict[str, RunningService], token_issuer: TokenIssuer, method: Method
):
    elsewhere = next(service for service in SERVICES if service != method.service)
    stolen = bearer(token_issuer, method, *role_of(method), strong=True, audience=elsewhere)
    error = await refusal(doors[method.service], method, stolen, via=caller_of(method))
    assert error.reason == "TOKEN_INVALID"


@pytest.mark.parametrize("method", [one for one in FOR_PERSONS if one.spec.information_class <= 2], ids=named)
async def test_the_password_alone_opens_nothing_of_class_one_and_two(
    doors: dict[str, RunningService], token_issuer: TokenIssuer, method: Method
):
    weak = bearer(token_issuer, method, *role_of(method), strong=False)
    error = await refusal(doors[method.service], method, weak, via=caller_of(method))
    assert error.reason == "STEP_UP_REQUIRED"


@pytest.mark.parametrize("method", METHODS, ids=named)
async def test_a_service_that_is_not_listed_is_turned_away(
    doors: dict[str, RunningService], token_issuer: TokenIssuer, method: Method
):
    person = bearer(token_issuer, method, *role_of(method), strong=True)
    told = (person,) if method.for_persons else (("komu-tenant", "t-strange"),)
    error = await refusal(doors[method.service], method, *told, via="a-service-of-nobody")
    assert error.reason == "CALLER_NOT_LISTED"


@pytest.mark.parametrize("method", METHODS, ids=named)
async def test_a_call_without_a_deadline_is_turned_away(
    doors: dict[str, RunningService], token_issuer: TokenIssuer, method: Method
):
    person = bearer(token_issuer, method, *role_of(method), strong=True)
    error = await refusal(doors[method.service], method, person, within_s=None)
    assert error.reason == "DEADLINE_REQUIRED"


def role_of(method: Method) -> tuple[str, ...]:
    """A role that has the right of the method."""
    rights = import_module(f"{method.service}.grpc_api").RIGHTS
    return (sorted(rights[method.spec.right])[0],) if method.spec.right else ()


def test_the_guard_looks_at_every_rpc_of_the_contracts():
    root = Path(__file__).resolve().parents[2] / "proto" / "komu"
    written = sum(path.read_text("utf-8").count("\n  rpc ") for path in root.rglob("*.proto"))
    assert len(METHODS) == written
