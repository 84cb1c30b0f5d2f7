"""Transactions on a real PostgreSQL: row security, what is told, lost races, COPY."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from komu.roster.v1 import events_pb2
from servicekit.db import Database
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


async def test_a_statement_alone_sees_no_tenants_rows_and_begins_nothing(database, tenant, actor):
    async with database.transaction(tenant, actor) as tx:
        await write_note(tx, actor, uuid4(), "ours")
    assert (await database.alone("SELECT count(*) FROM notes")).scalar() == 0
    assert (await database.alone("SELECT :word", {"word": "一"})).scalar() == "一"
    first, second = [(await database.alone("SELECT now()")).scalar() for _ in range(2)]
    assert first < second, "each in a transaction of its own"
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT count(*) FROM notes") == 1
    with pytest.raises(TypeError):
        await database.alone(sa.delete(sa.table("notes")))


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
        await tx.copy_text("stage", ("text",), "髙\\\\\n\\N\n")
        assert (await tx.execute("SELECT text FROM stage WHERE text <> 'x' OR text IS NULL")).scalars().all() == [
            "髙\\", None,
        ]  # fmt: skip
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
    while database._pool._free[0][1].is_silent():  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # until the server's goodbye is here
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT 1") == 1
    await database.close()


async def test_fixed_clock_stops_the_transaction(fixed_clock, database, tenant):
    async with database.reading(tenant) as tx:
        assert tx.now == fixed_clock.at


async def test_statements_take_and_give_the_same_values_whichever_way_they_go(database, tenant, actor):
    """SELECT and SQL text go straight to the driver; their rows are those of SQLAlchemy's own way."""
    from datetime import date
    from decimal import Decimal
    from enum import Enum

    class Kind(Enum):
        ONE = "one"

    class Upper(sa.TypeDecorator):
        impl = sa.Text
        cache_ok = True

        def process_bind_param(self, value, dialect):
            return value and value.lower()

        def process_result_value(self, value, dialect):
            return value and value.upper()

    things = sa.Table(
        "things", sa.MetaData(),
        sa.Column("id", sa.Uuid), sa.Column("day", sa.Date), sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("kind", sa.Enum(Kind, native_enum=False)), sa.Column("amount", sa.Numeric(10, 2)),
        sa.Column("extra", sa.JSON), sa.Column("raw", sa.LargeBinary), sa.Column("many", sa.ARRAY(sa.Integer)),
        sa.Column("shout", Upper), sa.Column("none", sa.Text), sa.Column("yes", sa.Boolean),
    )
    row = {
        "id": uuid4(), "day": date(2026, 4, 1), "at": actor.levels[1], "kind": Kind.ONE, "amount": Decimal("1.50"),
        "extra": {"a": [1, "髙"]}, "raw": b"\x00\xff", "many": [1, 2], "shout": "LOUD", "none": None, "yes": True,
    }
    async with database.transaction(tenant) as tx:
        await tx.execute(
            "CREATE TEMP TABLE things (id uuid, day date, at timestamptz, kind text, amount numeric(10,2), extra json,"
            " raw bytea, many int[], shout text, none text, yes boolean) ON COMMIT DROP"
        )
        await tx.execute(sa.insert(things).values(**row))
        for condition in (
            things.c.id == row["id"], things.c.kind == Kind.ONE, things.c.shout == "Loud",
            things.c.day.in_([row["day"]]),
            things.c.amount == Decimal("1.5"), things.c.many == [1, 2], things.c.none.is_(None),
            things.c.raw == b"\x00\xff", sa.and_(things.c.yes, things.c.day >= date(2026, 1, 1)),
        ):
            for _ in range(3):  # compiled, cached, prepared
                result = await tx.execute(sa.select(things).where(condition))
                found = result.one()
                assert dict(found._mapping) == row
                assert found.kind is Kind.ONE
                assert found._mapping[things.c.shout] == "LOUD"
        own_way = await tx._connection.execute(sa.select(things))
        direct = await tx.execute(sa.select(things))
        assert direct.all() == own_way.all()
        assert (await tx.execute(sa.select(things.c.id, sa.func.count().label("n")).group_by(things.c.id))).one().n == 1
        assert (await tx.execute(sa.select(things.c.day).limit(1).offset(0))).scalars().all() == [row["day"]]
        assert (await tx.execute(sa.select(sa.literal("100%")))).scalar_one() == "100%"
        text = await tx.execute("SELECT id, amount, '50%' AS share FROM things WHERE day = :day", {"day": row["day"]})
        assert text.mappings().one() == {"id": row["id"], "amount": Decimal("1.50"), "share": "50%"}
        typed = sa.text("SELECT CAST(:x AS jsonb) AS x").bindparams(sa.bindparam("x", type_=sa.JSON))
        assert (await tx.execute(typed, {"x": {"a": 1}})).scalar_one() == {"a": 1}
        assert (await tx.execute("UPDATE things SET none = 'x'")).rowcount == 1
        changed = await tx.execute("UPDATE things SET none = NULL RETURNING id")
        assert changed.scalar_one() == row["id"]
        assert (await tx.execute("SELECT 1 AS a, 2 AS a")).all() == [(1, 2)]
        assert (await tx.execute("SELECT 1 WHERE false")).first() is None
        for different in (1, 2, 3):  # one plan, the values of each statement
            assert (await tx.execute(sa.select(sa.literal(different)))).scalar_one() == different
        assert (await tx.execute(sa.insert(things), [row, row])).rowcount in (2, -1)
        twice = sa.union_all(sa.select(things.c.id), sa.select(things.c.id))
        assert (await tx.execute(twice)).all() == 6 * [(row["id"],)]


