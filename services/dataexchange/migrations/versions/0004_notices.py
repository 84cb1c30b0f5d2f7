"""転入の予定・照会: what we asked other organisations, and what they asked us.

Revision ID: 0004
"""

from alembic import op
from servicekit.migrate import tenant_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE notices (
            tenant_id text NOT NULL, id uuid NOT NULL, direction text NOT NULL, organisation text NOT NULL,
            organisation_name text NOT NULL, school_code text NOT NULL, school_name text NOT NULL,
            own_school_code text NOT NULL, expected_on date NOT NULL, state text NOT NULL, sha256 text NOT NULL,
            transfer_id uuid, last_error text NOT NULL DEFAULT '', document bytea, sealed bytea,
            created_at timestamptz NOT NULL, version bigint NOT NULL DEFAULT 1,
            updated_at timestamptz NOT NULL DEFAULT now(), updated_by uuid,
            PRIMARY KEY (tenant_id, id),
            CHECK (direction IN ('in', 'out')),
            CHECK (state IN ('sent', 'received', 'answered', 'refused', 'expired')))"""
    )
    tenant_table(op, "notices")
    op.execute("CREATE INDEX notices_school ON notices (tenant_id, direction, own_school_code, id)")


def downgrade() -> None:
    op.execute("DROP TABLE notices")
