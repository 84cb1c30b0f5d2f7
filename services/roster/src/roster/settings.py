"""What roster is told about its surroundings: nothing beyond what every service is told."""

from __future__ import annotations

from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read once in `app`."""

    service: str = "roster"
