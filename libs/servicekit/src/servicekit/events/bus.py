"""The connection of this process to NATS: mutual TLS, reconnects for ever, shows the newest certificate."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from servicekit.tls import TlsFiles

log = logging.getLogger(__name__)

_WAIT_S = 1.0
_REQUEST_S = 5.0


class Bus:
    """`run()` keeps one connection; `jetstream()` waits until there is one."""

    def __init__(self, service: str, url: str, tls: TlsFiles | None) -> None:
        self._service = service
        self._url = url
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._on_back: list[Callable[[], None]] = []

    def on_back(self, callback: Callable[[], None]) -> Callable[[], None]:
        """`callback` runs whenever a lost connection is back: what was asked before will not be answered any more.
        Returns a function that ends it."""
        self._on_back.append(callback)
        return lambda: self._on_back.remove(callback)

    @property
    def connected(self) -> bool:
        """Whether the server is reached right now."""
        return self._client is not None and self._client.is_connected

    async def client(self) -> Client:
        """Waits for the connection."""
        while True:
            await self._up.wait()
            if self._client is not None and self._client.is_connected:
                return self._client
            self._up.clear()

    async def jetstream(self) -> JetStreamContext:
        """Waits for the connection."""
        return (await self.client()).jetstream(timeout=_REQUEST_S)

    async def run(self) -> None:
        """Until cancelled: connects, and again whenever the client gave up."""
        quiet = False
        while True:
            try:
                self._client = await self._connect()
            except (OSError, NatsError, TimeoutError) as error:
                if not quiet:
                    log.warning("NATS is not reached yet: %s", type(error).__name__)
                quiet = True
                await asyncio.sleep(_WAIT_S)
                continue
            quiet = False
            self._up.set()
            while not self._client.is_closed:
                if self._tls is not None and self._context is not None and self._tls.refresh():
                    with contextlib.suppress(OSError):
                        self._tls.load_into(self._context)
                await asyncio.sleep(_WAIT_S)

    async def _connect(self) -> Client:
        async def lost() -> None:
            log.warning("NATS connection lost")
            self._up.clear()

        async def found() -> None:
            log.info("NATS connection is back")
            self._up.set()
            for callback in tuple(self._on_back):
                callback()

        async def failed(error: Exception) -> None:
            log.info("NATS: %s", type(error).__name__)

        if self._tls is not None:
            self._context = self._tls.client_context()
        client = await nats.connect(
            self._url,
            name=f"komu-{self._service}",
            tls=self._context,
            inbox_prefix=f"_INBOX.{self._service}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,
            connect_timeout=3,
            ping_interval=10,
            max_outstanding_pings=2,
            disconnected_cb=lost,
            reconnected_cb=found,
            error_cb=failed,
        )
        log.info("NATS is reached")
        return client

    async def close(self) -> None:
        """Says goodbye; what was not acknowledged comes again."""
        if self._client is not None and not self._client.is_closed:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._client.close(), 3)
