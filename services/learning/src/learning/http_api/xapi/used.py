"""Who uses the store, and how much: gathered for a second, then written, so that no request waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from uuid import UUID

from servicekit.db import Database

from learning.domain.arrived import Caller
from learning.usecases import statements

log = logging.getLogger(__name__)
_GATHERED_S = 1.0


class Used:
    """What a process that is killed had not yet written is lost: the numbers are for people, not for accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathered: dict[str, Counter[UUID]] = defaultdict(Counter)
        self._writing: asyncio.Task[None] | None = None

    def note(self, caller: Caller, brought: int = 0) -> None:
        """`caller` was here and `brought` so many statements."""
        self._gathered[caller.tenant][caller.client.id] += brought
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._gathered:
            await asyncio.sleep(_GATHERED_S)
            gathered, self._gathered = self._gathered, defaultdict(Counter)
            for tenant, uses in gathered.items():
                try:
                    async with self._database.transaction(tenant) as tx:
                        await statements.note_use(tx, uses)
                except Exception as error:
                    log.warning("use of tools not noted: %s", type(error).__name__)
