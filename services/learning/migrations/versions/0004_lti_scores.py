"""Line items and scores of learning tools: beside the marks, never among them."""

from __future__ import annotations

from alembic import op
from servicekit.migrate import tenant_table

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE lti_line_items (
          tenant_id text, id uuid, deployment_id uuid NOT NULL, class_id uuid NOT NULL, link_id uuid,
          label text NOT NULL,
          score_maximum double precision NOT NULL CHECK (score_maximum > 0), resource_id text NOT NULL,
          tag text NOT NULL, starts_at timestamptz, ends_at timestamptz, created_at timestamptz NOT NULL,
          PRIMARY KEY (tenant_id, id),
          FOREIGN KEY (tenant_id, deployment_id) REFERENCES lti_deployments (tenant_id, id));
        CREATE INDEX lti_line_items_by_class ON lti_line_items (tenant_id, class_id, deployment_id, id);
        CREATE INDEX lti_line_items_by_link ON lti_line_items (tenant_id, link_id) WHERE link_id IS NOT NULL;
        CREATE TABLE lti_scores (
          tenant_id text, line_item_id uuid, pupil_id uuid, given double precision, maximum double precision,
          activity text NOT NULL, grading text NOT NULL, comment text NOT NULL, scored_at timestamptz NOT NULL,
          received_at timestamptz NOT NULL, set_aside_by uuid, set_aside_at timestamptz,
          PRIMARY KEY (tenant_id, line_item_id, pupil_id),
          FOREIGN KEY (tenant_id, line_item_id) REFERENCES lti_line_items (tenant_id, id) ON DELETE CASCADE);""")
    tenant_table(op, "lti_line_items")
    tenant_table(op, "lti_scores")


def downgrade() -> None:
    op.execute("DROP TABLE lti_scores")
    op.execute("DROP TABLE lti_line_items")
