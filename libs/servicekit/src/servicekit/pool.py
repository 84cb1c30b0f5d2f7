"""Connections that stay checked out of SQLAlchemy between transactions: taking one costs nothing."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from servicekit.wire import Connection

log = logging.getLogger(__name__)


class Pool:
    """At most `size` connections, the last used one first."""

    def __init__(self, engine: AsyncEngine, size: int) -> None:
        self._engine = engine
        self._free: list[tuple[AsyncConnection, Connection]] = []
        self._slots = asyncio.Semaphore(size)
        self._closed = False

    async def take(self) -> tuple[AsyncConnection, Connection]:
        await self._slots.acquire()
        try:
            while self._free:
                connection, raw = self._free.pop()
                if not raw.closed and not connection.closed and not connection.invalidated and raw.is_silent():
                    return connection, raw
                await self.discard(connection)
            connection = await self._engine.connect()
            driver: Any = (await connection.get_raw_connection()).driver_connection
            return connection, driver
        except BaseException:
            self._slots.release()
            raise

    async def give_back(
        self, connection: AsyncConnection, raw: Connection, *, usable: bool
    ) -> None:
        try:
            if usable and not self._closed and not raw.closed and not connection.invalidated:
                self._free.append((connection, raw))
            else:
                await self.discard(connection)
        finally:
            self._slots.release()

    async def discard(self, connection: AsyncConnection) -> None:
        try:
            if not connection.closed:
                if not connection.invalidated:
                    await connection.invalidate()
                await connection.close()
        except Exception:
            log.debug("a broken connection could not be closed", exc_info=True)

    def drop_free(self) -> list[AsyncConnection]:
        dropped, self._free = [connection for connection, _ in self._free], []
        return dropped

    async def close(self) -> None:
        self._closed = True
        for connection in self.drop_free():
            await self.discard(connection)
