"""Whether tokens still stand and what version there is, asked for all requests that wait at once.

A request waits for a question that begins after it arrived, so what it hears is never older than itself."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from servicekit.db import Database

from dataexchange.usecases import serving


@dataclass(frozen=True, slots=True)
class Standing:
    """`tokens`: those that stand; `versions` by service."""

    tokens: frozenset[bytes]
    versions: dict[str, int]


class Asking:
    """One question per board under way, one in preparation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, dict[bytes, None]] = defaultdict(dict)
        self._next: dict[str, asyncio.Task[Standing]] = {}
        self._under_way: dict[str, asyncio.Task[Standing]] = {}

    async def ask(self, tenant: str, token: bytes) -> Standing:
        """Raises: Unavailable."""
        self._waiting[tenant][token] = None
        task = self._next.get(tenant)
        if task is None:
            task = self._next[tenant] = asyncio.ensure_future(self._after(tenant, self._under_way.get(tenant)))
        return await asyncio.shield(task)

    async def _after(self, tenant: str, before: "asyncio.Task[Standing] | None") -> Standing:
        if before is not None:
            await asyncio.wait((before,))
        tokens = list(self._waiting.pop(tenant))
        task = self._next.pop(tenant)
        self._under_way[tenant] = task
        try:
            async with self._database.reading(tenant) as tx:
                standing, versions = await serving.standing(tx, tokens)
        finally:
            if self._under_way.get(tenant) is task:
                del self._under_way[tenant]
        return Standing(standing, versions)
