"""名簿の出力: exports as people follow them, and the packages as long as they are kept.

Revision ID: 0007

`export_files`: `package` is what is downloaded, `state` the whole roster as it was at a delta, which the next delta is
taken from. `roster_exports` stays the record of provisions that nobody can change.
"""

from alembic import op
from servicekit.migrate import tenant_table

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE exports (
            tenant_id text NOT NULL, id uuid NOT NULL, profile text NOT NULL, school_ids uuid[] NOT NULL,
            base_id uuid, recipient text NOT NULL, purpose text NOT NULL, state text NOT NULL DEFAULT 'writing',
            job_id uuid NOT NULL, file_name text NOT NULL DEFAULT '', sha256 text NOT NULL DEFAULT '',
            bytes bigint NOT NULL DEFAULT 0, rows_by_file jsonb NOT NULL DEFAULT '{}',
            findings jsonb NOT NULL DEFAULT '[]', errors_total integer NOT NULL DEFAULT 0,
            failure text NOT NULL DEFAULT '', requested_by uuid NOT NULL, requested_at timestamptz NOT NULL,
            finished_at timestamptz, kept boolean NOT NULL DEFAULT false,
            PRIMARY KEY (tenant_id, id),
            CHECK (state IN ('writing', 'ready', 'refused', 'failed', 'cancelled')))"""
    )
    tenant_table(op, "exports")
    op.execute(
        """CREATE TABLE export_files (
            tenant_id text NOT NULL, export_id uuid NOT NULL, kind text NOT NULL, part integer NOT NULL,
            content bytea NOT NULL, PRIMARY KEY (tenant_id, export_id, kind, part),
            CHECK (kind IN ('package', 'state')))"""
    )
    op.execute("ALTER TABLE export_files ALTER COLUMN content SET STORAGE EXTERNAL")  # deflated already
    tenant_table(op, "export_files")
    op.execute("ALTER TABLE roster_exports ADD COLUMN school_ids uuid[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE roster_exports ADD COLUMN base_id uuid")


def downgrade() -> None:
    op.execute("ALTER TABLE roster_exports DROP COLUMN base_id, DROP COLUMN school_ids")
    op.execute("DROP TABLE export_files")
    op.execute("DROP TABLE exports")
