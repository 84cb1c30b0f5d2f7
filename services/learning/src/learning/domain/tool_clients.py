"""利用者登録 of learning tools at the record store: who may send and read, and with which key."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

LONGEST_NAME = 100
LONGEST_PURPOSE = 400
_KEY = re.compile(r"([a-z0-9-]{1,40})\.([0-9a-f]{32})")


class Reading(StrEnum):
    """Which statements of its board a client may read (Experience API 1.0.3, part 3, 4.2: scopes)."""

    OWN = "own"
    """What it wrote itself; the default."""
    ALL = "all"
    """Everything of the board: for the board's own portal, granted by name."""


@dataclass(frozen=True, slots=True)
class ToolClient:
    """A client of the record store. The secret is known to the tool alone; here lies its SHA-256."""

    id: UUID
    name: str
    purpose: str
    """What for the board gives the tool this door (個人情報保護法 61条: 利用目的)."""
    reading: Reading
    created_by: UUID
    created_at: datetime
    disabled_at: datetime | None
    version: int

    @property
    def active(self) -> bool:
        return self.disabled_at is None


@dataclass(frozen=True, slots=True)
class Use:
    """What a client did so far."""

    last_used_at: datetime
    statements: int


def key_of(tenant: str, client_id: UUID) -> str:
    """What the tool sends as user name of HTTP Basic: it names the board, so the row can be found behind its wall."""
    return f"{tenant}.{client_id.hex}"


def read_key(key: str) -> tuple[str, UUID] | None:
    """Board and client of a key; None when it is none."""
    found = _KEY.fullmatch(key)
    return (found[1], UUID(found[2])) if found else None


def hash_of(secret: str) -> bytes:
    """SHA-256: enough for a secret of 256 random bits, which nobody can guess."""
    return hashlib.sha256(secret.encode()).digest()


def is_secret(secret: str, stored: bytes) -> bool:
    """Whether `secret` is the one, compared in constant time."""
    return hmac.compare_digest(hash_of(secret), stored)
