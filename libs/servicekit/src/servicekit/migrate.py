"""Migrations: one Alembic line per service, run as the owner role; the app role gets row security and grants.

`migrations/env.py` of a service is two lines: `from servicekit.migrate import run_env` and `run_env("roster")`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory

from servicekit import tables

VERSION_TABLE = "alembic_version"


def migrations_of(service: str) -> Path:
    """The migrations folder of `service`: beside its `src`, or inside the package of an installed service."""
    given = os.environ.get("KOMU_MIGRATIONS_DIR")
    if given:
        return Path(given)
    spec = importlib.util.find_spec(service)
    if spec is None or spec.origin is None:
        raise LookupError(f"no package {service}")
    package = Path(spec.origin).parent
    for folder in (package.parent.parent / "migrations", package / "migrations"):
        if (folder / "env.py").exists():
            return folder
    raise LookupError(f"no migrations for {service} beside {package}")


def _config(service: str, url: str, directory: Path | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory or migrations_of(service)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    config.attributes["service"] = service
    return config


def upgrade(service: str, url: str, *, directory: Path | None = None, revision: str = "head") -> None:
    """Brings the database at `url` (owner role) to `revision`. Two at once wait for each other."""
    command.upgrade(_config(service, url, directory), revision)


def downgrade(service: str, url: str, revision: str, *, directory: Path | None = None) -> None:
    """Takes the database at `url` (owner role) back to `revision`."""
    command.downgrade(_config(service, url, directory), revision)


def heads(service: str, directory: Path | None = None) -> Sequence[str]:
    """The newest revisions of `service`; a guard wants exactly one."""
    return ScriptDirectory.from_config(_config(service, "", directory)).get_heads()


def run_env(service: str, target_metadata: sa.MetaData | None = None) -> None:
    """The whole of `migrations/env.py`: one transaction per upgrade, under an advisory lock."""
    url = context.config.attributes.get("url") or os.environ["KOMU_MIGRATION_URL"]
    app_role = context.config.attributes.get("app_role") or os.environ.get("KOMU_APP_ROLE") or f"{service}_app"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection, connection.begin():
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('komu.migrate', 0))"))
            context.configure(
                connection=connection,
                target_metadata=target_metadata,
                version_table=VERSION_TABLE,
                transaction_per_migration=False,
                app_role=app_role,
            )
            context.run_migrations()
            # The app reads it to say whether it is ready.
            connection.execute(sa.text(f'GRANT SELECT ON {VERSION_TABLE} TO "{app_role}"'))
    finally:
        engine.dispose()


def _app_role(op: Any) -> str:
    role = op.get_context().opts.get("app_role")
    if not role:
        raise RuntimeError("migrations run through servicekit.migrate.run_env")
    return str(role)


def tenant_table(
    op: Any, name: str, *, privileges: str = "SELECT, INSERT, UPDATE, DELETE", policy: str = ""
) -> None:
    """Forces row security by tenant on `name` and grants `privileges` to the app role. Call it after create_table.

    `policy`: another row condition than the tenant's; only the plumbing tables have one.
    """
    role = _app_role(op)
    condition = policy or "tenant_id = current_setting('komu.tenant')"
    op.execute(f'ALTER TABLE "{name}" ENABLE ROW LEVEL SECURITY')
    op.execute(f'ALTER TABLE "{name}" FORCE ROW LEVEL SECURITY')
    op.execute(f'CREATE POLICY tenant ON "{name}" USING ({condition}) WITH CHECK ({condition})')
    op.execute(f'GRANT {privileges} ON "{name}" TO "{role}"')


def append_only_table(op: Any, name: str) -> None:
    """Like `tenant_table`, but the app role may only read and add."""
    tenant_table(op, name, privileges="SELECT, INSERT")


def create_plumbing(op: Any) -> None:
    """Outbox, inbox, dead letters, jobs, audit log and seals, with their policies and grants."""
    role = _app_role(op)
    op.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
    tables.metadata.create_all(op.get_bind())
    for name, (policy, privileges) in tables.PLUMBING.items():
        tenant_table(op, name, privileges=privileges, policy=policy)


def drop_plumbing(op: Any) -> None:
    """The way back of `create_plumbing`."""
    tables.metadata.drop_all(op.get_bind())


def version_columns() -> list[sa.Column[Any]]:
    """`version`, `updated_at`, `updated_by`: what `servicekit.db.update_versioned` needs on a table."""
    return [
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_by", sa.Uuid),
    ]
