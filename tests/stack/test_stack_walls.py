"""Walls between the parts, on real servers: who may publish, listen and connect; renewal while everything runs."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
import psycopg
import pytest
from komustack import ca
from komustack.stack import Stack
from nats.errors import NoServersError
from nats.js.errors import APIError

from tests.support.stack import RunningStack


def tls(stack: RunningStack, identity: str) -> ssl.SSLContext:
    folder = Path(stack.info["certificates"]["folder"])
    context = ssl.create_default_context(cafile=stack.info["certificates"]["ca"])
    context.load_cert_chain(folder / f"{identity}.crt", folder / f"{identity}.key")
    return context


class Refusals:
    """What the server refused on one connection, as it comes in."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._more = asyncio.Event()

    async def note(self, error: Exception) -> None:
        self.texts.append(str(error))
        self._more.set()

    async def naming(self, words: str) -> str:
        """The refusal with these words. Refusals come on their own, behind no answer. Raises: TimeoutError."""
        async with asyncio.timeout(10):
            while True:
                self._more.clear()
                for text in self.texts:
                    if words in text.lower():
                        return text
                await self._more.wait()


async def as_service(stack: RunningStack, identity: str, act: Callable[[Any, Refusals], Awaitable[None]]) -> None:
    """Runs `act` on a connection of that service."""
    refusals = Refusals()
    client = await nats.connect(
        stack.info["nats"]["url"],
        tls=tls(stack, identity),
        inbox_prefix=f"_INBOX.{identity}".encode(),
        error_cb=refusals.note,
        allow_reconnect=False,
    )
    try:
        await act(client, refusals)
    finally:
        await client.close()


async def test_a_service_tells_its_own_events_and_no_others(stack_parts: RunningStack) -> None:
    async def publish(client: Any, refusals: Refusals) -> None:
        told = await client.jetstream().publish("roster.v1.tried.aozora", b"")
        assert told.stream == "roster"
        await client.publish("grades.v1.tried.aozora", b"")
        await refusals.naming("grades.v1")
        assert not [text for text in refusals.texts if "roster.v1" in text]

    await as_service(stack_parts, "roster", publish)


async def test_a_service_hears_only_the_streams_it_is_listed_for(stack_parts: RunningStack) -> None:
    async def hear(client: Any, refusals: Refusals) -> None:
        await client.subscribe("roster.v1.>")  # events come through the durable consumer only
        await refusals.naming("roster.v1")
        await client.subscribe("_INBOX.grades.>")
        await refusals.naming("_inbox.grades")

    await as_service(stack_parts, "attendance", hear)


async def test_a_service_makes_no_streams(stack_parts: RunningStack) -> None:
    async def create(client: Any, refusals: Refusals) -> None:
        with pytest.raises((APIError, nats.errors.TimeoutError)):
            await client.jetstream(timeout=1).add_stream(name="mine", subjects=["mine.>"])
        await refusals.naming("$js.api.stream.create")

    await as_service(stack_parts, "roster", create)


async def test_without_a_certificate_nobody_reaches_the_stream(stack_parts: RunningStack) -> None:
    anonymous = ssl.create_default_context(cafile=stack_parts.info["certificates"]["ca"])

    async def quiet(_: Exception) -> None:
        return None

    with pytest.raises((NoServersError, ssl.SSLError, OSError, nats.errors.Error)):
        await nats.connect(
            stack_parts.info["nats"]["url"], tls=anonymous, allow_reconnect=False, connect_timeout=2, error_cb=quiet
        )


def test_a_role_enters_its_own_database_and_with_its_own_certificate_only(stack_parts: RunningStack) -> None:
    own = stack_parts.info["databases"]["roster"]
    with psycopg.connect(own) as connection:
        facts = "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(facts).fetchone() == (False, False, False, False)
    for wrong in (
        own.replace("/roster?", "/grades?"),
        own.replace("roster_app@", "roster_owner@"),
        own.replace("roster_app@", "postgres@"),
        own.replace("sslmode=verify-full", "sslmode=disable"),
    ):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(wrong)


def test_certificates_are_renewed_while_everything_runs(stack_parts: RunningStack) -> None:
    """The renewer replaces what is old or lost and tells PostgreSQL, whose open connections go on."""
    stack = Stack(stack_parts.name, stack_parts.home, 0)
    with psycopg.connect(stack_parts.info["databases"]["grades"]) as held:
        before = (stack.home / "postgres/server.crt").read_bytes()
        stack.cert("postgres").unlink()
        deadline = time.monotonic() + 90
        while (stack.home / "postgres/server.crt").read_bytes() == before and time.monotonic() < deadline:
            time.sleep(0.5)
        assert (stack.home / "postgres/server.crt").read_bytes() == stack.cert("postgres").read_bytes() != before
        assert held.execute("SELECT 1").fetchone() == (1,)
    with psycopg.connect(stack_parts.info["databases"]["grades"]) as fresh:
        assert fresh.execute("SELECT 1").fetchone() == (1,)
    assert ca.ensure_certificates(stack) == []
    asyncio.run(as_service(stack_parts, "grades", _nothing))


async def _nothing(_: Any, __: Refusals) -> None:
    return None
