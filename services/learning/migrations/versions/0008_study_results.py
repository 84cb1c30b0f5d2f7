"""What children's answers say, taken out of the statements: a projection of the record store, to be read by class."""

from __future__ import annotations

from alembic import op
from servicekit.migrate import tenant_table

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE study_results (
          tenant_id text, statement_id uuid, client_id uuid NOT NULL, pupil_id uuid NOT NULL, whole boolean NOT NULL,
          activity text NOT NULL, name text NOT NULL, unit text NOT NULL, subject text NOT NULL, codes text[] NOT NULL,
          purposes text[] NOT NULL, scaled double precision NOT NULL, duration_s integer, platform text NOT NULL,
          at timestamptz NOT NULL,
          PRIMARY KEY (tenant_id, statement_id))""")
    op.execute("CREATE INDEX study_results_by_pupil ON study_results (tenant_id, pupil_id, at DESC, statement_id)")
    tenant_table(op, "study_results", privileges="SELECT, INSERT, DELETE")


def downgrade() -> None:
    op.execute("DROP TABLE study_results")
