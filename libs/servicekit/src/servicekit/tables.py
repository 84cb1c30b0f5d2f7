"""The tables every service database has beside its own: outbox, inbox, dead letters, jobs, audit log and seals."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("traceparent", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Column("published_at", sa.DateTime(timezone=True)),
    sa.Index("outbox_waiting", "id", postgresql_where=sa.text("published_at IS NULL")),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Index("inbox_age", "received_at"),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("consumer", sa.Text, nullable=False),
    sa.Column("event_id", sa.Uuid),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("stream_sequence", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("died_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("args", JSONB, nullable=False),
    sa.Column("actor", JSONB),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("label", sa.Text, nullable=False, server_default=""),
    sa.Column("result_id", sa.Text, nullable=False, server_default=""),
    sa.Column("checkpoint", JSONB),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_owner", sa.Uuid),
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Column("started_at", sa.DateTime(timezone=True)),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Column("traceparent", sa.Text),
    sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="jobs_state"),
    sa.Index("jobs_open", "created_at", postgresql_where=sa.text("state IN ('waiting', 'running')")),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor_id", sa.Uuid),
    sa.Column("session_id", sa.Text),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Uuid),
    sa.Column("information_class", sa.SmallInteger, nullable=False),
    sa.Column("before", JSONB),
    sa.Column("after", JSONB),
    sa.Column("trace_id", sa.Text),
    sa.Index("audit_log_subject", "tenant_id", "subject_id", "id"),
    sa.Index("audit_log_object", "tenant_id", "object_id", "id"),
    sa.Index("audit_log_actor", "tenant_id", "actor_id", "id"),
)

audit_pending = sa.Table(
    "audit_pending",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("entry_id", sa.Uuid, primary_key=True),
)

audit_seals = sa.Table(
    "audit_seals",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("entry_id", sa.Uuid, nullable=False),
    sa.Column("previous", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    sa.UniqueConstraint("tenant_id", "entry_id", name="audit_seals_entry"),
)

PLUMBING_POLICY = (
    "tenant_id = current_setting('komu.tenant', true) OR current_setting('komu.plumbing', true) = 'on'"
)
"""The relay, the sealer and the job runner look across tenants; only the kit's own loops set `komu.plumbing`, for one
transaction at a time, and only on tables that hold no school record."""

TENANT_POLICY = "tenant_id = current_setting('komu.tenant', true)"

PLUMBING: dict[str, tuple[str, str]] = {
    "outbox": (PLUMBING_POLICY, "SELECT, INSERT, UPDATE, DELETE"),
    "inbox": (PLUMBING_POLICY, "SELECT, INSERT, DELETE"),
    "dead_letters": (PLUMBING_POLICY, "SELECT, INSERT, UPDATE, DELETE"),
    "jobs": (PLUMBING_POLICY, "SELECT, INSERT, UPDATE, DELETE"),
    "audit_log": (TENANT_POLICY, "SELECT, INSERT"),
    "audit_pending": (PLUMBING_POLICY, "SELECT, INSERT, DELETE"),
    "audit_seals": (TENANT_POLICY, "SELECT, INSERT"),
}
"""Table → (row policy, what the app role may do). The audit tables can only grow."""
