"""Transactions on a real PostgreSQL: row security, what is told, lost races, COPY."""

from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from komu.roster.v1 import events_pb2
from servicekit.errors import Conflict, Unseen
from servicekit.testing import an_actor

from libs.servicekit.tests.sample import change_note, write_note


async def test_another_tenants_rows_do_not_exist(database, tenant, actor):
    note = uuid4()
    async with database.transaction(tenant, actor) as tx:
        await write_note(tx, actor, note, "ours")
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT count(*) FROM notes") == 1
    async with database.reading("other") as tx:
        assert await tx.scalar("SELECT count(*) FROM notes WHERE id = :id", {"id": note}) == 0
    with pytest.raises(sa.exc.ProgrammingError):
        async with database.transaction("other") as tx:
            await tx.execute(
                "INSERT INTO notes (tenant_id, id, text) VALUES (:t, :i, 'x')", {"t": tenant, "i": uuid4()}
            )


async def test_row_security_is_forced_for_the_owner_too(service_db, database, tenant, actor):
    async with database.transaction(tenant, actor) as tx:
        await write_note(tx, actor, uuid4(), "ours")
    with psycopg.connect(service_db("roster").owner_url.replace("+psycopg", "")) as owner:
        owner.execute("SELECT set_config('komu.tenant', 'other', false)")
        assert owner.execute("SELECT count(*) FROM notes").fetchone() == (0,)


async def test_a_failed_use_case_leaves_nothing(database, tenant, actor):
    note = uuid4()
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with database.transaction(tenant, actor) as tx:
            await write_note(tx, actor, note, "gone")
            raise RuntimeError
    async with database.reading(tenant) as tx:
        for table in ("notes", "audit_log", "outbox"):
            assert await tx.scalar(f"SELECT count(*) FROM {table} WHERE tenant_id = :t", {"t": tenant}) == 0


async def test_change_audit_and_event_are_saved_together(database, tenant, actor):
    note = uuid4()
    async with database.transaction(tenant, actor) as tx:
        await write_note(tx, actor, note, "told")
    async with database.reading(tenant) as tx:
        entry = (await tx.execute("SELECT action, object_id, actor_id, after FROM audit_log")).one()
        assert entry == ("note.written", str(note), actor.person_id, {"text": "told"})
        row = (await tx.execute("SELECT event_id, subject, type, payload FROM outbox")).one()
        event = events_pb2.ClassRosterChanged.FromString(row.payload)
        assert row.subject == f"roster.v1.class_roster_changed.{tenant}"
        assert row.type == "komu.roster.v1.ClassRosterChanged"
        assert event.meta.id == str(row.event_id)
        assert event.meta.tenant == tenant
        assert event.meta.actor_id == str(actor.person_id)


async def test_only_the_changed_fields_are_in_the_audit_entry(tx):
    tx.audit("note.changed", "n", before={"a": 1, "b": 2}, after={"a": 1, "b": 3})
    assert (tx.told.audit[0].before, tx.told.audit[0].after) == ('{"b":2}', '{"b":3}')


async def test_a_reading_transaction_notes_who_looked_but_writes_nothing_else(database, tenant, actor):
    async with database.reading(tenant, actor) as tx:
        tx.audit("note.read", "n", information_class=1)
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT action FROM audit_log") == "note.read"
    with pytest.raises(sa.exc.InternalError):
        async with database.reading(tenant, actor) as tx:
            await write_note(tx, actor, uuid4(), "no")


async def test_the_log_can_only_grow(database, tenant, actor):
    async with database.transaction(tenant, actor) as tx:
        tx.audit("note.read", "n")
    for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "DELETE FROM audit_seals"):
        with pytest.raises(sa.exc.ProgrammingError):
            async with database.transaction(tenant) as tx:
                await tx.execute(statement)


async def test_the_slower_of_two_is_told_who_was_faster_and_when(database, tenant, actor):
    note = uuid4()
    async with database.transaction(tenant, actor) as tx:
        await write_note(tx, actor, note, "first")
    async with database.transaction(tenant, actor) as tx:
        assert await change_note(tx, note, 1, "second") == 2
    with pytest.raises(Conflict) as lost:
        async with database.transaction(tenant, an_actor(tenant)) as tx:
            await change_note(tx, note, 1, "third")
    assert lost.value.reason == "CHANGED_MEANWHILE"
    assert lost.value.details["changed_by"] == str(actor.person_id)
    assert lost.value.details["version"] == "2"
    with pytest.raises(Unseen):
        async with database.transaction(tenant, actor) as tx:
            await change_note(tx, uuid4(), 1, "nothing")


async def test_copy_in_takes_rows_and_streams(database, tenant):
    async def more():
        for number in range(3):
            yield (tenant, uuid4(), f"streamed {number}")

    async with database.transaction(tenant) as tx:
        columns = ("tenant_id", "id", "text")
        assert await tx.copy_in("notes", columns, [(tenant, uuid4(), "髙﨑𠮷"), (tenant, uuid4(), "b\\c")]) == 2
        assert await tx.copy_in("notes", columns, more()) == 3
        await tx.execute("CREATE TEMP TABLE stage (text text) ON COMMIT DROP")
        assert await tx.copy_in("stage", ("text",), [("x",)]) == 1
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT count(*) FROM notes") == 5
        assert await tx.scalar("SELECT count(*) FROM notes WHERE text = '髙﨑𠮷'") == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(tenant) as tx:
            await tx.copy_in("notes", columns, [("other", uuid4(), "not ours")])


async def test_after_commit_runs_only_after_a_commit(database, tenant):
    done = []
    async with database.transaction(tenant) as tx:
        tx.after_commit(lambda: done.append("saved"))
        assert not done
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with database.transaction(tenant) as tx:
            tx.after_commit(lambda: done.append("lost"))
            raise RuntimeError
    assert done == ["saved"]


async def test_a_tenant_is_never_taken_as_sql(database):
    with pytest.raises(ValueError, match="tenant"):
        async with database.transaction("x'; DROP TABLE notes; --"):
            pass


async def test_the_pool_outlives_a_restart_of_the_database(service_db, postgres, tenant):
    from servicekit.db import Database

    database = Database(service_db("roster").clone().app_url)
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT 1") == 1
    postgres.admin(
        psycopg.sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(
            psycopg.sql.Literal(database.url.database)
        )
    )
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT 1") == 1
    await database.close()


async def test_fixed_clock_stops_the_transaction(fixed_clock, database, tenant):
    async with database.reading(tenant) as tx:
        assert tx.now == fixed_clock.at
