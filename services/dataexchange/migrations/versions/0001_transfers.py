"""Transfers, arrivals, packages, receipts, deliveries, nonces, custody, the directory held.

Revision ID: 0001
"""

from alembic import op
from servicekit.migrate import append_only_table, create_plumbing, drop_plumbing, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_VERSIONED = "version bigint NOT NULL DEFAULT 1, updated_at timestamptz NOT NULL DEFAULT now(), updated_by uuid"

_TABLES = {
    # 転学, on the sending side.
    "transfers": f"""
        tenant_id text NOT NULL, id uuid NOT NULL, pupil_id uuid NOT NULL, school_id uuid NOT NULL,
        to_organisation text NOT NULL, to_organisation_name text NOT NULL, to_school_code text NOT NULL DEFAULT '',
        to_school_name text NOT NULL DEFAULT '', to_school_address text NOT NULL DEFAULT '',
        left_on date NOT NULL, accepted_on date, reason text NOT NULL DEFAULT '', state text NOT NULL,
        package_id uuid, last_error text NOT NULL DEFAULT '', created_at timestamptz NOT NULL, {_VERSIONED},
        PRIMARY KEY (tenant_id, id)""",
    # What was built here: the signed manifest stays as the proof, the sealed bytes until nobody needs them.
    "packages": """
        tenant_id text NOT NULL, id uuid NOT NULL, kind text NOT NULL, transfer_id uuid NOT NULL, arrival_id uuid,
        to_organisation text NOT NULL, manifest bytea NOT NULL, manifest_jws bytea NOT NULL, sealed bytea,
        sha256 text NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id)""",
    # 転入学, on the receiving side; id = package id.
    "arrivals": f"""
        tenant_id text NOT NULL, id uuid NOT NULL, transfer_id uuid NOT NULL, kind text NOT NULL,
        from_organisation text NOT NULL, from_organisation_name text NOT NULL,
        from_school_name text NOT NULL DEFAULT '', from_school_address text NOT NULL DEFAULT '',
        to_organisation text NOT NULL, to_school_code text NOT NULL DEFAULT '', state text NOT NULL,
        sha256 text NOT NULL, left_on date, matched_pupil_id uuid, pupil_id uuid, school_id uuid, accepted_on date,
        refusal_code text NOT NULL DEFAULT '', refusal_text text NOT NULL DEFAULT '',
        received_at timestamptz NOT NULL, {_VERSIONED},
        PRIMARY KEY (tenant_id, id)""",
    "arrival_parts": """
        tenant_id text NOT NULL, arrival_id uuid NOT NULL, position smallint NOT NULL, path text NOT NULL,
        media_type text NOT NULL, role text NOT NULL, title text NOT NULL, information_class smallint NOT NULL,
        custody text NOT NULL, sha256 text NOT NULL, bytes bigint NOT NULL, data bytea NOT NULL,
        PRIMARY KEY (tenant_id, arrival_id, path),
        FOREIGN KEY (tenant_id, arrival_id) REFERENCES arrivals (tenant_id, id)""",
    # Both sides of the conversation with the other organisations that is still to be sent.
    "deliveries": """
        tenant_id text NOT NULL, id uuid NOT NULL, kind text NOT NULL, package_id uuid NOT NULL, receipt_sha256 text,
        from_organisation text NOT NULL, to_organisation text NOT NULL, attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL, gives_up_at timestamptz NOT NULL, last_error text NOT NULL DEFAULT '',
        done_at timestamptz, outcome text NOT NULL DEFAULT '',
        PRIMARY KEY (tenant_id, id)""",
    "nonces": """
        tenant_id text NOT NULL, organisation text NOT NULL, nonce text NOT NULL, until timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, organisation, nonce)""",
    # 原本・写し・抄本の保管簿: what is held here, since when, from whom, until when, under which rule.
    "custody": """
        tenant_id text NOT NULL, id uuid NOT NULL, pupil_id uuid NOT NULL, package_id uuid NOT NULL, path text NOT NULL,
        title text NOT NULL, custody text NOT NULL, counterpart text NOT NULL, direction text NOT NULL,
        held_since date NOT NULL, held_until date, basis text NOT NULL,
        PRIMARY KEY (tenant_id, id)""",
}

_APPEND_ONLY = {
    "state_changes": """
        tenant_id text NOT NULL, id uuid NOT NULL, object_id uuid NOT NULL, state text NOT NULL,
        at timestamptz NOT NULL, actor_id uuid, reason text NOT NULL DEFAULT '',
        PRIMARY KEY (tenant_id, id)""",
    "receipts": """
        tenant_id text NOT NULL, id uuid NOT NULL, package_id uuid NOT NULL, organisation text NOT NULL,
        recipient text NOT NULL, kind text NOT NULL, at timestamptz NOT NULL, sha256 text NOT NULL, previous text,
        code text NOT NULL DEFAULT '', text text NOT NULL DEFAULT '', jws text NOT NULL,
        PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, package_id, organisation, previous)""",
    # What was refused at the door: no content, no name; only that it was refused, and why.
    "refusals": """
        tenant_id text NOT NULL, id uuid NOT NULL, organisation text NOT NULL, package_id text NOT NULL,
        sha256 text NOT NULL, code text NOT NULL, detail text NOT NULL, at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id)""",
    "directories": """
        tenant_id text NOT NULL, operator text NOT NULL, sequence bigint NOT NULL, sha256 text NOT NULL,
        raw bytea NOT NULL, adopted_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, operator, sequence)""",
}

_INDEXES = (
    "CREATE INDEX transfers_school ON transfers (tenant_id, school_id, id)",
    "CREATE UNIQUE INDEX transfers_open ON transfers (tenant_id, pupil_id) WHERE state NOT IN "
    "('closed', 'refused', 'withdrawn', 'expired')",
    "CREATE INDEX transfers_package ON transfers (tenant_id, package_id)",
    "CREATE INDEX arrivals_state ON arrivals (tenant_id, state, id)",
    "CREATE INDEX arrivals_pupil ON arrivals (tenant_id, pupil_id) WHERE pupil_id IS NOT NULL",
    "CREATE INDEX state_changes_object ON state_changes (tenant_id, object_id, id)",
    "CREATE UNIQUE INDEX receipts_first ON receipts (tenant_id, package_id, organisation) WHERE previous IS NULL",
    "CREATE INDEX deliveries_due ON deliveries (tenant_id, next_attempt_at) WHERE done_at IS NULL",
    "CREATE INDEX custody_pupil ON custody (tenant_id, pupil_id)",
    "CREATE INDEX nonces_until ON nonces (tenant_id, until)",
)


def upgrade() -> None:
    create_plumbing(op)
    for name, columns in _TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
        tenant_table(op, name)
    for name, columns in _APPEND_ONLY.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
        append_only_table(op, name)
    for statement in _INDEXES:
        op.execute(statement)


def downgrade() -> None:
    for name in (*reversed(_APPEND_ONLY), *reversed(_TABLES)):
        op.execute(f"DROP TABLE {name}")
    drop_plumbing(op)
