"""Archive of issued documents, whose records they print, and print orders waiting for their job."""

from __future__ import annotations

from alembic import op
from servicekit.migrate import create_plumbing, drop_plumbing, tenant_table

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE documents (
  tenant_id text, id uuid, form text NOT NULL, form_version text NOT NULL, form_label text NOT NULL,
  information_class smallint NOT NULL, school_id uuid NOT NULL, class_id uuid, school_grade text NOT NULL,
  school_year smallint NOT NULL, term text NOT NULL, purpose text NOT NULL, counterpart_name text NOT NULL,
  pages integer NOT NULL, pdf bytea NOT NULL, size bigint NOT NULL, sha256 bytea NOT NULL, data bytea NOT NULL,
  data_sha256 bytea NOT NULL, notes text[] NOT NULL, issued_at timestamptz NOT NULL, issued_by uuid NOT NULL,
  retention_years smallint, retention_basis text NOT NULL, retained_until date, idempotency_key text NOT NULL,
  PRIMARY KEY (tenant_id, id));
CREATE INDEX documents_by_school ON documents (tenant_id, school_id, id);
CREATE INDEX documents_by_class ON documents (tenant_id, class_id, id);
CREATE UNIQUE INDEX documents_by_key ON documents (tenant_id, issued_by, idempotency_key) WHERE idempotency_key <> '';
CREATE TABLE document_subjects (
  tenant_id text, document_id uuid, pupil_id uuid, position smallint NOT NULL, left_on date,
  PRIMARY KEY (tenant_id, document_id, pupil_id));
CREATE INDEX document_subjects_by_pupil ON document_subjects (tenant_id, pupil_id, document_id);
CREATE TABLE print_orders (
  tenant_id text, id uuid, form text NOT NULL, school_id uuid NOT NULL, class_id uuid, school_grade text NOT NULL,
  school_year smallint NOT NULL, term text NOT NULL, purpose text NOT NULL, counterpart_name text NOT NULL,
  school_name text NOT NULL, pupil_ids uuid[] NOT NULL, labels text[] NOT NULL, data bytea NOT NULL,
  ordered_at timestamptz NOT NULL, ordered_by uuid NOT NULL, idempotency_key text NOT NULL,
  PRIMARY KEY (tenant_id, id));
CREATE UNIQUE INDEX print_orders_by_key ON print_orders (tenant_id, ordered_by, idempotency_key)
  WHERE idempotency_key <> '';
"""

# What was issued is never written again; only its clock of retention starts.
_PRIVILEGES = {
    "documents": "SELECT, INSERT, UPDATE (retained_until)",
    "document_subjects": "SELECT, INSERT, UPDATE (left_on)",
    "print_orders": "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    create_plumbing(op)
    op.execute(_TABLES)
    for name, privileges in _PRIVILEGES.items():
        tenant_table(op, name, privileges=privileges)


def downgrade() -> None:
    for name in _PRIVILEGES:
        op.execute(f"DROP TABLE {name}")
    drop_plumbing(op)
