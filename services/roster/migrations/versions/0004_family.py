"""Family: 親権 and 監護 of 保護者, contacts, siblings; what was entered wrongly stays readable beside today's rows.

Revision ID: 0004
"""

from alembic import op
from servicekit.migrate import tenant_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""ALTER TABLE guardians ADD COLUMN custody text NOT NULL DEFAULT '',
        ADD COLUMN cares boolean NOT NULL DEFAULT false""")
    op.execute("""CREATE TABLE contacts (
        tenant_id text NOT NULL, pupil_id uuid NOT NULL, id uuid NOT NULL, rank smallint NOT NULL,
        label text NOT NULL, phone text NOT NULL, note text NOT NULL DEFAULT '', starts_on date NOT NULL, ends_on date,
        PRIMARY KEY (tenant_id, pupil_id, id, starts_on))""")
    tenant_table(op, "contacts")
    # Children of one household; who belongs to none has no row.
    op.execute("""CREATE TABLE households (
        tenant_id text NOT NULL, pupil_id uuid NOT NULL, household_id uuid NOT NULL,
        PRIMARY KEY (tenant_id, pupil_id))""")
    op.execute("CREATE INDEX households_together ON households (tenant_id, household_id)")
    tenant_table(op, "households")
    # Entries corrected on the day they began: they were never the record, and stay readable all the same.
    op.execute("""CREATE TABLE struck_entries (
        tenant_id text NOT NULL, id uuid NOT NULL, pupil_id uuid NOT NULL, kind text NOT NULL, entry jsonb NOT NULL,
        struck_at timestamptz NOT NULL, struck_by uuid, reason text NOT NULL DEFAULT '',
        PRIMARY KEY (tenant_id, id))""")
    op.execute("CREATE INDEX struck_entries_of_pupil ON struck_entries (tenant_id, pupil_id)")
    tenant_table(op, "struck_entries")


def downgrade() -> None:
    raise NotImplementedError("Komu goes forward: a mistake is corrected by the next migration.")
