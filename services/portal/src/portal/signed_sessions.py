"""Sessions on the server: opened by a secret in a cookie, holding tokens the browser never sees.

The table knows only SHA-256 of the secret, and tokens encrypted with Fernet. Refreshing runs under the row's lock: the
provider accepts a refresh token once, so of several requests at a time one refreshes and the others take what it got.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cachetools import LRUCache
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from servicekit.db import Database
from sqlalchemy.ext.asyncio import AsyncEngine

from portal.identity import Identity, IdentityAway, IdentityProvider, SignInRefused, Tokens
from portal.store import sessions

REFRESH_BEFORE = timedelta(seconds=30)
_SEEN_EVERY = timedelta(seconds=60)
_MOST_OPENED = 2048


def hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session as one request sees it."""

    secret_hash: bytes
    tenant: str
    person_id: UUID
    subject: str
    identity_session: str
    username: str
    name: str
    roles: frozenset[str]
    csrf_secret: str
    access_token: str
    id_token: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedSessions:
    """Opens, renews and ends sessions."""

    engine: AsyncEngine
    database: Database
    """The same database by the kit's way: for the one statement that every request sends."""
    provider: IdentityProvider
    keys: MultiFernet
    newest_key: str
    idle: timedelta
    absolute: timedelta
    now: Callable[[], datetime]
    opened: LRUCache[bytes, Tokens] = field(default_factory=lambda: LRUCache(_MOST_OPENED))
    """Tokens by what they are encrypted to. The row is read for every request all the same: what is ended is over."""

    @classmethod
    def build(
        cls,
        *,
        engine: AsyncEngine,
        database: Database,
        provider: IdentityProvider,
        keys: list[str],
        idle: timedelta,
        absolute: timedelta,
        now: Callable[[], datetime],
    ) -> "SignedSessions":
        fernets = MultiFernet([Fernet(key) for key in keys])
        return cls(engine, database, provider, fernets, keys[0], idle, absolute, now)

    async def start(self, tokens: Tokens, identity: Identity) -> str:
        """A new session; returns its secret for the cookie. Never takes over a secret the browser brought along."""
        secret = secrets.token_urlsafe(32)
        now = self.now()
        async with self.engine.begin() as connection:
            await sessions.add(
                connection,
                self._columns(tokens, identity)
                | {
                    "secret_hash": hashed(secret),
                    "csrf_secret": secrets.token_urlsafe(32),
                    "created_at": now,
                    "renewed_at": now,
                    "seen_at": now,
                    "expires_at": now + self.absolute,
                },
            )
        return secret

    async def raise_level(self, secret: str, tokens: Tokens, identity: Identity) -> str | None:
        """Puts tokens of a higher level into a live session of the same person and gives it a new secret.

        Forms open in other tabs stay valid (their CSRF token belongs to the session, not to the secret).
        Returns: the new secret, or None where there is no such session (start a new one).
        """
        now = self.now()
        async with self.engine.begin() as connection:
            row = await sessions.find_locked(connection, hashed(secret), now, self.idle)
            if row is None or row["subject"] != identity.subject or row["tenant_id"] != identity.tenant:
                return None
            renewed = secrets.token_urlsafe(32)
            await sessions.save(
                connection,
                row["secret_hash"],
                self._columns(tokens, identity)
                | {
                    "secret_hash": hashed(renewed),
                    "previous_hash": row["secret_hash"],
                    "renewed_at": now,
                    "seen_at": now,
                },
            )
        return renewed

    async def open(self, secret: str) -> LiveSession | None:
        """The session of this secret with fresh tokens; None if there is none or the provider ended it.

        Raises: IdentityAway, when the tokens have run out and the provider cannot be asked; Unavailable.
        """
        now = self.now()
        row = await sessions.glance(self.database, hashed(secret), now, self.idle)
        if row is None:
            return None
        tokens = self._tokens(row)
        if tokens is None or tokens.expires_at - REFRESH_BEFORE <= now:
            return await self._refreshed(secret)
        if row["seen_at"] <= now - _SEEN_EVERY:
            async with self.engine.begin() as connection:
                await sessions.save(connection, row["secret_hash"], {"seen_at": now})
        return _live(row, tokens)

    async def _refreshed(self, secret: str) -> LiveSession | None:
        now = self.now()
        async with self.engine.begin() as connection:
            row = await sessions.find_locked(connection, hashed(secret), now, self.idle)
            if row is None:
                return None
            tokens = self._tokens(row)
            if tokens is None:
                await sessions.remove(connection, row["secret_hash"])
                return None
            if tokens.expires_at - REFRESH_BEFORE > now:
                return _live(row, tokens)
            try:
                tokens, identity = await self.provider.refresh(tokens)
            except SignInRefused:
                await sessions.remove(connection, row["secret_hash"])
                return None
            except IdentityAway:
                if tokens.expires_at > now:
                    return _live(row, tokens)
                raise
            if identity.subject != row["subject"]:
                await sessions.remove(connection, row["secret_hash"])
                return None
            changed = self._columns(tokens, identity) | {"seen_at": now}
            await sessions.save(connection, row["secret_hash"], changed)
            return _live({**row, **changed}, tokens)

    async def end(self, secret: str) -> LiveSession | None:
        """Ends one session; returns it as it was, for the provider's logout."""
        now = self.now()
        async with self.engine.begin() as connection:
            row = await sessions.find_locked(connection, hashed(secret), now, self.idle)
            if row is None:
                return None
            await sessions.remove(connection, row["secret_hash"])
            tokens = self._tokens(row)
            return _live(row, tokens) if tokens else None

    def keep_key(self, session: LiveSession) -> str:
        """What this person's unsaved input is sealed with in the browser (docs/adr/0012).

        The same in every session of the person, so that an ended session loses nothing; nobody else's page carries it.
        """
        whose = f"komu.kept\n{session.tenant}\n{session.person_id}"
        return hmac.new(self.newest_key.encode(), whose.encode(), hashlib.sha256).hexdigest()

    def _columns(self, tokens: Tokens, identity: Identity) -> dict[str, Any]:
        return {
            "tenant_id": identity.tenant,
            "person_id": identity.person_id,
            "subject": identity.subject,
            "identity_session": identity.session,
            "username": identity.username,
            "name": identity.name,
            "roles": sorted(identity.roles),
            "tokens": self.keys.encrypt(tokens.to_json()),
            "tokens_expire_at": tokens.expires_at,
        }

    def _tokens(self, row: Mapping[str, Any]) -> Tokens | None:
        """None where no key opens them any more: the session is over."""
        encrypted: bytes = row["tokens"]
        tokens = self.opened.get(encrypted)
        if tokens is None:
            try:
                tokens = self.opened[encrypted] = Tokens.from_json(self.keys.decrypt(encrypted))
            except InvalidToken:
                return None
        return tokens


def _live(row: Mapping[str, Any], tokens: Tokens) -> LiveSession:
    return LiveSession(
        secret_hash=row["secret_hash"],
        tenant=row["tenant_id"],
        person_id=row["person_id"],
        subject=row["subject"],
        identity_session=row["identity_session"],
        username=row["username"],
        name=row["name"],
        roles=frozenset(row["roles"]),
        csrf_secret=row["csrf_secret"],
        access_token=tokens.access,
        id_token=tokens.id_token,
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
