"""The token endpoint: OAuth 2 client credentials (RFC 6749 4.4), client_secret_basic or client_secret_post."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from servicekit.db import Database
from starlette.types import Receive, Scope, Send

from dataexchange.domain.partners import TOKEN_LASTS, tenant_of
from dataexchange.domain.rest.answers import Declined
from dataexchange.domain.rest.scopes import asked, full
from dataexchange.rest_api import wire
from dataexchange.usecases import partners

PATH = "/oauth/token"
_MAX_BYTES = 16 * 1024


class _Refused(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


async def serve(database: Database, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await wire.answer_json(send, 200, await _issue(database, scope, receive), [(b"pragma", b"no-cache")])
    except Declined as declined:
        await wire.answer_json(
            send, declined.status, {"error": "invalid_request", "error_description": declined.description}
        )
    except _Refused as refused:
        basic = [(b"www-authenticate", b'Basic realm="OneRoster"')] if refused.status == 401 else []
        await wire.answer_json(send, refused.status, refused.body, basic)


async def _issue(database: Database, scope: Scope, receive: Receive) -> dict[str, Any]:
    if scope["method"] != "POST":
        raise _Refused(405, "invalid_request", "POST")
    kind = wire.header(scope, b"content-type").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise _Refused(400, "invalid_request", "Content-Type is application/x-www-form-urlencoded")
    raw = await wire.body(scope, receive, _MAX_BYTES)
    try:
        form = parse_qs(raw.decode(), errors="strict", max_num_fields=20)
    except (UnicodeDecodeError, ValueError):
        raise _Refused(400, "invalid_request", "the form is not UTF-8") from None
    if any(len(values) > 1 for values in form.values()):
        raise _Refused(400, "invalid_request", "a parameter stands there twice")
    given = {name: values[0] for name, values in form.items()}
    client_id, secret = _credentials(wire.header(scope, b"authorization"), given)
    if given.get("grant_type") != "client_credentials":
        raise _Refused(400, "unsupported_grant_type" if given.get("grant_type") else "invalid_request",
                       "grant_type is client_credentials")  # fmt: skip
    tenant = tenant_of(client_id)
    if tenant is None:
        raise _Refused(401, "invalid_client", "unknown client, or wrong secret")
    async with database.transaction(tenant) as tx:
        issued = await partners.issue_token(tx, client_id, secret, asked(given.get("scope", "")))
    if issued is None:
        raise _Refused(401, "invalid_client", "unknown client, or wrong secret")
    token, grant = issued
    if not grant.scopes:
        raise _Refused(400, "invalid_scope", "none of the scopes is granted to this client")
    return {
        "access_token": token, "token_type": "Bearer", "expires_in": int(TOKEN_LASTS.total_seconds()),
        "scope": full(grant.scopes),
    }  # fmt: skip


def _credentials(authorization: str, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            raise _Refused(401, "invalid_client", "Basic is base64 of client_id:client_secret")
        return unquote_plus(client_id), unquote_plus(secret)
    if form.get("client_id") and form.get("client_secret"):
        return form["client_id"], form["client_secret"]
    raise _Refused(401, "invalid_client", "client_secret_basic or client_secret_post")
