"""The roster as OneRoster objects: what the register told, and each object with its prepared JSON beside it.

Revision ID: 0005

`oneroster_sources` keeps aggregates as roster told them (`kind`: school | class | staff), with a flag for those whose
objects have to be made anew. `oneroster_objects` is what leaves the system: one row per object and never a DELETE
(who is gone stays as `tobedeleted`), so `ordinal` counts the rows of a kind without a gap and a page with an offset
is a range of it. `refs`: `school:…`, `course:…`, `is:…` and so on, what an object belongs to; `source_id` (the class it
is made of), `class_id` and `person_id` are columns, because under row security an index serves only what is leakproof:
equality, not overlap of arrays.
`oneroster_state`: the version of everything served under one service, and how many objects of each kind there are.
"""

from alembic import op
from servicekit.migrate import tenant_table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE oneroster_sources (
            tenant_id text NOT NULL, kind text NOT NULL, id uuid NOT NULL, version bigint NOT NULL,
            facts jsonb NOT NULL, refs uuid[] NOT NULL, stale boolean NOT NULL DEFAULT true,
            PRIMARY KEY (tenant_id, kind, id), CHECK (kind IN ('school', 'class', 'staff')))"""
    )
    op.execute("CREATE INDEX oneroster_sources_stale ON oneroster_sources (tenant_id, kind, id) WHERE stale")
    op.execute(
        """CREATE TABLE oneroster_objects (
            tenant_id text NOT NULL, kind text NOT NULL, ordinal integer NOT NULL,
            sourced_id text COLLATE "C" NOT NULL, status text NOT NULL, date_last_modified timestamptz NOT NULL,
            refs text[] COLLATE "C" NOT NULL, source_id uuid, class_id text COLLATE "C", person_id text COLLATE "C",
            digest bytea NOT NULL, written_by text NOT NULL DEFAULT '',
            body text NOT NULL, doc jsonb NOT NULL GENERATED ALWAYS AS (CAST(body AS jsonb)) STORED,
            PRIMARY KEY (tenant_id, kind, sourced_id), UNIQUE (tenant_id, kind, ordinal),
            CHECK (status IN ('active', 'tobedeleted')))"""
    )
    op.execute("CREATE INDEX oneroster_objects_changed ON oneroster_objects (tenant_id, kind, date_last_modified)")
    for column in ("source_id", "class_id", "person_id"):
        op.execute(
            f"CREATE INDEX oneroster_objects_{column} ON oneroster_objects (tenant_id, {column}, kind) "
            f"WHERE {column} IS NOT NULL"
        )
    op.execute(
        """CREATE TABLE oneroster_state (
            tenant_id text NOT NULL, service text NOT NULL, version bigint NOT NULL DEFAULT 1,
            totals jsonb NOT NULL DEFAULT '{}', PRIMARY KEY (tenant_id, service))"""
    )
    tenant_table(op, "oneroster_sources")
    tenant_table(op, "oneroster_objects", privileges="SELECT, INSERT, UPDATE")
    tenant_table(op, "oneroster_state")


def downgrade() -> None:
    op.execute("DROP TABLE oneroster_state")
    op.execute("DROP TABLE oneroster_objects")
    op.execute("DROP TABLE oneroster_sources")
