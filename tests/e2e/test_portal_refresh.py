"""Keycloak takes a refresh token once and ends the session at the second try: requests side by side must share one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
from cryptography.fernet import Fernet
from portal.identity import IdentityProvider, Tokens
from portal.signed_sessions import SignedSessions
from servicekit.clock import now
from servicekit.db import Database
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.signing_in import Browser
from tests.support.stack import RunningStack


def test_many_requests_share_one_refresh_and_the_session_lives_on(stack: RunningStack):
    # In a thread: the browser driver of the other journeys keeps the main thread's event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, refresh_side_by_side(stack)).result(timeout=60)


async def refresh_side_by_side(stack: RunningStack) -> None:
    browser = Browser(stack)
    given = browser.sign_in("aozora.es.teacher4").tokens
    browser._http.close()
    url = stack.info["databases"]["portal"].replace("postgresql://", "postgresql+psycopg://", 1)
    engine, database = create_async_engine(url), Database(url, application_name="komu-test")
    async with httpx.AsyncClient(timeout=20) as http:
        provider = IdentityProvider(
            issuer=stack.info["identity"]["issuer"],
            client_id="portal",
            client_secret=stack.info["identity"]["clients"]["portal"],
            http=http,
        )
        sessions = SignedSessions.build(
            engine=engine,
            database=database,
            provider=provider,
            keys=[Fernet.generate_key().decode()],
            idle=timedelta(minutes=30),
            absolute=timedelta(hours=10),
            now=now,
        )
        ended = Tokens(given["access_token"], given["refresh_token"], given["id_token"], now())
        renewed, identity = await provider.refresh(ended)
        secret = await sessions.start(Tokens(renewed.access, renewed.refresh, renewed.id_token, now()), identity)
        for _ in range(2):
            opened = await asyncio.gather(*(sessions.open(secret) for _ in range(16)))
            assert all(opened)
            assert len({session.access_token for session in opened}) == 1
            assert opened[0].access_token != renewed.access
        await sessions.end(secret)
    await engine.dispose()
    await database.close()
