"""The register as roster tells it: schools, classes with members, who holds which post and duty. No names of people."""

from __future__ import annotations

import re

from alembic import op
from servicekit.migrate import tenant_table

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE schools (
  tenant_id text, school_id uuid, code text NOT NULL, name text NOT NULL, kind text NOT NULL, version bigint NOT NULL,
  PRIMARY KEY (tenant_id, school_id));
CREATE TABLE classes (
  tenant_id text, class_id uuid, school_id uuid NOT NULL, school_year smallint NOT NULL, school_grade text NOT NULL,
  name text NOT NULL, kind text NOT NULL, version bigint NOT NULL,
  PRIMARY KEY (tenant_id, class_id));
CREATE INDEX classes_by_school ON classes (tenant_id, school_id, school_year);
CREATE TABLE class_members (
  tenant_id text, class_id uuid, pupil_id uuid, starts_on date, ends_on date, number smallint NOT NULL,
  school_grade text NOT NULL,
  PRIMARY KEY (tenant_id, class_id, pupil_id, starts_on));
CREATE INDEX class_members_by_pupil ON class_members (tenant_id, pupil_id);
CREATE TABLE staff (tenant_id text, staff_id uuid, version bigint NOT NULL, PRIMARY KEY (tenant_id, staff_id));
CREATE TABLE appointments (
  tenant_id text, staff_id uuid, position smallint, school_id uuid, post text NOT NULL, starts_on date NOT NULL,
  ends_on date,
  PRIMARY KEY (tenant_id, staff_id, position));
CREATE INDEX appointments_by_school ON appointments (tenant_id, school_id);
CREATE TABLE duties (
  tenant_id text, staff_id uuid, position smallint, kind text NOT NULL, school_id uuid NOT NULL, class_id uuid,
  subject text NOT NULL, school_grade text NOT NULL, starts_on date NOT NULL, ends_on date,
  PRIMARY KEY (tenant_id, staff_id, position));
CREATE INDEX duties_by_class ON duties (tenant_id, class_id);
"""
_NAMES = re.findall(r"CREATE TABLE (\w+)", _TABLES)


def upgrade() -> None:
    op.execute(_TABLES)
    for name in _NAMES:
        tenant_table(op, name)


def downgrade() -> None:
    for name in _NAMES:
        op.execute(f"DROP TABLE {name}")