async def test_database_errors_keep_their_kind_and_quote_no_values(database, tenant, actor):
    note = uuid4()
    for statement in (
        "INSERT INTO notes (tenant_id, id, text) VALUES (:t, :i, :x)",
        sa.text("INSERT INTO notes (tenant_id, id, text) VALUES (:t, :i, :x)"),
    ):
        with pytest.raises(sa.exc.IntegrityError) as broken:  # noqa: PT012
            async with database.transaction(tenant, actor) as tx:
                for _ in range(2):
                    await tx.execute(statement, {"t": tenant, "i": note, "x": "山田"})
        assert "山田" not in str(broken.value)
    with pytest.raises(sa.exc.ProgrammingError):
        async with database.reading(tenant) as tx:
            await tx.execute("SELECT nothing FROM notes")
    async with database.reading(tenant) as tx:  # the connection is as good as before
        assert await tx.scalar("SELECT count(*) FROM notes") == 0


async def test_a_cancelled_use_case_leaves_nothing_and_no_connection_hangs(database, tenant, actor):
    begun = asyncio.Event()

    async def work():
        async with database.transaction(tenant, actor) as tx:
            await write_note(tx, actor, uuid4(), "never")
            begun.set()
            await tx.execute("SELECT pg_sleep(60)")

    for _ in range(12):  # more often than the pool has connections
        begun.clear()
        task = asyncio.create_task(work())
        await begun.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT count(*) FROM notes") == 0


async def test_several_statements_in_one_go_answer_as_they_do_one_by_one(database, tenant, actor):
    note = uuid4()
    asked = (
        ("SELECT id, text FROM notes WHERE id = :id", {"id": note}),
        (sa.select(sa.func.current_setting("komu.tenant")), None),
        ("SELECT count(*) FROM notes", None),
    )
    async with database.transaction(tenant, actor) as tx:
        await write_note(tx, actor, note, "髙橋")
    for _ in range(3):  # plain, prepared, prepared before
        async with database.reading(tenant, actor) as tx:
            one, where, count = await tx.execute_all(*asked)
            assert one.one() == (note, "髙橋")
            assert where.scalar() == tenant
            assert count.scalar() == 1
        async with database.transaction(tenant, actor) as tx:
            await write_note(tx, actor, uuid4(), "another")
            assert (await tx.execute_all(*asked))[2].scalar() == 2
            await tx.execute("DELETE FROM notes WHERE id <> :id", {"id": note})
    async with database.reading("other") as tx:
        one, _, count = await tx.execute_all(*asked)
        assert (one.all(), count.scalar()) == ([], 0)


async def test_the_first_of_several_errors_is_told_and_the_connection_is_as_good_as_before(database, tenant, actor):
    for _ in range(4):
        with pytest.raises(sa.exc.ProgrammingError, match="nowhere"):
            async with database.reading(tenant, actor) as tx:
                await tx.execute_all(("SELECT 1", None), ("SELECT * FROM nowhere", None), ("SELECT 2", None))
        async with database.reading(tenant, actor) as tx:
            assert [r.scalar() for r in await tx.execute_all(("SELECT 1", None), ("SELECT 2", None))] == [1, 2]


