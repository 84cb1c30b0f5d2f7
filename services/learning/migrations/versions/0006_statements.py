"""The record store: statements by month, what they are found by, documents, attachments, canonical definitions.

Keys (`verb`, `actor`, …) are 128-bit digests of the identifier, so that every index has one width. Arrays with GIN
are no way here: under row security PostgreSQL uses an index only for leakproof operators, and `@>` is none.
"""

from __future__ import annotations

from alembic import op
from servicekit.migrate import tenant_table

revision = "0006"
down_revision = "0005"

TABLES = {
    "statement_ids": "SELECT, INSERT, DELETE",
    "statements": "SELECT, INSERT, DELETE",
    "statement_links": "SELECT, INSERT, DELETE",
    "statement_refs": "SELECT, INSERT, DELETE",
    "statement_targets": "SELECT, INSERT, DELETE",
    "statement_voids": "SELECT, INSERT, DELETE",
    "attachments": "SELECT, INSERT, DELETE",
    "activities": "SELECT, INSERT, UPDATE",
    "documents": "SELECT, INSERT, UPDATE, DELETE",
    "tool_client_use": "SELECT, INSERT, UPDATE",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE statement_ids (
          tenant_id text, id uuid, stored timestamptz NOT NULL, PRIMARY KEY (tenant_id, id))""")
    op.execute("""
        CREATE TABLE statements (
          tenant_id text NOT NULL, stored timestamptz NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL,
          verb uuid NOT NULL, actor uuid, activity uuid, registration uuid,
          edition smallint NOT NULL, own_time boolean NOT NULL, body text NOT NULL,
          PRIMARY KEY (tenant_id, stored, id)) PARTITION BY RANGE (stored)""")
    op.execute("CREATE INDEX statements_actor ON statements (tenant_id, actor, stored, id) WHERE actor IS NOT NULL")
    op.execute("CREATE INDEX statements_verb ON statements (tenant_id, verb, stored, id)")
    op.execute(
        "CREATE INDEX statements_activity ON statements (tenant_id, activity, stored, id) WHERE activity IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX statements_registration ON statements (tenant_id, registration, stored, id)"
        " WHERE registration IS NOT NULL"
    )
    op.execute("CREATE INDEX statements_client ON statements (tenant_id, client_id, stored, id)")
    op.execute("""
        CREATE TABLE statement_links (
          tenant_id text NOT NULL, key uuid NOT NULL, kind smallint NOT NULL, stored timestamptz NOT NULL,
          id uuid NOT NULL, PRIMARY KEY (tenant_id, key, kind, stored, id)) PARTITION BY RANGE (stored)""")
    op.execute("""
        CREATE TABLE statement_refs (
          tenant_id text, source_id uuid, target_id uuid NOT NULL, PRIMARY KEY (tenant_id, source_id))""")
    op.execute("CREATE INDEX statement_refs_target ON statement_refs (tenant_id, target_id)")
    op.execute("""
        CREATE TABLE statement_targets (
          tenant_id text, source_stored timestamptz NOT NULL, source_id uuid, client_id uuid NOT NULL,
          voiding boolean NOT NULL, target_stored timestamptz NOT NULL, target_id uuid,
          PRIMARY KEY (tenant_id, source_id, target_id))""")
    op.execute("CREATE INDEX statement_targets_source ON statement_targets (tenant_id, source_stored, source_id)")
    op.execute("CREATE INDEX statement_targets_target ON statement_targets (tenant_id, target_id)")
    op.execute("""
        CREATE TABLE statement_voids (
          tenant_id text, target_id uuid, source_id uuid, client_id uuid NOT NULL, of_anyone boolean NOT NULL,
          PRIMARY KEY (tenant_id, target_id, source_id))""")
    op.execute("""
        CREATE TABLE attachments (
          tenant_id text, sha2 text, content bytea NOT NULL, received_at timestamptz NOT NULL,
          PRIMARY KEY (tenant_id, sha2))""")
    op.execute("""
        CREATE TABLE activities (
          tenant_id text, key uuid, id text NOT NULL, definition text NOT NULL, PRIMARY KEY (tenant_id, key))""")
    op.execute("""
        CREATE TABLE documents (
          tenant_id text, client_id uuid, kind text, subject uuid, registration uuid, id text,
          content bytea NOT NULL, content_type text NOT NULL, etag text NOT NULL, updated_at timestamptz NOT NULL,
          PRIMARY KEY (tenant_id, kind, subject, registration, id, client_id))""")
    op.execute("""
        CREATE TABLE tool_client_use (
          tenant_id text, client_id uuid, last_used_at timestamptz NOT NULL, statements bigint NOT NULL,
          PRIMARY KEY (tenant_id, client_id))""")
    for table, privileges in TABLES.items():
        tenant_table(op, table, privileges=privileges)
    # The app role owns nothing, so it asks for a month by name of the function and gets no other table made.
    op.execute("""
        CREATE FUNCTION statement_month(at timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, public AS $$
        DECLARE
          first timestamptz := date_trunc('month', at, 'UTC');
          next timestamptz := date_trunc('month', first + interval '32 days', 'UTC');
          parent text; part text;
        BEGIN
          PERFORM pg_advisory_xact_lock(hashtextextended('learning.statement_month', 0));
          FOREACH parent IN ARRAY ARRAY['statements', 'statement_links'] LOOP
            part := parent || to_char(first AT TIME ZONE 'UTC', '_YYYY_MM');
            CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
            EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', part, parent);
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                           parent, part, first, next);
          END LOOP;
        END $$""")
    op.execute("SELECT statement_month(now()), statement_month(now() + interval '31 days')")
    role = op.get_context().opts["app_role"]
    op.execute("REVOKE ALL ON FUNCTION statement_month(timestamptz) FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION statement_month(timestamptz) TO "{role}"')


def downgrade() -> None:
    op.execute("DROP FUNCTION statement_month(timestamptz)")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
