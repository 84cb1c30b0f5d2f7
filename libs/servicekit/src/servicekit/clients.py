"""Asking other services: channels with mutual TLS, tokens for their audience, deadlines, traces."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeVar, cast

import grpc
import grpc.aio
import httpx
from cachetools import TTLCache

from servicekit.errors import Unauthenticated, Unavailable
from servicekit.grpc.status import error_of
from servicekit.settings import ServiceSettings
from servicekit.telemetry import current_traceparent
from servicekit.tls import TlsFiles, issuer_context

S = TypeVar("S")
Metadata = tuple[tuple[str, str], ...]

DEADLINE_S = 5.0
_OLD_CHANNEL_GRACE_S = 30.0
_EXPIRY_MARGIN_S = 15.0

READ_PREFIXES = ("Get", "List", "Search", "Read", "Match", "WhoAmI", "Snapshot", "Check")
"""RPCs that start with one of these only read: they are tried again when the other side is not there for a moment."""

CHANNEL_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", 64 * 2**20),
    ("grpc.max_send_message_length", 16 * 2**20),
    ("grpc.max_metadata_size", 64 * 2**10),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.enable_retries", 1),
]


class _HasToken(Protocol):
    token: str | None


def service_config(methods: Sequence[str]) -> str:
    """gRPC's own retry policy for `methods` (full paths): up to 4 tries on UNAVAILABLE."""
    names = [dict(zip(("service", "method"), path.strip("/").split("/"), strict=True)) for path in methods]
    return json.dumps(
        {
            "methodConfig": [
                {
                    "name": names,
                    "retryPolicy": {
                        "maxAttempts": 4,
                        "initialBackoff": "0.1s",
                        "maxBackoff": "1s",
                        "backoffMultiplier": 2,
                        "retryableStatusCodes": ["UNAVAILABLE"],
                    },
                }
            ]
        }
    )


def raise_for(error: grpc.RpcError) -> NoReturn:
    """Raises the contract's error inside `error` (Refused, Unseen, Conflict, Invalid, StepUpRequired, …)."""
    raise error_of(error) from error


