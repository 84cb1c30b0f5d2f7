import sqlalchemy as sa
from alembic import op
from servicekit.migrate import create_plumbing, drop_plumbing, tenant_table, version_columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing(op)
    op.create_table(
        "notes",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        *version_columns(),
    )
    tenant_table(op, "notes")


def downgrade() -> None:
    op.drop_table("notes")
    drop_plumbing(op)
