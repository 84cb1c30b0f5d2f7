"""The only place that wires the portal together."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import httpx
from fastapi import Depends, FastAPI
from servicekit import process, telemetry
from servicekit.clients import Clients
from servicekit.clock import Clock, now
from servicekit.db import Database
from servicekit.http import HttpServer, health_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.middleware import Middleware

from portal import errors, fonts, sign_in
from portal.assets import Assets, KeptFiles
from portal.csrf import csrf_checked
from portal.identity import IdentityProvider
from portal.pages import Pages, discover
from portal.security import BodyLimit, SameOrigin, SecurityHeaders
from portal.settings import STATIC, PortalSettings
from portal.signed_sessions import SignedSessions
from portal.store import sessions, sign_ins
from portal.tracing import Traced
from portal.view import build_environment

log = logging.getLogger(__name__)
_IDENTITY_TIMEOUT_S = 5.0
_SWEEP_EVERY_S = 300.0


def build(
    settings: PortalSettings,
    *,
    pages: Pages | None = None,
    http: httpx.AsyncClient | None = None,
    clock: Clock = now,
) -> FastAPI:
    """The whole portal as one ASGI app. `http`: how the identity provider is reached."""
    pages = pages or discover()
    engine = create_async_engine(settings.database_url, pool_size=2, max_overflow=18, pool_pre_ping=True)
    http = http or httpx.AsyncClient(timeout=_IDENTITY_TIMEOUT_S)
    provider = IdentityProvider(
        issuer=settings.identity_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        http=http,
        clock=clock,
    )
    app = FastAPI(
        title="Komu",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        middleware=[
            Middleware(Traced),
            Middleware(
                SecurityHeaders,
                identity_origin=settings.identity_origin,
                https=settings.portal_url.startswith("https:"),
            ),
            Middleware(SameOrigin, origin=settings.portal_url),
            Middleware(BodyLimit, uploads=pages.uploads),
            Middleware(errors.NothingUnanswered),
        ],
    )
    app.state.settings = settings
    app.state.pages = pages
    app.state.http = http
    app.state.sessions = SignedSessions.build(
        engine=engine,
        database=Database(
            settings.database_url, pool_size=settings.database_pool, clock=clock, application_name="komu-portal"
        ),
        provider=provider,
        keys=settings.session_keys,
        idle=timedelta(minutes=settings.session_idle_minutes),
        absolute=timedelta(hours=settings.session_absolute_hours),
        now=clock,
    )
    app.state.environment = build_environment(Assets(STATIC))
    app.include_router(sign_in.router)
    app.include_router(fonts.router)
    for router in pages.routers:
        app.include_router(router, dependencies=[Depends(csrf_checked)])
    app.mount("/static", KeptFiles(directory=STATIC, check_dir=False))
    errors.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.clients = Clients(app.state.settings)
    sweeping = asyncio.create_task(_sweep(app.state.sessions))
    try:
        yield
    finally:
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        await app.state.clients.close()
        await app.state.http.aclose()
        await app.state.sessions.engine.dispose()
        await app.state.sessions.database.close()


async def _sweep(manager: SignedSessions) -> None:
    """Removes ended sessions every few minutes."""
    while True:
        try:
            async with manager.engine.begin() as connection:
                await sessions.remove_ended(connection, manager.now(), manager.idle)
                await sign_ins.remove_ended(connection, manager.now())
        except Exception:
            log.exception("sweeping ended sessions failed")
        await asyncio.sleep(_SWEEP_EVERY_S)


async def serve(settings: PortalSettings) -> None:
    """Runs the portal and its health port until SIGTERM or SIGINT."""
    telemetry.set_up(
        settings.service, otlp_endpoint=settings.otlp_endpoint, stack=settings.stack, log_level=settings.log_level
    )
    app = build(settings)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    async def ready() -> dict[str, bool]:
        try:
            async with app.state.sessions.engine.connect() as connection:
                await connection.execute(text("SELECT 1 FROM sessions LIMIT 1"))
        except (SQLAlchemyError, OSError):
            return {"database": False}
        return {"database": True}

    servers = [HttpServer(app, settings.http_address or "127.0.0.1:7000")]
    if settings.health_address:
        servers.append(HttpServer(health_app(ready), settings.health_address))
    for server in servers:
        await server.start()
    process.settled()
    log.info("portal is serving")
    try:
        await stopping.wait()
    finally:
        for server in servers:
            await server.stop()
        telemetry.flush()
