"""Access tokens: signature, issuer, audience, time; then the Actor they speak of. Remembered until they expire."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import httpx
import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from servicekit.auth import Actor
from servicekit.errors import Unauthenticated, Unavailable

log = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_MOST_REMEMBERED = 20_000
_REFETCH_AFTER_S = 10.0
_LEEWAY_S = 30


class KeySource:
    """The issuer's public keys: fetched at first use, and again (at most every 10 s) when a token names a new one."""

    def __init__(self, url: str, *, keys: KeySet | None = None, verify: ssl.SSLContext | bool = True) -> None:
        self._url = url
        self._verify = verify
        self._keys = keys
        self._fetched_at = -_REFETCH_AFTER_S
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> Any:
        """Raises Unauthenticated for a key the issuer does not have, Unavailable when it cannot be asked."""
        for _ in range(2):
            if self._keys is not None:
                for key in self._keys.keys:
                    if key.kid == kid:
                        return key
            if not await self._fetch():
                break
        raise Unauthenticated(reason="TOKEN_INVALID")

    async def _fetch(self) -> bool:
        if not self._url:
            return False
        async with self._lock:
            if time.monotonic() - self._fetched_at < _REFETCH_AFTER_S:
                return self._keys is not None
            try:
                async with httpx.AsyncClient(verify=self._verify, timeout=5) as client:
                    answer = await client.get(self._url)
                    answer.raise_for_status()
                    usable = [key for key in answer.json()["keys"] if key.get("use", "sig") == "sig"]
                    self._keys = KeySet.import_key_set({"keys": usable})
            except (httpx.HTTPError, ValueError, KeyError, JoseError) as error:
                log.warning("the issuer's keys could not be fetched: %s", type(error).__name__)
                if self._keys is None:
                    raise Unavailable(reason="IDENTITY_UNAVAILABLE") from error
                return False
            self._fetched_at = time.monotonic()
            return True


class TokenVerifier:
    """Turns a bearer into an Actor for `audience` (the service's name)."""

    def __init__(self, *, issuer: str, audience: str, keys: KeySource) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._known: dict[str, tuple[float, Actor]] = {}

    def remembered(self, token: str, now: datetime) -> Actor | None:
        """The actor of a token validated before and not expired."""
        entry = self._known.get(token)
        if entry is None:
            return None
        if entry[0] <= now.timestamp():
            del self._known[token]
            return None
        return entry[1]

    async def actor(self, token: str, now: datetime) -> Actor:
        """Raises Unauthenticated (TOKEN_INVALID, TOKEN_EXPIRED) or Unavailable."""
        actor = self.remembered(token, now)
        if actor is not None:
            return actor
        claims = await self._claims(token)
        expires_at = claims.get("exp")
        if not isinstance(expires_at, int | float) or expires_at <= now.timestamp():
            raise Unauthenticated(reason="TOKEN_EXPIRED")
        actor = self._actor(claims, now)
        if len(self._known) >= _MOST_REMEMBERED:
            self._forget(now.timestamp())
        self._known[token] = (float(expires_at), actor)
        return actor

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            signed = jws.extract_compact(token.encode())
            header = signed.headers()
            kid = header.get("kid")
            if not isinstance(kid, str) or header.get("alg") not in ALGORITHMS:
                raise Unauthenticated(reason="TOKEN_INVALID")
            key = await self._keys.key(kid)
            if not jws.validate_compact(signed, key, algorithms=ALGORITHMS):
                raise Unauthenticated(reason="TOKEN_INVALID")
            claims = orjson.loads(signed.payload)
        except (JoseError, ValueError, TypeError) as error:
            raise Unauthenticated(reason="TOKEN_INVALID") from error
        if not isinstance(claims, dict):
            raise Unauthenticated(reason="TOKEN_INVALID")
        return claims

    def _actor(self, claims: dict[str, Any], now: datetime) -> Actor:
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience
        not_before = claims.get("nbf") or 0
        if (
            claims.get("iss") != self._issuer
            or audiences != [self._audience]
            or not isinstance(not_before, int | float)
            or not_before > now.timestamp() + _LEEWAY_S
        ):
            raise Unauthenticated(reason="TOKEN_INVALID")
        try:
            levels = claims.get("loa") or {}
            if isinstance(levels, str):
                levels = orjson.loads(levels)
            roles = (claims.get("realm_access") or {}).get("roles") or []
            tenant = claims["tenant"]
            if not isinstance(tenant, str) or not tenant:
                raise ValueError("tenant")
            return Actor(
                tenant=tenant,
                person_id=UUID(claims["person"]),
                roles=frozenset(str(role) for role in roles),
                levels=MappingProxyType(
                    {int(level): datetime.fromtimestamp(float(at), UTC) for level, at in levels.items()}
                ),
                session_id=str(claims.get("sid", "")),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise Unauthenticated(reason="TOKEN_INVALID") from error

    def _forget(self, now: float) -> None:
        self._known = {token: entry for token, entry in self._known.items() if entry[0] > now}
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
