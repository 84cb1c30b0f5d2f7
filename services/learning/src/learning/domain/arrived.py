"""Statements on their way into the store, and out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from learning.domain.tool_clients import ToolClient
from learning.domain.xapi.formats import timestamp
from learning.domain.xapi.statements import Terms


@dataclass(frozen=True, slots=True)
class Caller:
    """Who speaks to the record store: a client of a board."""

    tenant: str
    client: ToolClient


@dataclass(frozen=True, slots=True)
class Arrived:
    """A checked statement. `body`: its JSON with authority and version, without `stored`; `said`: the same, read."""

    terms: Terms
    edition: int
    own_time: bool
    body: str
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement of the store."""

    id: UUID
    stored: datetime
    edition: int
    own_time: bool
    body: str

    def json(self) -> str:
        """With `stored`, and with a timestamp where the sender gave none (Data 2.4.7: then it is that of storing)."""
        at = timestamp(self.stored)
        times = f'"stored":"{at}"' if self.own_time else f'"stored":"{at}","timestamp":"{at}"'
        return f"{{{times},{self.body[1:]}"
