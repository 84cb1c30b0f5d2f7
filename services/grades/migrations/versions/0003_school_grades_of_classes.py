"""Every 学年 of a class beside the class's own, so that reading a class needs no look at its members."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE classes ADD COLUMN school_grades text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    raise NotImplementedError("Forward only.")
