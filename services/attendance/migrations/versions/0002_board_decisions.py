"""Symbols a board retires, and every decision on symbols and reasons with what stood before it."""

from __future__ import annotations

from alembic import op
from servicekit.migrate import append_only_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE symbols ADD COLUMN retired boolean NOT NULL DEFAULT false")
    op.execute("""
        CREATE TABLE board_decisions (
          tenant_id text, topic text CHECK (topic IN ('symbols', 'reasons')), school_year smallint, version integer,
          kind text NOT NULL CHECK (kind IN ('changed', 'copied', 'undone')),
          before jsonb NOT NULL, after jsonb NOT NULL, decided_by uuid NOT NULL, decided_at timestamptz NOT NULL,
          PRIMARY KEY (tenant_id, topic, school_year, version))""")
    append_only_table(op, "board_decisions")


def downgrade() -> None:
    op.execute("DROP TABLE board_decisions")
    op.execute("ALTER TABLE symbols DROP COLUMN retired")
