"""Places of learning, besides those every service has."""

from __future__ import annotations

from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read once in `app`."""

    service: str = "learning"
    learning_url: str = ""
    """Origin of the HTTP side as browsers and tools see it, without a slash at the end."""
