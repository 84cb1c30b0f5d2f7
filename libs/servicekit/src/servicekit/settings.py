"""What a process is told about its surroundings: environment variables `KOMU_*`, read once in the service's `app`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Places, not rules. `KOMU_SERVICE_ADDRESSES` is a JSON object; paths may be relative to the working directory."""

    model_config = SettingsConfigDict(env_prefix="KOMU_", extra="ignore", frozen=True)

    service: str
    stack: str = "main"

    database_url: str
    """Of the app role (not the owner): `postgresql+psycopg://roster_app@host:port/roster?sslmode=verify-full&…`."""
    migration_url: str | None = None
    """Of the owner role; only `migrate` uses it."""
    database_pool: int = 8
    """Most connections of one process for requests; relay and sealer take one more each."""

    nats_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None

    grpc_address: str = "127.0.0.1:0"
    health_address: str | None = None
    http_address: str | None = None
    http_tls_cert: Path | None = None
    http_tls_key: Path | None = None

    identity_issuer: str = ""
    identity_jwks_url: str = ""
    identity_token_url: str = ""
    exchange_client_id: str | None = None
    exchange_client_secret: str | None = None

    calls_file: Path = Path("infra/calls.yaml")
    service_addresses: dict[str, str] = {}

    otlp_endpoint: str | None = None
    log_level: str = "INFO"
    deadline_max_s: float = 600.0
    """No RPC may ask for longer than this."""
    shutdown_grace_s: float = 10.0