async def test_what_is_kept_for_the_end_is_saved_with_the_rest_or_not_at_all(database, tenant, actor):
    add = "INSERT INTO notes (tenant_id, id, text) VALUES (%(t)s, %(i)s, %(x)s)"
    twice = uuid4()
    for _ in range(2):  # not prepared yet, prepared before
        async with database.transaction(tenant, actor) as tx:
            tx.execute_last(add, [{"t": tenant, "i": uuid4(), "x": word} for word in ("一", "二")])
            tx.audit("note.written", "n")
            assert await tx.scalar("SELECT count(*) FROM notes") in (0, 2)
        with pytest.raises(psycopg.errors.UniqueViolation):  # noqa: PT012
            async with database.transaction(tenant, actor) as tx:
                await write_note(tx, actor, uuid4(), "with it")
                tx.execute_last(add, [{"t": tenant, "i": twice, "x": "x"}] * 2)
    async with database.transaction(tenant) as tx:
        tx.execute_last("UPDATE notes SET text = %(x)s WHERE text = '一'", [{"x": "三"}])
    async with database.reading(tenant, actor) as tx:
        found = await tx.execute("SELECT text FROM notes ORDER BY text")
        assert sorted(found.scalars()) == ["三", "三", "二", "二"]
        assert await tx.scalar("SELECT count(*) FROM audit_log WHERE action = 'note.written'") == 2
        with pytest.raises(RuntimeError):
            tx.execute_last(add, [])


async def test_what_does_not_fit_the_socket_at_once_is_sent_and_read_all_the_same(database, tenant, actor):
    long = "長" * 3_000_000
    async with database.reading(tenant, actor) as tx:
        for back in await tx.execute_all(("SELECT :long", {"long": long}), ("SELECT :long", {"long": long})):
            assert back.scalar() == long
        assert await tx.scalar("SELECT length(:long)", {"long": long}) == len(long)


async def test_a_connection_that_was_cancelled_while_it_waited_answers_the_next(service_db, tenant, actor):
    database = Database(service_db("roster").app_url, pool_size=1)
    for _ in range(5):
        async with database.reading(tenant, actor) as tx:
            pid = await tx.scalar("SELECT pg_backend_pid()")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), database.reading(tenant, actor) as tx:
                await tx.execute("SELECT pg_sleep(60)")
        async with database.reading(tenant, actor) as tx:
            assert await tx.scalar("SELECT pg_backend_pid()") == pid
    await database.close()


async def test_reading_cannot_write_whatever_way_it_tries(database, tenant, actor):
    for attempt in (
        lambda tx: tx.execute(
            "INSERT INTO notes (tenant_id, id, text) VALUES (:t, gen_random_uuid(), 'x')", {"t": tenant}
        ),
        lambda tx: tx.execute("SELECT set_config('transaction_read_only', 'off', true)"),
        lambda tx: tx.copy_in("notes", ("tenant_id", "id", "text"), [(tenant, uuid4(), "x")]),
        lambda tx: tx.execute("SELECT 1; SELECT 2"),
    ):
        with pytest.raises((sa.exc.DBAPIError, psycopg.Error, RuntimeError)):
            async with database.reading(tenant, actor) as tx:
                await attempt(tx)
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT count(*) FROM notes") == 0


async def test_a_reading_transaction_may_ask_for_one_moment(database, tenant, actor):
    async with database.reading(tenant, actor) as reader:
        await reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert await reader.scalar("SELECT count(*) FROM notes") == 0
        async with database.transaction(tenant, actor) as writer:
            await write_note(writer, actor, uuid4(), "later")
        assert await reader.scalar("SELECT count(*) FROM notes") == 0
        with pytest.raises(sa.exc.InternalError):
            await write_note(reader, actor, uuid4(), "not here")
    async with database.reading(tenant, actor) as reader:
        await reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert await reader.scalar("SELECT count(*) FROM notes") == 1
        reader.audit("note.read", "n")
    async with database.reading(tenant) as reader:
        assert await reader.scalar("SELECT count(*) FROM audit_log WHERE action = 'note.read'") == 1


async def test_an_error_that_was_passed_over_is_not_taken_for_saved(database, tenant, actor):
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):  # noqa: PT012
        async with database.transaction(tenant, actor) as tx:
            await write_note(tx, actor, uuid4(), "lost")
            with pytest.raises(sa.exc.ProgrammingError):
                await tx.execute("SELECT nothing")
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT count(*) FROM notes") == 0


async def test_prepared_statements_that_psycopg_throws_away_are_made_again(service_db, tenant, actor):
    from servicekit.db import Database

    database = Database(service_db("roster").app_url, pool_size=1)
    for _ in range(4):
        async with database.reading(tenant) as tx:
            assert await tx.scalar("SELECT count(*) FROM notes") == 0
        with pytest.raises(RuntimeError):  # noqa: PT012
            async with database.transaction(tenant, actor) as tx:
                await write_note(tx, actor, uuid4(), "gone")
                raise RuntimeError  # ROLLBACK: DEALLOCATE ALL
        async with database.transaction(tenant, actor) as tx:
            await tx.execute("CREATE TEMP TABLE t (a int) ON COMMIT DROP")
            await tx.execute("DROP TABLE t")
        for table in ("notes", "IF EXISTS nothing"):
            with pytest.raises(sa.exc.InternalError):
                async with database.reading(tenant) as tx:
                    await tx.execute(f"DROP TABLE {table}")
    await database.close()
