"""The key set and the platform's own description."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from learning.http_api.lti.platform import LtiSide, to_programs

KEPT_S = 3600


def routes(lti: LtiSide) -> list[Route]:
    """What everybody may read."""

    @to_programs
    async def key_set(_: Request) -> Response:
        keys = [key.public for key in await lti.keys.published()]
        return JSONResponse({"keys": keys}, headers={"cache-control": f"public, max-age={KEPT_S}"})

    return [Route("/lti/jwks", key_set, methods=["GET"])]
