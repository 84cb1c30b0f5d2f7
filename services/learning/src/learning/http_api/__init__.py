"""Inbound HTTP: learning tools. The record store under `/xapi`, LTI under `/lti`; each part gives its routes."""

from __future__ import annotations

from servicekit.db import Database
from servicekit.http import SecurityHeaders
from starlette.applications import Starlette
from starlette.middleware import Middleware

from learning.http_api import lti, xapi
from learning.http_api.lti.platform import LtiSide


def learning_app(database: Database, lti_side: LtiSide) -> Starlette:
    """The ASGI application that tools and browsers reach."""
    return Starlette(
        routes=[*xapi.routes(database), *lti.routes(lti_side)], middleware=[Middleware(SecurityHeaders)]
    )
