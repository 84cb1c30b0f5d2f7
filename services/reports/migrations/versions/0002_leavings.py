"""When pupils left a school: papers issued afterwards begin with their retention clock running."""

from __future__ import annotations

from alembic import op
from servicekit.migrate import tenant_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE leavings (tenant_id text, school_id uuid, pupil_id uuid, left_on date NOT NULL,"
        " PRIMARY KEY (tenant_id, school_id, pupil_id))"
    )
    tenant_table(op, "leavings")


def downgrade() -> None:
    op.execute("DROP TABLE leavings")
