"""Every decision of a board on 学期 and 通知表 with what stood before it, so that the last can be undone."""

from alembic import op
from servicekit.migrate import append_only_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE board_decisions (
            tenant_id text NOT NULL,
            topic text NOT NULL CHECK (topic IN ('terms', 'report_card')),
            school_year int NOT NULL,
            version bigint NOT NULL,
            kind text NOT NULL CHECK (kind IN ('changed', 'copied', 'undone')),
            before jsonb NOT NULL,
            after jsonb NOT NULL,
            decided_by uuid NOT NULL,
            decided_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, topic, school_year, version)
        )""")
    append_only_table(op, "board_decisions")


def downgrade() -> None:
    raise NotImplementedError("Forward only.")
