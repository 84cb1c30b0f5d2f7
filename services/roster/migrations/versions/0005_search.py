"""Search along the 五十音 order reads the folded names from the index itself.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX persons_searched ON persons (tenant_id, kind, sort_key, id) INCLUDE (search_text)")
    op.execute("DROP INDEX persons_in_order")


def downgrade() -> None:
    raise NotImplementedError("Komu goes forward: a mistake is corrected by the next migration.")
