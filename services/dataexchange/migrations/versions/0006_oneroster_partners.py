"""連携先 of a board: who may ask for OneRoster objects, and the tokens they hold.

Revision ID: 0006
"""

from alembic import op
from servicekit.migrate import tenant_table

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE oneroster_partners (
            tenant_id text NOT NULL, id uuid NOT NULL, name text NOT NULL, purpose text NOT NULL,
            scopes text[] NOT NULL, school_ids text[] NOT NULL, secret_sha256 bytea NOT NULL,
            created_at timestamptz NOT NULL, disabled_at timestamptz, last_used_at timestamptz,
            version bigint NOT NULL DEFAULT 1, updated_at timestamptz NOT NULL DEFAULT now(), updated_by uuid,
            PRIMARY KEY (tenant_id, id))"""
    )
    op.execute(
        """CREATE TABLE oneroster_tokens (
            tenant_id text NOT NULL, sha256 bytea NOT NULL, partner_id uuid NOT NULL, scopes text[] NOT NULL,
            expires_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, sha256),
            FOREIGN KEY (tenant_id, partner_id) REFERENCES oneroster_partners (tenant_id, id) ON DELETE CASCADE)"""
    )
    op.execute("CREATE INDEX oneroster_tokens_partner ON oneroster_tokens (tenant_id, partner_id)")
    tenant_table(op, "oneroster_partners", privileges="SELECT, INSERT, UPDATE")
    tenant_table(op, "oneroster_tokens")


def downgrade() -> None:
    op.execute("DROP TABLE oneroster_tokens")
    op.execute("DROP TABLE oneroster_partners")
