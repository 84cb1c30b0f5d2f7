"""Imports and exports of rosters: what was found, what became of it, who and when. The files themselves are not kept.

Revision ID: 0002
"""

from alembic import op
from servicekit.migrate import append_only_table, tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE imports (
            tenant_id text NOT NULL, id uuid NOT NULL, kind text NOT NULL, file_name text NOT NULL,
            sha256 text NOT NULL, bytes bigint NOT NULL, profile text NOT NULL DEFAULT '', state text NOT NULL,
            findings jsonb NOT NULL DEFAULT '[]', errors_total integer NOT NULL DEFAULT 0,
            notes_total integer NOT NULL DEFAULT 0, rows_by_file jsonb NOT NULL DEFAULT '{}',
            school_year integer NOT NULL DEFAULT 0, uploaded_by uuid NOT NULL, uploaded_at timestamptz NOT NULL,
            applied_by uuid, applied_at timestamptz, confirmed_shrink boolean NOT NULL DEFAULT false,
            failure text NOT NULL DEFAULT '',
            PRIMARY KEY (tenant_id, id),
            CHECK (kind IN ('oneroster', 'supplement')),
            CHECK (state IN
                ('checking', 'refused', 'checked', 'staged', 'applying', 'applied', 'failed', 'discarded')))"""
    )
    tenant_table(op, "imports")
    # To whom a roster was given, and what for (個人情報保護法 69条: purpose and recipient of a provision).
    op.execute(
        """CREATE TABLE roster_exports (
            tenant_id text NOT NULL, id uuid NOT NULL, school_id uuid, profile text NOT NULL, purpose text NOT NULL,
            recipient text NOT NULL, file_name text NOT NULL, sha256 text NOT NULL, bytes bigint NOT NULL,
            rows_by_file jsonb NOT NULL, exported_by uuid NOT NULL, exported_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id))"""
    )
    append_only_table(op, "roster_exports")


def downgrade() -> None:
    op.execute("DROP TABLE roster_exports")
    op.execute("DROP TABLE imports")
