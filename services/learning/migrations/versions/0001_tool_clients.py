"""The plumbing, and the clients of the record store."""

from __future__ import annotations

from alembic import op
from servicekit.migrate import create_plumbing, drop_plumbing, tenant_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing(op)
    op.execute("""
        CREATE TABLE tool_clients (
          tenant_id text, id uuid, name text NOT NULL, purpose text NOT NULL,
          reading text NOT NULL CHECK (reading IN ('own', 'all')), secret_hash bytea NOT NULL,
          created_by uuid NOT NULL, created_at timestamptz NOT NULL, disabled_at timestamptz, version integer NOT NULL,
          PRIMARY KEY (tenant_id, id))""")
    tenant_table(op, "tool_clients", privileges="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.execute("DROP TABLE tool_clients")
    drop_plumbing(op)
