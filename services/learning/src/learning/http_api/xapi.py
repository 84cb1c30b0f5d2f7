"""The xAPI record store over HTTP: 1.0.3 and 2.0 (IEEE 9274.1.1-2023), by the version a request asks for."""

from __future__ import annotations

from servicekit.db import Database
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")


def routes(database: Database) -> list[Route]:
    """Everything below `/xapi`."""

    async def about(_: Request) -> Response:
        return JSONResponse({"version": list(VERSIONS)})

    return [Route("/xapi/about", about, methods=["GET"])]
