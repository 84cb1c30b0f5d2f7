"""What everybody may read of the platform, and the door for tools that register themselves."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from learning.domain.lti import registration
from learning.domain.lti.plain import plain
from learning.domain.lti.refusals import LtiRefusal, invalid_request
from learning.domain.lti.tools import client_id_of
from learning.http_api.lti.platform import NO_STORE, LtiSide, body_of, to_programs
from learning.usecases.lti import registering

KEPT_S = 3600
LARGEST_REGISTRATION = 64 * 1024


def routes(lti: LtiSide) -> list[Route]:
    """Key set, description, registration."""

    @to_programs
    async def key_set(_: Request) -> Response:
        keys = [key.public for key in await lti.keys.published()]
        return JSONResponse({"keys": keys}, headers={"cache-control": f"public, max-age={KEPT_S}"})

    @to_programs
    async def about(_: Request) -> Response:
        headers = {"cache-control": f"public, max-age={KEPT_S}"}
        return JSONResponse(registration.about_platform(lti.platform), headers=headers)

    @to_programs
    async def register(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        tenant, invitation_id, secret = registration.read_token(token if scheme.lower() == "bearer" else "")
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise LtiRefusal("invalid_request", "Content-Type は application/json です。", 415)
        try:
            body = plain(json.loads(await body_of(request, LARGEST_REGISTRATION)))
        except (ValueError, RecursionError):
            raise invalid_request("JSON として読めません。") from None
        async with lti.database.transaction(tenant) as tx:
            tool = await registering.register_itself(tx, invitation_id, secret, body, local=lti.local_tools)
        return JSONResponse(registration.about_tool(tool.facts, client_id_of(tenant, tool.id)), headers=NO_STORE)

    return [
        Route("/.well-known/openid-configuration", about, methods=["GET"]),
        Route("/lti/jwks", key_set, methods=["GET"]),
        Route("/lti/register", register, methods=["POST"]),
    ]
