"""From the commit of a change to its place in another service's projection, under load, over a real JetStream.

    python tests/bench/bench_events.py         # goal: p99 below 250 ms

Writers save at a steady pace in one process, another process is the consumer, a third connection looks for the rows:
a span runs from the return of the writer's commit to the first look that finds the row.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID, uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from servicekit.db import Database  # noqa: E402
from servicekit.events.bus import Bus  # noqa: E402
from servicekit.events.intake import Intake  # noqa: E402
from servicekit.events.relay import Relay  # noqa: E402
from servicekit.testing import NatsServer, PostgresServer, an_actor  # noqa: E402

from libs.servicekit.tests import sample  # noqa: E402

GOAL_MS = 250.0
WRITERS = 4
PACE_S = 0.04
"""Between two saves of one writer: 100 saves a second together, more than a prefecture's busiest minute."""
SECONDS = 10.0


def consume(ready: Connection, url: str, nats_url: str) -> None:
    async def run() -> None:
        database, bus = Database(url), Bus("attendance", nats_url, None)
        intake = Intake("attendance", database, bus, [sample.on_class_roster_changed])
        tasks = [asyncio.create_task(bus.run()), asyncio.create_task(intake.run())]
        ready.send("up")
        await asyncio.to_thread(ready.poll, None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bus.close()
        await database.close()

    asyncio.run(run())


async def measure() -> list[float]:
    postgres, nats = PostgresServer(), NatsServer()
    postgres.start()
    nats.start()
    here, there = multiprocessing.get_context("spawn").Pipe()
    worker = None
    try:
        place = postgres.create_service("roster", directory=sample.MIGRATIONS)
        other = place.clone()
        database, bus = Database(place.app_url), Bus("roster", nats.url, None)
        relay = Relay("roster", database, bus)
        tasks = [asyncio.create_task(bus.run()), asyncio.create_task(relay.run())]
        worker = multiprocessing.get_context("spawn").Process(
            target=consume, args=(there, other.app_url, nats.url), daemon=True
        )
        worker.start()
        await asyncio.to_thread(here.recv)

        committed: dict[UUID, float] = {}
        seen: dict[UUID, float] = {}
        actor = an_actor("bench")
        until = time.monotonic() + SECONDS

        async def write() -> None:
            while time.monotonic() < until:
                note = uuid4()
                async with database.transaction("bench", actor) as tx:
                    await sample.write_note(tx, actor, note, "x")
                committed[note] = time.monotonic()
                await asyncio.sleep(PACE_S)

        async def look(projection: Database) -> None:
            while len(seen) < len(committed) or time.monotonic() < until:
                async with projection.reading("bench") as tx:
                    missing = [note for note in committed if note not in seen]
                    found = await tx.execute("SELECT id FROM notes WHERE id = ANY(:ids)", {"ids": missing})
                at = time.monotonic()
                seen.update((row.id, at) for row in found)
                await asyncio.sleep(0.005)

        projection = Database(other.app_url)
        # The first event also makes stream and durable; it does not count.
        async with database.transaction("bench", actor) as tx:
            committed[await sample.write_note(tx, actor, uuid4(), "first")] = time.monotonic()
        first = next(iter(committed))
        while not seen:
            async with projection.reading("bench") as tx:
                if await tx.scalar("SELECT count(*) FROM notes"):
                    seen[first] = time.monotonic()
        until = time.monotonic() + SECONDS
        await asyncio.gather(look(projection), *(write() for _ in range(WRITERS)))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bus.close()
        await database.close()
        await projection.close()
        return [(seen[note] - at) * 1000 for note, at in committed.items() if note != first]
    finally:
        here.close()
        if worker is not None:
            worker.join(5)
            worker.terminate()
        nats.remove()
        postgres.stop()


def main() -> int:
    spans = sorted(asyncio.run(measure()))
    p99 = spans[int(len(spans) * 0.99)]
    rate = len(spans) / SECONDS
    print(f"  {len(spans)} events, {rate:.0f}/s: p50 {statistics.median(spans):.0f} ms, p99 {p99:.0f} ms")
    print(f"committed → visible, p99 / goal: {p99 / GOAL_MS:.2f} (goal ≤ 1.00, that is {GOAL_MS:.0f} ms)")
    return 0 if p99 <= GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
