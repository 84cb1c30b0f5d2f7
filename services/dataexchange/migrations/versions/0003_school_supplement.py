"""A third kind of import: 学校補足.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE imports DROP CONSTRAINT imports_kind_check")
    op.execute(
        "ALTER TABLE imports ADD CONSTRAINT imports_kind_check "
        "CHECK (kind IN ('oneroster', 'supplement', 'school_supplement'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE imports DROP CONSTRAINT imports_kind_check")
    op.execute(
        "ALTER TABLE imports ADD CONSTRAINT imports_kind_check CHECK (kind IN ('oneroster', 'supplement')) NOT VALID"
    )
