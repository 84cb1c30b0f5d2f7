"""Inbound HTTP: learning tools. The record store under `/xapi`, LTI under `/lti`; each part gives its routes."""

from __future__ import annotations

from servicekit.db import Database
from servicekit.http import SecurityHeaders
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from learning.http_api import lti, oauth
from learning.http_api.lti.platform import LtiSide
from learning.http_api.xapi import RecordStore
from learning.http_api.xapi.door import Door
from learning.settings import Settings


def learning_app(database: Database, settings: Settings, lti_side: LtiSide) -> Starlette:
    """The ASGI application that tools and browsers reach."""
    return Starlette(
        routes=[*record_store(database, settings), *lti.routes(lti_side)], middleware=[Middleware(SecurityHeaders)]
    )


def record_store(database: Database, settings: Settings) -> list[BaseRoute]:
    """`/xapi`, and where its clients get their tokens."""
    door = Door(database)
    store = RecordStore(database, door, settings.learning_url, settings.xapi_max_body_mb * 1024 * 1024)
    return [Mount("/xapi", app=store), *oauth.routes(door)]
