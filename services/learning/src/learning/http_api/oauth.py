"""The token endpoint of the record store: client credentials (RFC 6749, 4.4) with a tool's key and secret."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from learning.domain.xapi.parameters import read_query_string
from learning.domain.xapi.wrong import Wrong
from learning.http_api.xapi.door import TOKEN_S, Door, basic

_LONGEST = 8192


def routes(door: Door) -> list[Route]:
    """`POST /oauth2/token`."""

    async def token(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LONGEST:
                return _error("invalid_request", 413)
        try:
            form = read_query_string(body.decode("latin-1"))
        except Wrong:
            return _error("invalid_request", 400)
        if form.get("grant_type") != "client_credentials":
            return _error("unsupported_grant_type", 400)
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() == "basic":
                key, secret = basic(credentials)
            else:
                key, secret = form.get("client_id", ""), form.get("client_secret", "")
            issued = await door.token_for(key, secret)
        except Wrong as wrong:
            return _error("temporarily_unavailable" if wrong.status == 503 else "invalid_client", wrong.status)
        answer = {"access_token": issued, "token_type": "Bearer", "expires_in": TOKEN_S}
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    return [Route("/oauth2/token", token, methods=["POST"])]


def _error(code: str, status: int) -> Response:
    headers = {"www-authenticate": "Basic"} if status == 401 else {}
    return JSONResponse({"error": code}, status, headers={"cache-control": "no-store", **headers})
