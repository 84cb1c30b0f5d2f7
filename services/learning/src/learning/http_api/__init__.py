"""Inbound HTTP: learning tools. The record store under `/xapi`, LTI under `/lti`; each part gives its routes."""

from __future__ import annotations

from servicekit.db import Database
from servicekit.http import SecurityHeaders
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

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
    door = Door(database, settings.lti_key)
    store = RecordStore(database, door, settings.learning_url, settings.xapi_max_body_mb * 1024 * 1024)
    return [Mount("/xapi", app=_open_to_pages(store)), *oauth.routes(door)]


def _open_to_pages(app: ASGIApp) -> ASGIApp:
    """Learning content speaks xAPI from the page it runs in, at an address of its own. What it may do is in the key
    that it sends itself; no cookie counts here, so every origin may ask (Fetch standard, CORS protocol)."""
    return CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "If-Match", "If-None-Match", "X-Experience-API-Version"],
        expose_headers=[
            "ETag",
            "Last-Modified",
            "X-Experience-API-Version",
            "X-Experience-API-Consistent-Through",
            "X-Experience-API-Hash",
        ],
        max_age=3600,
    )
