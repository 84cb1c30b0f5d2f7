"""Keep the directory fresh: fetch on a schedule, keep the last good one, refuse what does not follow it."""

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from servicekit.db import Database

from dataexchange.clients.peers import Peers
from dataexchange.domain import directory as directories
from dataexchange.domain import jose, keys
from dataexchange.domain.ourselves import Ourselves
from dataexchange.domain.refusals import Refusal
from dataexchange.domain.transfers import DEPLOYMENT
from dataexchange.store import exchange

log = logging.getLogger(__name__)

RETRY_S: Final = 5.0


class SpokenFor(Protocol):
    """An organisation of ours, its board, and where its private keys are."""

    @property
    def tenant(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def key_file(self) -> Path: ...


class Trust:
    """Reads organisations, keys and directory from their places into `us`."""

    def __init__(
        self, database: Database, us: Ourselves, peers: Peers, *, organisations: Sequence[SpokenFor], directory: str,
        operator: Path, every_s: float,
    ) -> None:  # fmt: skip
        self._database = database
        self._us = us
        self._peers = peers
        self._organisations = organisations
        self._directory = directory
        self._operator = operator
        self._every_s = every_s

    async def run(self) -> None:
        """Until cancelled. A fault is logged once and shown on the pages; the last good directory stays in use."""
        while True:
            try:
                await self.refresh()
                trouble = ""
            except (Refusal, OSError, ValueError, KeyError) as error:
                trouble = error.say() if isinstance(error, Refusal) else str(error)
            if trouble and trouble != self._us.trouble:
                log.warning("the directory could not be refreshed: %s", trouble)
            self._us.trouble = trouble
            await asyncio.sleep(RETRY_S if self._us.held is None else self._every_s)

    async def refresh(self) -> None:
        """Raises: Refusal, OSError, ValueError, KeyError."""
        await asyncio.to_thread(self._read_keys)
        operator: dict[str, Any] = json.loads(await asyncio.to_thread(self._operator.read_bytes))
        now = self._database.clock()
        operator_id = jose.key_object(operator).thumbprint()
        if self._us.held is None:
            async with self._database.reading(DEPLOYMENT) as tx:
                kept = await exchange.latest_directory(tx, operator_id)
            if kept is not None:
                self._us.held = directories.read(kept, operator)
        raw = await self._fetch()
        if self._us.held is not None and raw == self._us.held.raw:
            return
        fresh = directories.accept(raw, operator, self._us.held, now)
        async with self._database.transaction(DEPLOYMENT) as tx:
            await exchange.adopt_directory(tx, operator_id, fresh.content.sequence, fresh.sha256, fresh.raw)
        self._us.held = fresh
        log.info("directory %d is in use", fresh.content.sequence)

    async def _fetch(self) -> bytes:
        if self._directory.startswith("https://"):
            return await self._peers.fetch(self._directory)
        return await asyncio.to_thread(Path(self._directory).read_bytes)

    def _read_keys(self) -> None:
        loaded: dict[str, keys.OwnKeys] = {}
        for entry in self._organisations:
            own = keys.load(json.loads(entry.key_file.read_bytes()))
            if own.organisation != entry.id:
                raise ValueError(f"{entry.key_file} holds the keys of {own.organisation}, not of {entry.id}")
            loaded[own.organisation] = own
        self._us.keys = loaded
        self._us.tenants = {entry.id: entry.tenant for entry in self._organisations}
