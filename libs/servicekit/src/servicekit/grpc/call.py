"""One RPC under way, as the servicer method sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from servicekit.auth import Actor
from servicekit.db import Database, Transaction

T = TypeVar("T")


@dataclass(slots=True)
class Call:
    """Who calls (`actor` is None when a service calls on its own), for which tenant, when; the way into a use case."""

    tenant: str
    now: datetime
    database: Database
    workload: str
    """Service whose certificate the connection has."""
    actor: Actor | None = None
    token: str | None = None
    """The bearer as received; for `clients.on_behalf`."""
    context: Any = None

    @property
    def person(self) -> Actor:
        """The actor of an RPC marked `rpc`. Raises RuntimeError in a workload call."""
        if self.actor is None:
            raise RuntimeError("no person in a workload call")
        return self.actor

    async def run(self, usecase: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T:
        """`usecase(tx, actor, *args)` in one transaction, then commit. In a workload call: `usecase(tx, *args)`."""
        async with self.database.transaction(self.tenant, self.actor) as tx:
            if self.actor is None:
                return await usecase(tx, *args, **kwargs)
            return await usecase(tx, self.actor, *args, **kwargs)

    async def read(self, query: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T:
        """Like `run`, read-only. `tx.audit` works (reads of class I and II), `tx.emit` does not."""
        async with self.database.reading(self.tenant, self.actor) as tx:
            if self.actor is None:
                return await query(tx, *args, **kwargs)
            return await query(tx, self.actor, *args, **kwargs)

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """For streaming RPCs: the transaction is open while the block runs."""
        return self.database.transaction(self.tenant, self.actor)

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """For streaming RPCs that only read."""
        return self.database.reading(self.tenant, self.actor)
