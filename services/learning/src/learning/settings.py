"""Places of learning, besides those every service has."""

from __future__ import annotations

from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read once in `app`."""

    service: str = "learning"
    learning_url: str = ""
    """Origin of the HTTP side as browsers and tools see it, without a slash at the end."""
    portal_url: str = ""
    """Origin of the pages, where people come from and go back to."""
    lti_key: str = ""
    """Fernet keys (newest first, separated by commas): they seal the private halves of the LTI keys and sign the tokens
    of the record store."""
    lti_local_tools: bool = False
    """Whether tools without https and at private addresses are taken: for a stack on one machine."""
    xapi_max_body_mb: int = 20
    """A request to the record store may be so long, attachments included; MiB."""
