"""LTI platform: signing keys, tools with their deployments, resource links, launches, what was seen once."""

from __future__ import annotations

import re

from alembic import op
from servicekit.migrate import tenant_table

revision = "0003"
down_revision = "0002"

_TABLES = """
CREATE TABLE lti_keys (
  tenant_id text, kid text, public jsonb NOT NULL, private_sealed bytea, created_at timestamptz NOT NULL,
  signs_from timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, kid));
CREATE TABLE lti_tools (
  tenant_id text, id uuid, facts jsonb NOT NULL, origin text NOT NULL CHECK (origin IN ('by_hand', 'dynamic')),
  created_by uuid NOT NULL, created_at timestamptz NOT NULL, disabled_at timestamptz, version integer NOT NULL,
  PRIMARY KEY (tenant_id, id));
CREATE TABLE lti_deployments (
  tenant_id text, id uuid, tool_id uuid NOT NULL, school_id uuid NOT NULL, active boolean NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, tool_id, school_id),
  FOREIGN KEY (tenant_id, tool_id) REFERENCES lti_tools (tenant_id, id));
CREATE INDEX lti_deployments_by_school ON lti_deployments (tenant_id, school_id);
CREATE TABLE lti_links (
  tenant_id text, id uuid, deployment_id uuid NOT NULL, class_id uuid NOT NULL, kind text NOT NULL
    CHECK (kind IN ('resource', 'link')), title text NOT NULL, text text NOT NULL, url text NOT NULL,
  custom jsonb NOT NULL, created_by uuid NOT NULL, created_at timestamptz NOT NULL, removed_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, deployment_id) REFERENCES lti_deployments (tenant_id, id));
CREATE INDEX lti_links_by_class ON lti_links (tenant_id, class_id, id) WHERE removed_at IS NULL;
CREATE TABLE lti_launches (
  tenant_id text, id uuid, tool_id uuid NOT NULL, deployment_id uuid NOT NULL, class_id uuid NOT NULL, link_id uuid,
  message text NOT NULL, person jsonb NOT NULL, opened_at timestamptz NOT NULL, started_at timestamptz,
  answered_at timestamptz, returned_at timestamptz, ticket_hash bytea NOT NULL, hint_hash bytea, browser_hash bytea,
  data_hash bytea,
  PRIMARY KEY (tenant_id, id));
CREATE INDEX lti_launches_by_age ON lti_launches (tenant_id, opened_at);
CREATE TABLE lti_seen (
  tenant_id text, tool_id uuid, hash bytea, expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, tool_id, hash));
CREATE INDEX lti_seen_by_age ON lti_seen (tenant_id, expires_at);
"""
_NAMES = re.findall(r"CREATE TABLE (\w+)", _TABLES)


def upgrade() -> None:
    op.execute(_TABLES)
    for name in _NAMES:
        tenant_table(op, name)


def downgrade() -> None:
    for name in reversed(_NAMES):
        op.execute(f"DROP TABLE {name}")
