"""連携先: who may ask for OneRoster objects of a board. Client ids and tokens name the board, so that row security can
be set before the first look; what proves them is 256 random bits, of which only the SHA-256 is kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.errors import Violation

from dataexchange.domain.rest.scopes import SCOPES

TOKEN_LASTS = timedelta(hours=1)
MOST_NAME, MOST_PURPOSE = 100, 500
_CREDENTIAL = re.compile(r"([a-z0-9-]{1,40})\.([A-Za-z0-9_-]{16,64})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Partner:
    """A client of the board; `school_ids` empty: every school."""

    id: UUID
    name: str
    purpose: str
    scopes: frozenset[str]
    school_ids: frozenset[str]
    created_at: datetime
    disabled_at: datetime | None
    last_used_at: datetime | None
    version: int

    def client_id(self, tenant: str) -> str:
        return f"{tenant}.{self.id.hex}"


@dataclass(frozen=True, slots=True)
class LineItem:
    """課題 that a partner wrote, as the board looks at it; names are blank where the thing is gone."""

    position: int
    title: str
    class_name: str
    school_name: str
    partner_name: str
    results: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token opens, until when."""

    tenant: str
    partner_id: UUID
    scopes: frozenset[str]
    school_ids: frozenset[str]
    expires_at: datetime

    @property
    def refs(self) -> list[str] | None:
        """One of these has to be among the refs of an object; None: no limit."""
        return ["board", *sorted(f"school:{one}" for one in self.school_ids)] if self.school_ids else None


def problems(name: str, purpose: str, scopes: Collection[str]) -> list[Violation]:
    found = []
    if not name.strip() or len(name) > MOST_NAME:
        found.append(Violation("name", f"連携先の名前を{MOST_NAME}字までで書いてください（例: みらい学習eポータル）。"))
    if not purpose.strip() or len(purpose) > MOST_PURPOSE:
        found.append(Violation("purpose", f"提供の目的を{MOST_PURPOSE}字までで書いてください（例: 名簿の連携）。"))
    if not scopes or not set(scopes) <= SCOPES.keys():
        found.append(Violation("scopes", "許可する範囲を1つ以上選んでください。"))
    return found


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def new_token(tenant: str) -> str:
    return f"{tenant}.{secrets.token_urlsafe(32)}"


def sha256(secret: str) -> bytes:
    """A stretched hash is for passwords people choose; 256 random bits cannot be guessed from a plain one."""
    return hashlib.sha256(secret.encode()).digest()


def same(secret: str, kept: bytes) -> bool:
    return hmac.compare_digest(sha256(secret), kept)


def tenant_of(credential: str) -> str | None:
    """The board that a client id or a token names; None for what cannot be one."""
    found = _CREDENTIAL.match(credential)
    return found[1] if found else None


def partner_id_of(client_id: str) -> UUID | None:
    found = _CREDENTIAL.match(client_id)
    try:
        return UUID(hex=found[2]) if found else None
    except ValueError:
        return None
