"""LTI over HTTP: the browser's way through a launch, and what tools call."""

from __future__ import annotations

from starlette.routing import Route

from learning.http_api.lti import browser, public, services
from learning.http_api.lti.platform import LtiSide


def routes(lti: LtiSide) -> list[Route]:
    """Everything below `/lti`, and `/.well-known/openid-configuration`."""
    return [*public.routes(lti), *browser.routes(lti), *services.routes(lti)]