class _LiveChannel:
    """What a generated stub takes for a channel; behind it the real one is replaced when the certificate is renewed."""

    def __init__(self, address: str, tls: TlsFiles, deadline_s: float) -> None:
        self._address = address
        self._tls = tls
        self._generation = 0
        self._channel: grpc.aio.Channel | None = None
        self._methods: list[str] = []
        self._closing: set[asyncio.Task[None]] = set()
        self.deadline_s = deadline_s

    def current(self) -> tuple[int, grpc.aio.Channel]:
        self._tls.refresh()
        if self._channel is None or self._generation != self._tls.generation:
            old, material = self._channel, self._tls.material
            reads = [path for path in self._methods if path.rsplit("/", 1)[1].startswith(READ_PREFIXES)]
            options = [*CHANNEL_OPTIONS, ("grpc.service_config", service_config(reads))] if reads else CHANNEL_OPTIONS
            self._channel = grpc.aio.secure_channel(
                self._address, grpc.ssl_channel_credentials(material.ca, material.key, material.cert), options
            )
            self._generation = self._tls.generation
            if old is not None:
                task = asyncio.create_task(old.close(_OLD_CHANNEL_GRACE_S))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
        return self._generation, self._channel

    def _callable(self, kind: str, path: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        self._methods.append(path)
        bound: tuple[int, Any] = (-1, None)

        def call(
            request: Any = None, *, timeout: float | None = None, metadata: Any = (), **options: Any
        ) -> Any:
            nonlocal bound
            generation, channel = self.current()
            if bound[0] != generation:
                bound = (generation, getattr(channel, kind)(path, *args, **kwargs))
            traceparent = current_traceparent()
            if traceparent is not None:
                metadata = (*metadata, ("traceparent", traceparent))
            return bound[1](request, timeout=timeout or self.deadline_s, metadata=metadata or None, **options)

        return call

    def unary_unary(self, path: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return self._callable("unary_unary", path, *args, **kwargs)

    def unary_stream(self, path: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return self._callable("unary_stream", path, *args, **kwargs)

    def stream_unary(self, path: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return self._callable("stream_unary", path, *args, **kwargs)

    def stream_stream(self, path: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return self._callable("stream_stream", path, *args, **kwargs)

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close(None)
        for task in tuple(self._closing):
            task.cancel()


class TokenExchange:
    """RFC 8693 at the issuer: a person's token for another audience. One exchange per token and audience, shared."""

    def __init__(self, url: str, client_id: str, client_secret: str, *, verify: Any = True) -> None:
        self._url = url
        self._credentials = (client_id, client_secret)
        self._http = httpx.AsyncClient(verify=verify, timeout=5)
        self._tokens: TTLCache[tuple[str, str], tuple[float, str]] = TTLCache(20_000, ttl=3600)
        self._under_way: dict[tuple[str, str], asyncio.Task[str]] = {}

    async def token(self, subject_token: str, audience: str) -> str:
        """Raises Unauthenticated when the issuer refuses, Unavailable when it does not answer."""
        key = (subject_token, audience)
        cached = self._tokens.get(key)
        if cached is not None and cached[0] > time.time():
            return cached[1]
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._exchange(key, subject_token, audience))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def _finished(self, key: tuple[str, str], task: asyncio.Task[str]) -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            task.exception()  # everyone who waited has it; a leaver must not make it "never retrieved"

    async def _exchange(self, key: tuple[str, str], subject_token: str, audience: str) -> str:
        token_type = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type name, not a secret
        try:
            answer = await self._http.post(
                self._url,
                auth=self._credentials,
                data={
                    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                    "subject_token": subject_token,
                    "subject_token_type": token_type,
                    "requested_token_type": token_type,
                    "audience": audience,
                    "scope": audience,
                },
            )
        except httpx.HTTPError as error:
            raise Unavailable(reason="IDENTITY_UNAVAILABLE") from error
        if answer.status_code >= 500:
            raise Unavailable(reason="IDENTITY_UNAVAILABLE")
        if answer.status_code != 200:
            raise Unauthenticated(reason="TOKEN_EXCHANGE_REFUSED")
        body = answer.json()
        token = str(body["access_token"])
        self._tokens[key] = (time.time() + float(body.get("expires_in", 60)) - _EXPIRY_MARGIN_S, token)
        return token

    async def close(self) -> None:
        for task in tuple(self._under_way.values()):
            task.cancel()
        await self._http.aclose()


class Clients:
    """The other services, as `calls.yaml` and the settings name them. One per process."""

    def __init__(self, settings: ServiceSettings, *, deadline_s: float = DEADLINE_S) -> None:
        self._settings = settings
        self._deadline_s = deadline_s
        self._tls: TlsFiles | None = None
        self._channels: dict[str, _LiveChannel] = {}
        self._stubs: dict[tuple[Any, str], Any] = {}
        self._exchange: TokenExchange | None = None

    def _channel(self, service: str) -> _LiveChannel:
        channel = self._channels.get(service)
        if channel is None:
            if self._tls is None:
                self._tls = TlsFiles.of(self._settings)
            address = self._settings.service_addresses[service]
            channel = self._channels[service] = _LiveChannel(address, self._tls, self._deadline_s)
        return channel

    def stub(self, stub_class: Callable[[grpc.aio.Channel], S], service: str) -> S:
        """The stub of `service`; the same object every time. Calls without `timeout` get 5 s.

        Raises KeyError when `KOMU_SERVICE_ADDRESSES` does not name the service."""
        key = (stub_class, service)
        stub = self._stubs.get(key)
        if stub is None:
            stub = self._stubs[key] = stub_class(cast("grpc.aio.Channel", self._channel(service)))
        return cast("S", stub)

    async def on_behalf(self, call: _HasToken | str, service: str) -> Metadata:
        """Metadata that carries the person on: their token, exchanged for `service`'s audience.

        `call`: the Call under way or the bare token. Raises Unauthenticated, Unavailable."""
        token = call if isinstance(call, str) else call.token
        if not token:
            raise Unauthenticated
        if self._exchange is None:
            settings = self._settings
            if not (settings.identity_token_url and settings.exchange_client_id and settings.exchange_client_secret):
                raise Unauthenticated(reason="TOKEN_EXCHANGE_NOT_SET_UP")
            self._exchange = TokenExchange(
                settings.identity_token_url, settings.exchange_client_id, settings.exchange_client_secret,
                verify=issuer_context(settings),
            )
        return (("authorization", f"Bearer {await self._exchange.token(token, service)}"),)

    def as_workload(self, tenant: str) -> Metadata:
        """Metadata of a call that this service makes on its own."""
        return (("komu-tenant", tenant),)

    async def close(self) -> None:
        """Closes every channel."""
        for channel in self._channels.values():
            with contextlib.suppress(Exception):
                await channel.close()
        if self._exchange is not None:
            await self._exchange.close()


