"""The portal with a real PostgreSQL and an identity provider that lives in the process."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet
from fastapi import APIRouter, FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from portal.app import build
from portal.pages import Pages, discover
from portal.settings import PortalSettings
from servicekit.clock import FixedClock, now

ORIGIN = "https://portal.test"
ISSUER = "https://id.test/realms/komu"


@dataclass
class Provider:
    """Answers as the realm does: codes and refresh tokens are good once, `loa` tells the level."""

    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": "k"}))
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    refresh_tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    refreshes: int = 0
    away: bool = False
    lives_s: int = 300

    def grant(self, asked_nonce: str, *, level: int = 1, **claims: Any) -> str:
        """A code as the browser would bring it back."""
        code = uuid4().hex
        at = int(time.time())
        person = {
            "sub": "subject-1",
            "sid": "identity-session-1",
            "tenant": "aozora",
            "person": "0190a0a0-0000-4000-8000-000000000001",
            "preferred_username": "aozora.es.teacher1",
            "family_name": "髙橋",
            "given_name": "担子",
            "realm_access": {"roles": ["teacher"]},
            "loa": {str(n): at for n in range(1, level + 1)},
        }
        self.codes[code] = {"nonce": asked_nonce} | person | claims
        return code

    def sign(self, **claims: Any) -> str:
        at = int(time.time())
        base = {"iss": ISSUER, "aud": "portal", "iat": at, "exp": at + 3600}
        return jwt.encode({"alg": "RS256", "kid": "k"}, base | claims, self.key)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        path = request.url.path
        if path.endswith("openid-configuration"):
            names = {
                "jwks_uri": "certs",
                "token_endpoint": "token",
                "authorization_endpoint": "auth",
                "end_session_endpoint": "logout",
            }
            return httpx.Response(
                200, json={"issuer": ISSUER} | {name: f"{ISSUER}/{end}" for name, end in names.items()}
            )
        if path.endswith("certs"):
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if form["grant_type"] == "authorization_code":
            person = self.codes.pop(form["code"], None)
        else:
            self.refreshes += 1
            person = self.refresh_tokens.pop(form["refresh_token"], None)
        if person is None:
            return httpx.Response(400, json={"error": "invalid_grant"})
        refresh = uuid4().hex
        self.refresh_tokens[refresh] = person
        tokens = {"access_token": self.sign(**person), "id_token": self.sign(**person), "refresh_token": refresh}
        return httpx.Response(200, json=tokens | {"expires_in": self.lives_s})


@dataclass
class RunningPortal:
    """The portal and a browser without scripts."""

    app: FastAPI
    provider: Provider
    clock: FixedClock

    def browser(self, jar: CookieJar | None = None) -> httpx.AsyncClient:
        """`jar`: the cookies of a window that is open already."""
        return httpx.AsyncClient(
            cookies=jar,
            transport=httpx.ASGITransport(app=self.app, raise_app_exceptions=False),
            base_url=ORIGIN,
            headers={"sec-fetch-site": "same-origin", "origin": ORIGIN},
        )

    async def sign_in(self, browser: httpx.AsyncClient, path: str = "/sign-in", **more: Any) -> httpx.Response:
        """The whole flow; the answer of the callback."""
        begun = await browser.get(path)
        asked = httpx.URL(begun.headers["location"]).params
        code = self.provider.grant(asked["nonce"], level=int(asked["acr_values"][-1]), **more)
        return await browser.get(f"/callback?state={asked['state']}&code={code}")

    async def token(self, browser: httpx.AsyncClient) -> str:
        """The CSRF token that a page gives."""
        return await self.meta(browser, "csrf-token")

    async def meta(self, browser: httpx.AsyncClient, name: str) -> str:
        """What a page tells scripts under `name`."""
        page = (await browser.get("/account")).text
        return page.split(f'name="{name}" content="')[1].split('"')[0]


@pytest.fixture
async def portal(service_db: Callable[..., Any]) -> AsyncIterator[Callable[..., Any]]:
    """`async with portal(router=…) as running`: started with a page of the test's own."""
    database = service_db("portal")

    @asynccontextmanager
    async def start(
        router: APIRouter | None = None,
        *,
        keys: str | None = None,
        provider: Provider | None = None,
        stack: str = "main",
    ) -> AsyncIterator[RunningPortal]:
        settings = PortalSettings(
            service="portal",
            database_url=database.app_url,
            identity_issuer=ISSUER,
            portal_url=ORIGIN,
            oidc_client_secret="x",
            session_key=keys or Fernet.generate_key().decode(),
            stack=stack,
        )
        found = discover()
        pages = Pages([r for r in found.routers if r.prefix == "/account"] + ([router] if router else []), [], {})
        provider = provider or Provider()
        clock = FixedClock(now())
        http = httpx.AsyncClient(transport=httpx.MockTransport(provider.answer))
        app = build(settings, pages=pages, http=http, clock=clock)
        async with app.router.lifespan_context(app):
            yield RunningPortal(app, provider, clock)

    yield start
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE sessions, sign_ins, spent_logout_tokens")


@pytest.fixture
def rows(service_db: Callable[..., Any]) -> Callable[[str], list[tuple[Any, ...]]]:
    """What the database holds, past all rights."""

    def read(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(service_db("portal").superuser_dsn) as connection:
            return connection.execute(query).fetchall()

    return read
