"""Tables of the database `portal`.

A session is looked up by the hash of its secret before anybody knows the tenant, so these tables are keyed by that hash
and carry `tenant_id` as a plain column.
"""

from sqlalchemy import ARRAY, Column, DateTime, Index, LargeBinary, MetaData, Table, Text, Uuid

metadata = MetaData()

sessions = Table(
    "sessions",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("previous_hash", LargeBinary, nullable=True),
    Column("tenant_id", Text, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("subject", Text, nullable=False),
    Column("identity_session", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("csrf_secret", Text, nullable=False),
    Column("tokens", LargeBinary, nullable=False),
    Column("tokens_expire_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("renewed_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("sessions_previous_hash", "previous_hash"),
    Index("sessions_identity_session", "identity_session"),
    Index("sessions_subject", "subject"),
    Index("sessions_expires_at", "expires_at"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("browser_hash", LargeBinary, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("sign_ins_expires_at", "expires_at"),
)

spent_logout_tokens = Table(
    "spent_logout_tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
