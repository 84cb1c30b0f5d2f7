"""Who speaks: HTTP Basic with key and secret, or a token of `/oauth2/token` (Communication 4.0)."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from typing import Any

import orjson
from cachetools import TTLCache
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from servicekit.db import Database

from learning.domain.arrived import Caller
from learning.domain.tool_clients import ToolClient, hash_of, is_secret, read_key
from learning.domain.xapi.wrong import Wrong
from learning.store import tool_clients

REMEMBERED_S = 2.0
"""A client that was closed, or whose secret was renewed, is turned away after so long at the latest."""
TOKEN_S = 600


class Door:
    """Recognises clients; remembers each for `REMEMBERED_S`.

    `keys`: secrets of the deployment, newest first, separated by commas. The newest signs tokens, every one opens them;
    without any there are no tokens, only HTTP Basic."""

    def __init__(self, database: Database, keys: str) -> None:
        self._database = database
        self._keys = [key.strip().encode() for key in keys.split(",") if key.strip()]
        self._remembered: TTLCache[str, tuple[ToolClient, bytes] | None] = TTLCache(10_000, REMEMBERED_S)

    async def caller_of(self, authorization: str) -> Caller:
        """Raises: Wrong 401."""
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() == "basic":
            key, secret = basic(credentials)
            return await self.with_secret(key, secret)
        if scheme.lower() == "bearer":
            return await self._with_token(credentials.strip())
        raise _unknown()

    async def with_secret(self, key: str, secret: str) -> Caller:
        """Raises: Wrong 401."""
        tenant, client, stored = await self._client(key)
        if not is_secret(secret, stored):
            raise _unknown()
        return Caller(tenant, client)

    async def token_for(self, key: str, secret: str) -> str:
        """A token for `TOKEN_S` seconds. A copy of the database makes none: the deployment's key is in the signature,
        the client's row as well, so a renewed secret ends its tokens. Raises: Wrong 401 and 503."""
        await self.with_secret(key, secret)
        if not self._keys:
            raise Wrong("there are no tokens here yet: send key and secret with every request (HTTP Basic)", 503)
        now = int(time.time())
        claims = {"sub": key, "aud": "xapi", "iat": now, "exp": now + TOKEN_S}
        return jwt.encode({"alg": "HS256", "kid": key}, claims, _signing_key(self._keys[0], hash_of(secret)))

    async def _with_token(self, token: str) -> Caller:
        try:
            key = _kid_of(token)
            tenant, client, stored = await self._client(key)
            claims = self._opened(token, stored)
            wanted = jwt.JWTClaimsRegistry(
                exp={"essential": True}, sub={"essential": True, "value": key}, aud={"essential": True, "value": "xapi"}
            )
            wanted.validate(claims)
        except (JoseError, ValueError):
            raise _unknown() from None
        return Caller(tenant, client)

    def _opened(self, token: str, stored: bytes) -> dict[str, Any]:
        """Raises: JoseError, ValueError."""
        failed: Exception = ValueError("no key")
        for key in self._keys:
            try:
                return jwt.decode(token, _signing_key(key, stored), algorithms=["HS256"]).claims
            except JoseError as error:
                failed = error
        raise failed

    async def _client(self, key: str) -> tuple[str, ToolClient, bytes]:
        named = read_key(key)
        if named is None:
            raise _unknown()
        tenant, client_id = named
        if key not in self._remembered:
            async with self._database.reading(tenant) as tx:
                self._remembered[key] = await tool_clients.with_secret(tx, client_id)
        found = self._remembered.get(key)
        if found is None or not found[0].active:
            raise _unknown()
        return tenant, *found


def basic(credentials: str) -> tuple[str, str]:
    """Key and secret of HTTP Basic. Raises: Wrong 401."""
    try:
        key, colon, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        raise _unknown() from None
    if not colon:
        raise _unknown()
    return key, secret


def _kid_of(token: str) -> str:
    head = token.partition(".")[0]
    header = orjson.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    if not isinstance(header, dict):
        raise ValueError(head)
    return str(header.get("kid", ""))


def _signing_key(key: bytes, secret_hash: bytes) -> OctKey:
    return OctKey.import_key(hmac.digest(key, b"komu xapi token " + secret_hash, "sha256"))


def _unknown() -> Wrong:
    return Wrong("this client is not known: send the key and the secret the board of education gave out", 401)
