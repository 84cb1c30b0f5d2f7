"""The audit log: sealed in a chain, and every tampering shows."""

import psycopg
import pytest
from servicekit.audit import read_audit, to_proto, verify
from servicekit.audit.__main__ import main
from servicekit.audit.sealer import Sealer
from servicekit.db import Database


@pytest.fixture
async def log(service_db, tenant, actor):
    """A database with five sealed entries of one tenant and two of another."""
    place = service_db("roster").clone()
    database = Database(place.app_url)
    for board, number in ((tenant, 5), ("other", 2)):
        for n in range(number):
            async with database.transaction(board, actor if board == tenant else None) as tx:
                tx.audit(
                    "note.read" if n == 4 else "note.written", f"note-{n}", after={"n": n, "big": 2**60, "f": 1.5},
                    subject_id=actor.person_id,
                )
    await Sealer(database).seal_all()
    yield place, database
    await database.close()
    place.drop()


def test_an_untouched_chain_holds(log, tenant, capsys):
    place, _ = log
    assert main(["verify", "--dsn", place.superuser_dsn]) == 0
    told = capsys.readouterr().out
    assert f"{tenant}: 5 links, 5 entries" in told
    assert "other: 2 links" in told
    assert main(["verify", "--dsn", place.app_url, "--tenant", tenant]) == 0


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_log SET action = 'note.read' WHERE object_id = 'note-2'",
        "UPDATE audit_log SET after = '{\"n\": 99}' WHERE object_id = 'note-2'",
        "UPDATE audit_log SET actor_id = gen_random_uuid() WHERE object_id = 'note-0'",
        "UPDATE audit_log SET at = at + interval '1 microsecond' WHERE object_id = 'note-4'",
        "DELETE FROM audit_log WHERE object_id = 'note-3'",
        "DELETE FROM audit_log WHERE object_id = 'note-4'",
        "DELETE FROM audit_seals WHERE seq = 5",
        "DELETE FROM audit_seals WHERE seq = 1",
        "DELETE FROM audit_seals s USING audit_log l WHERE l.id = s.entry_id AND l.object_id = 'note-2'",
        "UPDATE audit_seals SET seq = -seq;"
        " UPDATE audit_seals SET seq = CASE seq WHEN -2 THEN 3 WHEN -3 THEN 2 ELSE -seq END",
        "UPDATE audit_seals SET hash = sha256('x') WHERE seq = 5",
        "INSERT INTO audit_log (tenant_id, id, at, action, object_id, information_class)"
        " SELECT tenant_id, gen_random_uuid(), at, action, object_id, 3 FROM audit_log WHERE object_id = 'note-1'",
    ],
)
def test_tampering_is_found(log, tampering, capsys):
    place, _ = log
    with psycopg.connect(place.superuser_dsn) as superuser:
        superuser.execute(tampering)
    assert main(["verify", "--dsn", place.superuser_dsn]) == 1
    assert "broken" in capsys.readouterr().out


def test_a_wrong_address_is_neither_whole_nor_broken():
    assert main(["verify", "--dsn", "postgresql://nobody@127.0.0.1:1/nothing"]) == 2


async def test_sealing_twice_or_side_by_side_makes_one_chain(log, tenant):
    import asyncio

    place, database = log
    for n in range(20):
        async with database.transaction(tenant) as tx:
            tx.audit("note.written", f"more-{n}")
    other = Database(place.app_url)
    await asyncio.gather(Sealer(database).seal_all(), Sealer(other).seal_all())
    await other.close()
    assert list(verify(place.superuser_dsn)) == []


async def test_the_log_is_read_newest_first_page_by_page(log, tenant, actor):
    _, database = log
    async with database.reading(tenant) as tx:
        first = await read_audit(tx, subject_ids=[actor.person_id], limit=3)
        assert [e.object_id for e in first.entries] == ["note-4", "note-3", "note-2"]
        assert first.more
        assert all(e.sealed for e in first.entries)
        rest = await read_audit(tx, before_entry=first.entries[-1].id, limit=3)
        assert [e.object_id for e in rest.entries] == ["note-1", "note-0"]
        assert not rest.more
        assert [e.action for e in (await read_audit(tx, kind="read")).entries] == ["note.read"]
        assert len((await read_audit(tx, kind="change", actor_id=actor.person_id)).entries) == 4
        assert len((await read_audit(tx, object_id="note-1")).entries) == 1
    reply = to_proto(first, "roster")
    assert reply.entries[0].sealed
    assert reply.entries[0].service == "roster"
