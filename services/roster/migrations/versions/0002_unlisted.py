"""名簿にない児童生徒: since which file a child on the roll is missing, and what was decided about it.

Revision ID: 0002
"""

from alembic import op
from servicekit.migrate import tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE enrolments ADD COLUMN missing_import_id uuid, ADD COLUMN missing_on date")
    op.execute("CREATE INDEX enrolments_undecided ON enrolments (tenant_id, school_id) WHERE state = 'undecided'")
    op.execute("CREATE INDEX enrolments_missing ON enrolments (tenant_id) WHERE missing_on IS NOT NULL")
    # `before`: what the decision changed beside the roll, so that taking it back restores exactly that.
    op.execute("""CREATE TABLE unlisted_decisions (
        tenant_id text NOT NULL, id uuid NOT NULL, enrolment_id uuid NOT NULL, pupil_id uuid NOT NULL,
        school_id uuid NOT NULL, kind text NOT NULL, effective_on date, reason text NOT NULL,
        decided_at timestamptz NOT NULL, decided_by uuid, before jsonb NOT NULL, taken_back_at timestamptz,
        taken_back_by uuid, taken_back_reason text NOT NULL DEFAULT '', PRIMARY KEY (tenant_id, id))""")
    op.execute("CREATE INDEX unlisted_decisions_of_enrolment ON unlisted_decisions (tenant_id, enrolment_id)")
    tenant_table(op, "unlisted_decisions")


def downgrade() -> None:
    raise NotImplementedError("Komu goes forward: a mistake is corrected by the next migration.")
