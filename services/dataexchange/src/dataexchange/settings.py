"""Places of dataexchange, besides those every service has."""

from pathlib import Path

from pydantic import BaseModel
from servicekit.settings import ServiceSettings


class SpokenFor(BaseModel):
    """An organisation this deployment speaks for towards others: a board with the file of its private keys."""

    tenant: str
    id: str
    key_file: Path
    name: str = ""


class Settings(ServiceSettings):
    """See the README. Without `organisations` there is no exchange with other deployments."""

    service: str = "dataexchange"
    organisations: tuple[SpokenFor, ...] = ()
    """`KOMU_ORGANISATIONS`: JSON list of {tenant, id, key_file}."""
    directory_file: str = ""
    """The trust directory: a path or an https:// address."""
    directory_operator_file: Path | None = None
    """The pinned public key of the directory's operator (JWK)."""
    directory_seconds: float = 30.0
    """How often the directory and the keys are read again."""
    exchange_public_url: str = ""
    """The `https://` root under which partners and other municipalities reach this process; told to people."""
    exchange_ca_bundle: Path | None = None
    """PEM of the authorities that issue other deployments' certificates; None: the system's."""
