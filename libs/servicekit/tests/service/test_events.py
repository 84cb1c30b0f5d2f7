"""From the outbox over a real JetStream into another service's projection."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest
from komu.roster.v1 import events_pb2
from servicekit.db import Database
from servicekit.errors import Unseen
from servicekit.events import Consumer, letters
from servicekit.events.bus import Bus
from servicekit.events.intake import Intake
from servicekit.events.relay import Relay
from servicekit.testing import NatsServer, an_actor

from libs.servicekit.tests.sample import on_class_roster_changed, write_note


async def until(condition, seconds=15.0):
    """Waits for a fact; fails when it does not come true."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the fact is in a database
            await asyncio.sleep(0.01)


class Line:
    """A producer `roster` and a consumer `attendance` with a stream between them, each part startable on its own."""

    def __init__(self, producer_db, consumer_db, nats):
        self.nats = nats
        self.producer = Database(producer_db.app_url)
        self.consumer = Database(consumer_db.app_url)
        self.consumer_db, self.producer_db = consumer_db, producer_db
        self.tasks = {}

    def start(self, *parts):
        for part in parts:
            if part == "relay":
                self.roster_bus = Bus("roster", self.nats.url, None)
                self.relay = Relay("roster", self.producer, self.roster_bus)
                work = asyncio.gather(self.roster_bus.run(), self.relay.run())
            else:
                self.attendance_bus = Bus("attendance", self.nats.url, None)
                intake = Intake("attendance", self.consumer, self.attendance_bus, [on_class_roster_changed])
                work = asyncio.gather(self.attendance_bus.run(), intake.run())
            self.tasks[part] = work

    async def stop(self, *parts):
        for part in parts or tuple(self.tasks):
            work = self.tasks.pop(part)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await (self.roster_bus if part == "relay" else self.attendance_bus).close()

    async def tell(self, tenant, actor, *texts):
        ids = []
        for text in texts:
            async with self.producer.transaction(tenant, actor) as tx:
                ids.append(await write_note(tx, actor, uuid4(), text))
        return ids

    async def seen(self, tenant):
        async with self.consumer.reading(tenant) as tx:
            return (await tx.execute("SELECT text FROM notes ORDER BY text")).scalars().all()

    async def shows(self, tenant, *texts):
        async def all_there():
            return await self.seen(tenant) == sorted(texts)

        await until(all_there)


@pytest.fixture
async def line(service_db):
    nats = NatsServer()
    nats.start()
    line = Line(service_db("roster").clone(), service_db("roster").clone(), nats)
    yield line
    await line.stop()
    await line.producer.close()
    await line.consumer.close()
    nats.remove()


