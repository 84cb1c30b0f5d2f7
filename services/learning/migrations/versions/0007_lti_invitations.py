"""Invitations of the board to a tool: it may register itself once."""

from __future__ import annotations

from alembic import op
from servicekit.migrate import tenant_table

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE lti_invitations (
          tenant_id text, id uuid, token_hash bytea NOT NULL, purpose text NOT NULL, invited_by uuid NOT NULL,
          expires_at timestamptz NOT NULL, tool_id uuid,
          PRIMARY KEY (tenant_id, id))""")
    tenant_table(op, "lti_invitations")


def downgrade() -> None:
    op.execute("DROP TABLE lti_invitations")
