"""Inbound HTTP: learning tools. The record store under `/xapi`, LTI under `/lti`; each part gives its routes."""

from __future__ import annotations

from servicekit.db import Database
from servicekit.http import SecurityHeaders
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from learning.http_api import lti, oauth
from learning.http_api.lti.platform import LtiSide
from learning.http_api.xapi import RecordStore
from learning.http_api.xapi.door import Door
from learning.settings import Settings


def learning_app(database: Database, settings: Settings, lti_side: LtiSide) -> Starlette:
    """The ASGI application that tools and browsers reach."""
    door = Door(database)
    store = RecordStore(database, door, settings.learning_url, settings.xapi_max_body_mb * 1024 * 1024)
    return Starlette(
        routes=[Mount("/xapi", app=store), *oauth.routes(door), *lti.routes(lti_side)],
        middleware=[Middleware(SecurityHeaders)],
    )
