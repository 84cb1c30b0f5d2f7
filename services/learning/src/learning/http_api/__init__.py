"""Inbound HTTP: learning tools. The record store under `/xapi`; each part gives its routes."""

from __future__ import annotations

from servicekit.db import Database
from servicekit.http import SecurityHeaders
from starlette.applications import Starlette
from starlette.middleware import Middleware

from learning.http_api import xapi


def learning_app(database: Database) -> Starlette:
    """The ASGI application that tools and browsers reach."""
    return Starlette(routes=xapi.routes(database), middleware=[Middleware(SecurityHeaders)])
