"""Lesson days, closures, marks with their history, and what is copied from other services."""

from __future__ import annotations

import re

from alembic import op
from servicekit.migrate import append_only_table, create_plumbing, drop_plumbing, tenant_table

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE calendars (
  tenant_id text, school_id uuid, school_year smallint, version integer NOT NULL,
  PRIMARY KEY (tenant_id, school_id, school_year));
CREATE TABLE calendar_days (
  tenant_id text, school_id uuid, on_day date, school_year smallint NOT NULL, lesson boolean NOT NULL,
  note text NOT NULL, school_grades text[] NOT NULL,
  PRIMARY KEY (tenant_id, school_id, on_day));
CREATE TABLE closures (
  tenant_id text, id uuid, school_id uuid NOT NULL, school_grade text NOT NULL, class_id uuid,
  starts_on date NOT NULL, ends_on date NOT NULL CHECK (ends_on >= starts_on), reason text NOT NULL,
  cancelled_at timestamptz,
  PRIMARY KEY (tenant_id, id));
CREATE INDEX closures_by_school ON closures (tenant_id, school_id, starts_on);
CREATE TABLE symbols (
  tenant_id text, school_year smallint, key text, position smallint NOT NULL, sign text NOT NULL, label text NOT NULL,
  category text NOT NULL, late boolean NOT NULL, early boolean NOT NULL, shortcut text NOT NULL,
  PRIMARY KEY (tenant_id, school_year, key));
CREATE TABLE reasons (
  tenant_id text, school_year smallint, position smallint, text text NOT NULL,
  PRIMARY KEY (tenant_id, school_year, position));
CREATE TABLE day_sheets (
  tenant_id text, class_id uuid, on_day date, version integer NOT NULL, taken_by uuid NOT NULL,
  taken_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, class_id, on_day));
CREATE TABLE marks (
  tenant_id text, pupil_id uuid, on_day date, class_id uuid NOT NULL, symbol text NOT NULL, reason text NOT NULL,
  version integer NOT NULL,
  PRIMARY KEY (tenant_id, pupil_id, on_day));
CREATE TABLE mark_changes (
  tenant_id text, id uuid, pupil_id uuid NOT NULL, on_day date NOT NULL, class_id uuid NOT NULL,
  at timestamptz NOT NULL, actor_id uuid NOT NULL, before_symbol text NOT NULL, before_reason text NOT NULL,
  after_symbol text NOT NULL, after_reason text NOT NULL, why text NOT NULL,
  PRIMARY KEY (tenant_id, id));
CREATE INDEX mark_changes_by_day ON mark_changes (tenant_id, pupil_id, on_day);
CREATE TABLE school_copies (tenant_id text, school_id uuid, kind text NOT NULL, PRIMARY KEY (tenant_id, school_id));
CREATE TABLE class_copies (
  tenant_id text, class_id uuid, school_id uuid NOT NULL, school_year smallint NOT NULL, school_grade text NOT NULL,
  name text NOT NULL, version bigint NOT NULL,
  PRIMARY KEY (tenant_id, class_id));
CREATE INDEX class_copies_by_school ON class_copies (tenant_id, school_id, school_year);
CREATE TABLE member_copies (
  tenant_id text, class_id uuid, pupil_id uuid, starts_on date, ends_on date, number smallint NOT NULL,
  PRIMARY KEY (tenant_id, class_id, pupil_id, starts_on));
CREATE INDEX member_copies_by_pupil ON member_copies (tenant_id, pupil_id);
CREATE TABLE staff_copies (tenant_id text, staff_id uuid, version bigint NOT NULL, PRIMARY KEY (tenant_id, staff_id));
CREATE TABLE standing_copies (
  tenant_id text, staff_id uuid, position smallint, school_id uuid, kind text NOT NULL, class_id uuid,
  school_grade text NOT NULL, starts_on date NOT NULL, ends_on date,
  PRIMARY KEY (tenant_id, staff_id, position));
CREATE TABLE term_locks (
  tenant_id text, school_id uuid, school_year smallint, term text, starts_on date NOT NULL, ends_on date NOT NULL,
  closed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, school_id, school_year, term));
"""

_APPEND_ONLY = {"mark_changes"}
_NAMES = re.findall(r"CREATE TABLE (\w+)", _TABLES)


def upgrade() -> None:
    create_plumbing(op)
    op.execute(_TABLES)
    for name in _NAMES:
        if name in _APPEND_ONLY:
            append_only_table(op, name)
        else:
            tenant_table(op, name)


def downgrade() -> None:
    for name in _NAMES:
        op.execute(f"DROP TABLE {name}")
    drop_plumbing(op)
