"""Whether a mark has a symbol is asked while every roll waits: one look into an index, however many marks."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE INDEX marks_by_symbol ON marks (tenant_id, symbol, on_day)")
    op.execute("CREATE INDEX mark_changes_by_symbol ON mark_changes (tenant_id, before_symbol, on_day)")


def downgrade() -> None:
    op.execute("DROP INDEX mark_changes_by_symbol")
    op.execute("DROP INDEX marks_by_symbol")
