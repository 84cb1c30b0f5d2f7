"""The identity provider: OpenID Connect code flow with PKCE, refresh, logout (OpenID Connect Core 1.0, RFC 7636)."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from servicekit.clock import Clock, now

LEVEL_URN = "urn:komu:loa:{}"
_ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
_LEEWAY_S = 30
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class IdentityAway(Exception):
    """The identity provider does not answer now."""


class SignInRefused(Exception):
    """The identity provider said no, or what it said cannot be trusted. `reason` is for logs, never for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave. Kept on the server only."""

    access: str
    refresh: str
    id_token: str
    expires_at: datetime

    def to_json(self) -> bytes:
        return json.dumps([self.access, self.refresh, self.id_token, self.expires_at.timestamp()]).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> "Tokens":
        access, refresh, id_token, expires = json.loads(raw)
        return cls(access, refresh, id_token, datetime.fromtimestamp(expires, UTC))


@dataclass(frozen=True, slots=True)
class Identity:
    """The claims of a checked pair of tokens that the portal works with."""

    subject: str
    session: str
    tenant: str
    person_id: UUID
    username: str
    name: str
    roles: frozenset[str]
    levels: Mapping[int, datetime]


def pkce_challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class IdentityProvider:
    """One realm. Endpoints by discovery, keys cached and fetched again when a key is unknown."""

    def __init__(
        self, *, issuer: str, client_id: str, client_secret: str, http: httpx.AsyncClient, clock: Clock = now
    ) -> None:
        self.issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._http = http
        self._clock = clock
        self._metadata: dict[str, Any] | None = None
        self._keys: KeySet | None = None
        self._lock = asyncio.Lock()

    async def _endpoint(self, name: str) -> str:
        async with self._lock:
            if self._metadata is None:
                found = await self._get(f"{self.issuer}/.well-known/openid-configuration")
                if found.get("issuer") != self.issuer:
                    raise SignInRefused("discovery document names another issuer")
                self._metadata = found
        return str(self._metadata[name])

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            answer = await self._http.get(url)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise IdentityAway(str(error)) from error
        return dict(answer.json())

    async def _key_set(self, *, again: bool = False) -> KeySet:
        if self._keys is None or again:
            self._keys = KeySet.import_key_set(await self._get(await self._endpoint("jwks_uri")))  # type: ignore[arg-type]
        return self._keys

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str, level: int) -> str:
        """Where to send the browser. `level` 2 asks for the second factor."""
        query = {
            "client_id": self._client_id,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": redirect_uri,
            "state": state,
            "nonce": nonce,
            "code_challenge": pkce_challenge(verifier),
            "code_challenge_method": "S256",
            "acr_values": LEVEL_URN.format(level),
            "ui_locales": "ja",
        }
        return f"{await self._endpoint('authorization_endpoint')}?{urlencode(query)}"

    async def exchange_code(
        self, *, code: str, redirect_uri: str, verifier: str, nonce: str
    ) -> tuple[Tokens, Identity]:
        """Raises: SignInRefused, IdentityAway."""
        tokens = await self._token(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        )
        return tokens, await self._identity(tokens, nonce=nonce)

    async def refresh(self, tokens: Tokens) -> tuple[Tokens, Identity]:
        """Raises: SignInRefused (the session at the provider is over), IdentityAway."""
        renewed = await self._token({"grant_type": "refresh_token", "refresh_token": tokens.refresh})
        return renewed, await self._identity(renewed, nonce=None)

    async def logout_url(self, *, id_token: str, return_to: str) -> str:
        query = {"id_token_hint": id_token, "post_logout_redirect_uri": return_to, "client_id": self._client_id}
        return f"{await self._endpoint('end_session_endpoint')}?{urlencode(query)}"

    async def _token(self, form: dict[str, str]) -> Tokens:
        try:
            answer = await self._http.post(
                await self._endpoint("token_endpoint"), data=form, auth=(self._client_id, self._client_secret)
            )
        except httpx.HTTPError as error:
            raise IdentityAway(str(error)) from error
        if answer.status_code >= 500:
            raise IdentityAway(f"token endpoint answered {answer.status_code}")
        body = answer.json()
        if answer.status_code != 200:
            raise SignInRefused(str(body.get("error", answer.status_code)))
        expires_at = self._clock() + timedelta(seconds=int(body["expires_in"]))
        return Tokens(body["access_token"], body.get("refresh_token", ""), body.get("id_token", ""), expires_at)

    async def _claims(self, token: str) -> dict[str, Any]:
        for again in (False, True):
            try:
                return dict(jwt.decode(token, await self._key_set(again=again), algorithms=_ALGORITHMS).claims)
            except (JoseError, ValueError) as error:
                if again:
                    raise SignInRefused(f"token not signed by the provider: {type(error).__name__}") from error
        raise AssertionError("unreachable")

    def _check(self, claims: dict[str, Any], **more: Any) -> None:
        registry = jwt.JWTClaimsRegistry(leeway=_LEEWAY_S, iss={"essential": True, "value": self.issuer}, **more)
        try:
            registry.validate(claims)
        except JoseError as error:
            raise SignInRefused(f"claims refused: {error}") from error

    async def _identity(self, tokens: Tokens, nonce: str | None) -> Identity:
        about_person = await self._claims(tokens.id_token)
        self._check(about_person, aud={"essential": True, "value": self._client_id}, exp={"essential": True})
        if nonce is not None and not hmac.compare_digest(str(about_person.get("nonce", "")), nonce):
            raise SignInRefused("nonce differs")
        access = await self._claims(tokens.access)
        self._check(access, exp={"essential": True}, sub={"essential": True, "value": about_person.get("sub")})
        return _identity_of(access | {k: about_person[k] for k in _PERSONAL if k in about_person})

    async def logout_subject(self, logout_token: str) -> tuple[str, datetime, str | None, str | None]:
        """Checks a back-channel logout token (OpenID Connect Back-Channel Logout 1.0 §2.6).

        Returns: its id, its end, the session it ends, the subject it ends. Raises: SignInRefused, IdentityAway.
        """
        claims = await self._claims(logout_token)
        self._check(claims, aud={"essential": True, "value": self._client_id}, iat={"essential": True})
        if "nonce" in claims or _LOGOUT_EVENT not in claims.get("events", {}) or not claims.get("jti"):
            raise SignInRefused("not a logout token")
        if not (claims.get("sid") or claims.get("sub")):
            raise SignInRefused("logout token names nobody")
        ends = datetime.fromtimestamp(int(claims.get("exp", claims["iat"] + 600)), UTC)
        if ends < self._clock() - timedelta(seconds=_LEEWAY_S):
            raise SignInRefused("logout token has expired")
        return str(claims["jti"]), ends, claims.get("sid"), claims.get("sub")


_PERSONAL = ("preferred_username", "name", "family_name", "given_name", "sid")


def _identity_of(claims: Mapping[str, Any]) -> Identity:
    try:
        person_id = UUID(str(claims["person"]))
        tenant = str(claims["tenant"])
    except (KeyError, ValueError) as error:
        raise SignInRefused("account is not tied to a person of a board") from error
    family, given = claims.get("family_name", ""), claims.get("given_name", "")
    levels = claims.get("loa") or {}
    if isinstance(levels, str):
        levels = json.loads(levels)
    return Identity(
        subject=str(claims["sub"]),
        session=str(claims.get("sid", "")),
        tenant=tenant,
        person_id=person_id,
        username=str(claims.get("preferred_username", "")),
        name=f"{family} {given}".strip() or str(claims.get("name") or claims.get("preferred_username", "")),
        roles=frozenset(claims.get("realm_access", {}).get("roles", ())),
        levels={int(level): datetime.fromtimestamp(int(at), UTC) for level, at in levels.items()},
    )
