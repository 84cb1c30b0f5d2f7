"""Calls to the services on behalf of the person signed in.

    rpc: Rpc = Depends(rpc)
    answer = await rpc.roster.GetClass(roster_pb2.GetClassRequest(class_id=…))
    async for part in rpc.reports.DownloadDocument(request): …

Every call carries a token for that service's audience, a deadline and the trace. Refusals arrive as
`servicekit.errors` (Refused, Unseen, Conflict, Invalid, StepUpRequired) and need no handling in a page unless it has
something better to say than the common error page; a page that shows field errors catches `Invalid`.
"""

import pkgutil
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Annotated, Any, TypeVar

import grpc
from fastapi import Depends, Request
from servicekit.clients import Clients, raise_for
from servicekit.errors import KomuError, Unavailable

from portal.session import live_session
from portal.signed_sessions import LiveSession

SERVICES = {
    "roster": "名簿",
    "attendance": "出欠",
    "grades": "成績",
    "reports": "帳票",
    "dataexchange": "データ連携",
    "learning": "学習データ",
    "identity": "サインイン",
}
"""Services with pages, and what people call them."""

DEADLINE_S = 10.0
_AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
T = TypeVar("T")


@dataclass(eq=False)
class ServiceAway(Exception):
    """A service does not answer now. Said with its name, because the others still work."""

    service: str

    @property
    def label(self) -> str:
        return SERVICES.get(self.service, self.service)


@dataclass(frozen=True, slots=True)
class _Signature:
    stub: type[Any]
    streams_back: bool


@cache
def _methods(service: str) -> dict[str, _Signature]:
    """Every RPC of `komu.<service>.v1`, whichever of its gRPC services offers it."""
    package = import_module(f"komu.{service}.v1")
    found: dict[str, _Signature] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.endswith("_pb2_grpc"):
            continue
        stubs = import_module(f"{package.__name__}.{module.name}")
        contract = import_module(f"{package.__name__}.{module.name.removesuffix('_grpc')}")
        for name, description in contract.DESCRIPTOR.services_by_name.items():
            for method in description.methods:
                found[method.name] = _Signature(getattr(stubs, f"{name}Stub"), method.server_streaming)
    return found


class _Method:
    def __init__(self, service: str, method: Any, streams_back: bool, clients: Clients, token: str) -> None:
        self._service = service
        self._method = method
        self._streams_back = streams_back
        self._clients = clients
        self._token = token

    def __call__(self, request: Any, *, timeout: float = DEADLINE_S) -> Any:
        """Awaitable answer; for a server-streaming RPC an async iterator. `timeout` in seconds."""
        return self._streamed(request, timeout) if self._streams_back else self._single(request, timeout)

    async def _metadata(self) -> Any:
        try:
            return await self._clients.on_behalf(self._token, self._service)
        except Unavailable as error:
            raise ServiceAway("identity") from error

    async def _single(self, request: Any, seconds: float) -> Any:
        metadata = await self._metadata()
        try:
            return await self._method(request, timeout=seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            self._translate(error)
            raise

    async def _streamed(self, request: Any, seconds: float) -> AsyncIterator[Any]:
        metadata = await self._metadata()
        try:
            async for message in self._method(request, timeout=seconds, metadata=metadata):
                yield message
        except grpc.aio.AioRpcError as error:
            self._translate(error)
            raise

    def _translate(self, error: grpc.aio.AioRpcError) -> None:
        if error.code() in _AWAY:
            raise ServiceAway(self._service) from error
        raise_for(error)


class _Service:
    def __init__(self, name: str, clients: Clients, token: str) -> None:
        self._name = name
        self._clients = clients
        self._token = token

    def __getattr__(self, method: str) -> _Method:
        found = _methods(self._name).get(method)
        if found is None:
            raise AttributeError(f"komu.{self._name}.v1 has no RPC {method}")
        call = getattr(self._clients.stub(found.stub, self._name), method)
        return _Method(self._name, call, found.streams_back, self._clients, self._token)


class Rpc:
    """The services as the person signed in may use them."""

    def __init__(self, clients: Clients, token: str) -> None:
        self.roster: Any = _Service("roster", clients, token)
        self.attendance: Any = _Service("attendance", clients, token)
        self.grades: Any = _Service("grades", clients, token)
        self.reports: Any = _Service("reports", clients, token)
        self.dataexchange: Any = _Service("dataexchange", clients, token)
        self.learning: Any = _Service("learning", clients, token)


async def rpc(request: Request, session: Annotated[LiveSession, Depends(live_session)]) -> Rpc:
    """Dependency: calls in the name of the person signed in."""
    return Rpc(request.app.state.clients, session.access_token)


async def or_away(call: Awaitable[T]) -> T | ServiceAway:
    """The answer, or which service is away: for pages that are still useful without one of their parts."""
    try:
        return await call
    except ServiceAway as away:
        return away


async def if_allowed(call: Awaitable[T]) -> T | None:
    """The answer, or None where the person may not have it now (or nobody can give it): for hints on overview pages.

    Never asks for the second factor: an overview must not be its reason.
    """
    try:
        return await call
    except (ServiceAway, KomuError):
        return None
