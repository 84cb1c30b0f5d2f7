"""Sessions and sign-ins under way.

Looked up by the hash of a secret before the tenant is known, so no row security by tenant here;
the app role may read and change rows and nothing else.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("secret_hash", sa.LargeBinary, primary_key=True),
        sa.Column("previous_hash", sa.LargeBinary),
        sa.Column("tenant_id", sa.Text, sa.CheckConstraint("tenant_id ~ '^[a-z0-9-]{1,40}$'"), nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("identity_session", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("csrf_secret", sa.Text, nullable=False),
        sa.Column("tokens", sa.LargeBinary, nullable=False),
        sa.Column("tokens_expire_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    for column in ("previous_hash", "identity_session", "subject", "expires_at"):
        op.create_index(f"sessions_{column}", "sessions", [column])
    op.create_table(
        "sign_ins",
        sa.Column("state_hash", sa.LargeBinary, primary_key=True),
        sa.Column("browser_hash", sa.LargeBinary, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("return_to", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("sign_ins_expires_at", "sign_ins", ["expires_at"])
    op.create_table(
        "spent_logout_tokens",
        sa.Column("token_id", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    role = op.get_context().opts["app_role"]
    op.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
    for table in ("sessions", "sign_ins", "spent_logout_tokens"):
        op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO "{role}"')


def downgrade() -> None:
    for table in ("spent_logout_tokens", "sign_ins", "sessions"):
        op.drop_table(table)
