"""Configuration, read once in `portal.app`."""

from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator
from servicekit.settings import ServiceSettings

STATIC = Path(__file__).parent / "static"


class PortalSettings(ServiceSettings):
    """What only the portal needs, on top of what every service reads. Environment prefix `KOMU_`."""

    portal_url: str
    """Where browsers reach the portal, without a trailing slash: `https://komu.example` or `http://localhost:7080`."""
    oidc_client_id: str = "portal"
    oidc_client_secret: SecretStr
    session_key: SecretStr
    """Fernet keys for tokens at rest, newest first, separated by commas: the first encrypts, all decrypt."""
    session_idle_minutes: int = 30
    session_absolute_hours: int = 10

    @field_validator("portal_url")
    @classmethod
    def _origin_only(cls, value: str) -> str:
        parts = urlsplit(value.rstrip("/"))
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
            raise ValueError("KOMU_PORTAL_URL must be an origin such as https://komu.example")
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def identity_origin(self) -> str:
        """Origin of the identity provider, for Content-Security-Policy."""
        parts = urlsplit(self.identity_issuer)
        return f"{parts.scheme}://{parts.netloc}"

    @cached_property
    def session_keys(self) -> list[str]:
        return [key.strip() for key in self.session_key.get_secret_value().split(",") if key.strip()]
