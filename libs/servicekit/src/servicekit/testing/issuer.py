"""An issuer of tokens for tests: the same claims as the realm's, keys over HTTP, and token exchange."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from servicekit.auth import Actor
from servicekit.clock import now
from servicekit.http import HttpServer


class TokenIssuer:
    """`token(actor, audience)`; `jwks_url` and `token_url` after `start()`."""

    client_id = "portal-exchange"
    client_secret = "secret-of-tests"  # noqa: S105 - not a secret: it opens only this issuer

    def __init__(self) -> None:
        self.key = self._new_key()
        self.exchanges = 0
        self.key_requests = 0
        self._tokens: dict[tuple[Actor, str], str] = {}
        self._http: HttpServer | None = None

    @staticmethod
    def _new_key() -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": str(uuid4()), "use": "sig", "alg": "RS256"})

    def rotate(self) -> None:
        """A new key; tokens made from now on name it."""
        self.key = self._new_key()
        self._tokens.clear()

    @property
    def keys(self) -> KeySet:
        return KeySet([self.key])

    @property
    def url(self) -> str:
        """Issuer."""
        assert self._http is not None, "start() first"
        return f"http://127.0.0.1:{self._http.port}/realms/test"

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/certs"

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    async def start(self) -> None:
        app = Starlette(
            routes=[
                Route("/realms/test/certs", self._certs),
                Route("/realms/test/token", self._exchange, methods=["POST"]),
            ]
        )
        self._http = HttpServer(app, "127.0.0.1:0")
        await self._http.start()

    async def stop(self) -> None:
        if self._http is not None:
            await self._http.stop()

    def token(
        self, actor: Actor, audience: str, *, at: datetime | None = None, lives_s: int = 3600,
        claims: Mapping[str, Any] | None = None, key: RSAKey | None = None,
    ) -> str:
        """A token as Keycloak makes it. `claims` override; a claim of None is left out."""
        plain = at is None and claims is None and key is None and lives_s == 3600
        if plain and (actor, audience) in self._tokens:
            return self._tokens[actor, audience]
        issued_at = int((at or now()).timestamp())
        body: dict[str, Any] = {
            "iss": self.url, "aud": audience, "sub": str(uuid4()), "iat": issued_at, "exp": issued_at + lives_s,
            "tenant": actor.tenant, "person": str(actor.person_id), "sid": actor.session_id or str(uuid4()),
            "realm_access": {"roles": sorted(actor.roles)},
            "loa": {str(level): int(reached.timestamp()) for level, reached in actor.levels.items()},
            **(claims or {}),
        }
        signer = key or self.key
        made = jwt.encode(
            {"alg": "RS256", "kid": signer.kid, "typ": "JWT"},
            {name: value for name, value in body.items() if value is not None}, signer,
        )
        if plain:
            self._tokens[actor, audience] = made
        return made

    async def _certs(self, _: Request) -> Response:
        self.key_requests += 1
        return JSONResponse(self.keys.as_dict(private=False))

    async def _exchange(self, request: Request) -> Response:
        form = await request.form()
        sent = request.headers.get("authorization", "").removeprefix("Basic ")
        if base64.b64decode(sent).decode() != f"{self.client_id}:{self.client_secret}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        audience = str(form.get("audience", ""))
        wanted = "urn:ietf:params:oauth:grant-type:token-exchange"
        if form.get("grant_type") != wanted or not audience or form.get("scope") != audience:
            return JSONResponse({"error": "invalid_request"}, status_code=400)
        try:
            claims = dict(jwt.decode(str(form.get("subject_token")), self.keys, algorithms=["RS256"]).claims)
        except (ValueError, JoseError):
            return JSONResponse({"error": "invalid_request"}, status_code=400)
        self.exchanges += 1
        claims["aud"] = audience
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        answer = {"access_token": token, "expires_in": 300, "token_type": "Bearer"}
        return Response(orjson.dumps(answer), media_type="application/json")