async def test_a_committed_change_reaches_the_projection(line, tenant, actor):
    line.start("relay", "intake")
    await line.tell(tenant, actor, "one", "two")
    await line.shows(tenant, "one", "two")

    async def all_published():
        async with line.producer.reading(tenant) as tx:
            return await tx.scalar("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0

    await until(all_published)


async def test_a_later_commit_with_a_smaller_id_is_not_lost(line, tenant, actor):
    line.start("relay", "intake")
    async with line.producer.transaction(tenant, actor) as slow:
        await write_note(slow, actor, uuid4(), "slow")
        await slow.raw.together(slow.last_statements(), commit=False)  # its outbox row has the smaller id …
        slow._events.clear()
        slow._audit.clear()
        await line.tell(tenant, actor, "quick")
        await line.shows(tenant, "quick")  # … and the later one is already out
    await line.shows(tenant, "quick", "slow")


async def test_an_event_has_its_effect_once_however_often_it_comes(line, tenant, actor):
    line.start("relay", "intake")
    await line.tell(tenant, actor, "once")
    await line.shows(tenant, "once")
    jetstream = await line.roster_bus.jetstream()
    async with line.producer.reading(tenant) as tx:
        row = (await tx.execute("SELECT subject, payload FROM outbox")).one()
    await jetstream.publish(row.subject, row.payload)  # no message id: JetStream takes it as new
    await line.tell(tenant, actor, "then")
    await line.shows(tenant, "once", "then")


async def test_inbox_row_and_effect_are_one(line, tenant):
    intake = Intake("attendance", line.consumer, Bus("x", "nats://127.0.0.1:1", None), [on_class_roster_changed])
    event = events_pb2.ClassRosterChanged()
    event.meta.id, event.meta.tenant, event.meta.aggregate_id = str(uuid4()), tenant, str(uuid4())
    subject = f"roster.v1.class_roster_changed.{tenant}"
    getattr(event.roster, "class").name = "poison"
    with pytest.raises(ValueError, match="poison"):
        await intake.take_in_once(on_class_roster_changed, event, subject)
    getattr(event.roster, "class").name = "cured"
    assert await intake.take_in_once(on_class_roster_changed, event, subject)
    assert not await intake.take_in_once(on_class_roster_changed, event, subject)
    with pytest.raises(ValueError, match="tenant"):
        await intake.take_in_once(on_class_roster_changed, event, "roster.v1.class_roster_changed.other")


async def test_poison_becomes_a_dead_letter_and_the_line_goes_on(line, tenant, actor):
    line.start("relay", "intake")
    await line.tell(tenant, actor, "before", "poison 山田", "after")
    await line.shows(tenant, "after", "before")

    async def buried():
        async with line.consumer.reading(tenant) as tx:
            return (await tx.execute("SELECT error, failures, stream FROM dead_letters")).first()

    await until(buried)
    error, failures, stream = await buried()
    assert failures == 5
    assert stream == "roster"
    assert "ValueError" in error
    assert "山田" not in error


async def audited(line, tenant):
    async with line.consumer.reading(tenant) as tx:
        return (await tx.execute("SELECT action, after FROM audit_log ORDER BY at")).all()


@pytest.fixture
async def letter(line, tenant, actor):
    """A dead letter of this board, and one of another board beside it."""
    line.start("relay", "intake")
    other = an_actor("other")
    for board, whose in (("other", other), (tenant, actor)):
        await line.tell(board, whose, "poison 山田", f"after of {board}")
        await line.shows(board, f"after of {board}")

    async def both():
        return len(await letters.letters(line.consumer)) == 2

    await until(both)
    (found,) = await letters.letters(line.consumer, tenant)
    return found


async def test_a_dead_letter_is_taken_in_once_after_the_repair(line, tenant, letter):
    arguments = (line.consumer, line.attendance_bus)
    with pytest.raises(ValueError, match="poison"):
        await letters.redeliver(*arguments, [on_class_roster_changed], tenant, letter.id, "operator")
    (still,) = await letters.letters(line.consumer, tenant)
    assert still.failures == 6
    assert await audited(line, tenant) == []

    async def keep(tx, event):
        await tx.execute(
            "INSERT INTO notes (tenant_id, id, text) VALUES (:tenant, :id, 'repaired')",
            {"tenant": tx.tenant, "id": UUID(event.meta.aggregate_id)},
        )

    broken = on_class_roster_changed
    repaired = Consumer(broken.name, broken.subject, events_pb2.ClassRosterChanged, keep)
    assert await letters.redeliver(*arguments, [repaired], tenant, letter.id, "operator")
    assert await line.seen(tenant) == [f"after of {tenant}", "repaired"]
    assert await letters.letters(line.consumer, tenant) == []
    ((action, after),) = await audited(line, tenant)
    assert action == "dead_letter.redelivered"
    assert (after["by"], after["event_id"], after["taken_in"]) == ("operator", str(letter.event_id), True)
    with pytest.raises(Unseen):
        await letters.redeliver(*arguments, [repaired], tenant, letter.id, "operator")


async def test_an_event_that_had_its_effect_has_it_no_second_time(line, tenant, letter):
    async with line.consumer.transaction(tenant) as tx:
        await tx.execute(
            "INSERT INTO inbox (tenant_id, consumer, event_id) VALUES (:tenant, :consumer, :event)",
            {"tenant": tenant, "consumer": letter.consumer, "event": letter.event_id},
        )
    consumers = [on_class_roster_changed]
    assert not await letters.redeliver(line.consumer, line.attendance_bus, consumers, tenant, letter.id, "operator")
    assert await letters.letters(line.consumer, tenant) == []


async def test_another_boards_letter_is_not_touched(line, tenant, letter):
    with pytest.raises(Unseen):
        await letters.discard(line.consumer, "other", letter.id, "wrong board", "operator")
    with pytest.raises(Unseen):
        await letters.redeliver(
            line.consumer, line.attendance_bus, [on_class_roster_changed], "other", letter.id, "operator"
        )
    assert [one.id for one in await letters.letters(line.consumer, tenant)] == [letter.id]


async def test_giving_up_needs_a_reason_that_stays(line, tenant, letter):
    with pytest.raises(ValueError, match="reason"):
        await letters.discard(line.consumer, tenant, letter.id, " ", "operator")
    await letters.discard(line.consumer, tenant, letter.id, "the class is gone", "operator")
    assert await letters.letters(line.consumer, tenant) == []
    assert len(await letters.letters(line.consumer)) == 1
    ((action, after),) = await audited(line, tenant)
    assert (action, after["reason"]) == ("dead_letter.discarded", "the class is gone")


async def test_what_the_stream_keeps_no_more_is_said(line, tenant, letter):
    await (await line.roster_bus.jetstream()).purge_stream("roster")
    with pytest.raises(letters.Gone, match="does not keep"):
        await letters.redeliver(
            line.consumer, line.attendance_bus, [on_class_roster_changed], tenant, letter.id, "operator"
        )
    with pytest.raises(letters.Gone, match=letter.consumer):
        await letters.redeliver(line.consumer, line.attendance_bus, [], tenant, letter.id, "operator")


async def test_events_wait_for_nats_and_survive_its_restart(line, tenant, actor):
    line.nats.stop()
    line.start("relay", "intake")
    await line.tell(tenant, actor, "early")
    line.nats.start()
    await line.shows(tenant, "early")
    line.nats.restart()
    await line.tell(tenant, actor, "later")
    await line.shows(tenant, "early", "later")


async def test_events_survive_cut_database_connections(line, tenant, actor):
    line.start("relay", "intake")
    await line.tell(tenant, actor, "first")
    await line.shows(tenant, "first")
    for database in (line.producer_db, line.consumer_db):
        database.server.admin(
            psycopg.sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(
                psycopg.sql.Literal(database.name)
            )
        )
    await line.tell(tenant, actor, "second")
    await line.shows(tenant, "first", "second")


async def test_what_came_while_the_consumer_was_away_is_taken_in_later(line, tenant, actor):
    line.start("relay", "intake")
    await line.tell(tenant, actor, "a")
    await line.shows(tenant, "a")
    await line.stop("intake")
    await line.tell(tenant, actor, "b", "c")
    line.start("intake")
    await line.shows(tenant, "a", "b", "c")


async def test_only_one_relay_leads_and_the_next_takes_over(line, tenant, actor):
    line.start("relay", "intake")
    await line.tell(tenant, actor, "a")
    await line.shows(tenant, "a")
    other_bus = Bus("roster", line.nats.url, None)
    other_db = Database(line.producer_db.app_url)
    other = Relay("roster", other_db, other_bus)
    work = asyncio.gather(other_bus.run(), other.run())
    async with other_db.transaction(tenant, actor) as tx:  # committed beside the leader: NOTIFY wakes it
        await write_note(tx, actor, uuid4(), "b")
    await line.shows(tenant, "a", "b")
    assert not other._leading
    await line.stop("relay")

    async def leads():
        return other._leading

    await until(leads)
    async with other_db.transaction(tenant, actor) as tx:
        await write_note(tx, actor, uuid4(), "c")
    await line.shows(tenant, "a", "b", "c")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await other_bus.close()
    await other_db.close()


async def test_headers_are_cloud_events_and_carry_the_trace(line, tenant, actor):
    from opentelemetry.trace import SpanKind
    from servicekit.telemetry import current_traceparent, span

    with span("test", SpanKind.SERVER):
        parent = current_traceparent()
        (note,) = await line.tell(tenant, actor, "traced")
    line.start("relay")
    jetstream = await line.roster_bus.jetstream()

    async def stored():
        try:
            return await jetstream.get_msg("roster", 1)
        except Exception:
            return None

    await until(stored)
    message = await stored()
    event = events_pb2.ClassRosterChanged.FromString(message.data)
    assert UUID(event.meta.aggregate_id) == note
    assert message.headers["Nats-Msg-Id"] == message.headers["ce-id"] == event.meta.id
    assert message.headers["ce-type"] == "komu.roster.v1.ClassRosterChanged"
    assert message.headers["traceparent"][:35] == parent[:35]
