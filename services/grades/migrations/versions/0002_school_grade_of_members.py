"""Classes of several 学年 (特別支援学級, 複式学級): each member has a 学年 of the own.

Filled by roster's next word on the class; until then, or after `python -m grades rebuild-projections`, the class's.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE class_members ADD COLUMN school_grade text NOT NULL DEFAULT ''")


def downgrade() -> None:
    raise NotImplementedError("Forward only.")
