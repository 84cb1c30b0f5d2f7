"""The real server of a service inside the test's process, and callers with real certificates and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio

from servicekit.auth import Actor
from servicekit.grpc.service import Service
from servicekit.grpc.status import error_of
from servicekit.testing.issuer import TokenIssuer
from servicekit.testing.pki import TestAuthority

S = TypeVar("S")


class Caller(Generic[S]):
    """The methods of a stub with one identity: errors come as `servicekit.errors` (Refused, Unseen, Invalid …).

    `stub` and `metadata` are there for streaming and for looking at the raw status."""

    def __init__(self, stub: S, metadata: tuple[tuple[str, str], ...]) -> None:
        self.stub = stub
        self.metadata = metadata

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.stub, name)

        async def call(request: Any, *, timeout: float = 10.0) -> Any:  # noqa: ASYNC109 - gRPC's own word
            try:
                answer = method(request, metadata=self.metadata, timeout=timeout)
                if hasattr(answer, "__aiter__") and not hasattr(answer, "__await__"):
                    return [item async for item in answer]
                return await answer
            except grpc.RpcError as error:
                raise error_of(error) from error

        return call


class RunningService:
    """A started `Service`."""

    def __init__(self, service: Service, issuer: TokenIssuer, authority: TestAuthority) -> None:
        self.service = service
        self.database = service.database
        self._issuer = issuer
        self._authority = authority
        self._channels: dict[str, grpc.aio.Channel] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.service.port}"

    def channel(self, identity: str = "portal") -> grpc.aio.Channel:
        """A channel that shows the certificate of `identity`."""
        if identity not in self._channels:
            credentials = grpc.ssl_channel_credentials(
                self._authority.ca_file.read_bytes(), self._authority.key(identity).read_bytes(),
                self._authority.cert(identity).read_bytes(),
            )
            self._channels[identity] = grpc.aio.secure_channel(self.address, credentials)
        return self._channels[identity]

    def caller(self, stub_class: Callable[[grpc.aio.Channel], S], actor: Actor, *, via: str = "portal") -> Caller[S]:
        """A signed-in person whose calls come through the service `via`."""
        token = self._issuer.token(actor, self.service.settings.service)
        return Caller(stub_class(self.channel(via)), (("authorization", f"Bearer {token}"),))

    def workload(self, stub_class: Callable[[grpc.aio.Channel], S], identity: str, tenant: str) -> Caller[S]:
        """The service `identity` calling on its own."""
        return Caller(stub_class(self.channel(identity)), (("komu-tenant", tenant),))

    def bare(
        self, stub_class: Callable[[grpc.aio.Channel], S], *metadata: tuple[str, str], via: str = "portal"
    ) -> Caller[S]:
        """Exactly this metadata."""
        return Caller(stub_class(self.channel(via)), metadata)

    async def stop(self) -> None:
        for channel in self._channels.values():
            await channel.close(None)
        await self.service.stop()
