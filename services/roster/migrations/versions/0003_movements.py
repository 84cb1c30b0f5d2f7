"""異動 by hand: until when 就学猶予 and 区域外就学 last, what an 異動 cut off, and entries that were a mistake.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `cut`: class memberships as they were before the 異動 ended them, so that taking it back restores exactly that.
    op.execute("ALTER TABLE enrolment_events ADD COLUMN until_on date, ADD COLUMN cut jsonb NOT NULL DEFAULT '[]'")
    # A time on the roll that was a mistake covers no day: it ends the day before it began, as memberships do.
    op.execute("ALTER TABLE enrolments DROP CONSTRAINT enrolments_check")
    op.execute(
        "ALTER TABLE enrolments ADD CONSTRAINT enrolments_check CHECK (ends_on IS NULL OR ends_on >= starts_on - 1)"
    )
    # 異動一覧, 転入簿・転出簿: the events of a school by day.
    op.execute("""CREATE INDEX enrolment_events_of_school ON enrolment_events (tenant_id, school_id, effective_on, id)
        WHERE struck_at IS NULL""")
    op.execute("CREATE INDEX enrolments_of_school ON enrolments (tenant_id, school_id, starts_on)")


def downgrade() -> None:
    raise NotImplementedError("Komu goes forward: a mistake is corrected by the next migration.")
