"""MEXCBT利用申込: the founder, the 受付 of a year, each school's application and the steps that were taken."""

from __future__ import annotations

from alembic import op
from servicekit.migrate import append_only_table, tenant_table

revision = "0005"
down_revision = "0004"

# One mail address cannot register several founders (文部科学省「MEXCBT利用申込の流れ」): this index spans the boards.
_TABLES = """
CREATE TABLE mexcbt_founders (
  tenant_id text PRIMARY KEY, kind text NOT NULL CHECK (kind IN ('public', 'national', 'private')), name text NOT NULL,
  code text NOT NULL, department text NOT NULL, contact_name text NOT NULL, mail text NOT NULL, phone text NOT NULL,
  wants_authoring boolean NOT NULL, applied_before boolean NOT NULL, notes_read_on date, registered_on date,
  version integer NOT NULL);
CREATE UNIQUE INDEX mexcbt_founders_mail ON mexcbt_founders (lower(mail)) WHERE mail <> '';
CREATE TABLE mexcbt_intakes (
  tenant_id text, school_year smallint, opens_on date NOT NULL, closes_on date CHECK (closes_on >= opens_on),
  source text NOT NULL, version integer NOT NULL,
  PRIMARY KEY (tenant_id, school_year));
CREATE TABLE mexcbt_applications (
  tenant_id text, id uuid, school_id uuid, school_year smallint NOT NULL, portal text NOT NULL,
  contact_name text NOT NULL, mail text NOT NULL, phone text NOT NULL,
  state text NOT NULL CHECK (state IN ('listed', 'registered', 'confirmed', 'in_use', 'removed', 'withdrawn')),
  counts jsonb, version integer NOT NULL,
  PRIMARY KEY (tenant_id, id));
CREATE UNIQUE INDEX mexcbt_applications_open ON mexcbt_applications (tenant_id, school_id) NULLS NOT DISTINCT
  WHERE state NOT IN ('removed', 'withdrawn');
CREATE TABLE mexcbt_steps (
  tenant_id text, id uuid, application_id uuid NOT NULL, step text NOT NULL, before text NOT NULL, after text NOT NULL,
  on_day date NOT NULL, actor_id uuid NOT NULL, at timestamptz NOT NULL, reason text NOT NULL, counts jsonb,
  PRIMARY KEY (tenant_id, id));
CREATE INDEX mexcbt_steps_by_application ON mexcbt_steps (tenant_id, application_id, id);
"""


def upgrade() -> None:
    op.execute(_TABLES)
    for name in ("mexcbt_founders", "mexcbt_intakes", "mexcbt_applications"):
        tenant_table(op, name, privileges="SELECT, INSERT, UPDATE")
    append_only_table(op, "mexcbt_steps")


def downgrade() -> None:
    for name in ("mexcbt_steps", "mexcbt_applications", "mexcbt_intakes", "mexcbt_founders"):
        op.execute(f"DROP TABLE {name}")
