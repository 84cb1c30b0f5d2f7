"""What a person's browser passes on its way into a tool: start, authorization endpoint."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from learning.domain.lti import jose, launches
from learning.domain.lti.launches import HINT_LIFE
from learning.http_api.lti.platform import NO_STORE, LtiSide, form_of, to_people
from learning.usecases.lti import choosing, launching

_SUBMIT: Final = "document.forms[0].submit()"
_SUBMIT_HASH: Final = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()
_POSTING: Final = {
    **NO_STORE,
    # A tool may redirect after the post: the address of the form is fixed by us, the way behind it is the tool's.
    "content-security-policy": (
        f"default-src 'none'; script-src 'sha256-{_SUBMIT_HASH}'; form-action https: http:; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "origin",  # with `same-origin` the post would carry `Origin: null`, which tools turn away
}


def routes(lti: LtiSide) -> list[Route]:
    """The launch as the browser sees it."""

    @to_people
    async def start(request: Request) -> Response:
        tenant, launch_id, secret = launches.read_ticket(request.query_params.get("ticket", ""))
        async with lti.database.transaction(tenant) as tx:
            started = await launching.start(tx, lti.platform, launch_id, secret)
        answer = RedirectResponse(started.login_url, 303, headers=NO_STORE)
        answer.set_cookie(
            _cookie(started.launch_id.hex), started.browser, max_age=int(HINT_LIFE.total_seconds()),
            path="/", secure=True, httponly=True, samesite="none",
        )  # fmt: skip
        return answer

    @to_people
    async def authorize(request: Request) -> Response:
        asked = launches.read_request(await form_of(request))
        tenant, tool = await lti.tool_of(asked.client_id)
        cookie = _cookie(asked.login_hint)
        private = await lti.keys.private_key()
        async with lti.database.transaction(tenant) as tx:
            browser = request.cookies.get(cookie, "")
            answered = await launching.answer(tx, lti.platform, tool.id, asked, browser)
        fields = {"id_token": jose.sign(answered.claims, private), "state": answered.state}
        answer = _posting(answered.redirect_uri, fields)
        answer.delete_cookie(cookie, path="/", secure=True, httponly=True, samesite="none")
        return answer

    @to_people
    async def chosen(request: Request) -> Response:
        token = (await form_of(request)).get("JWT", "")
        client_id = jose.text_claim(jose.look_at(token), "iss")
        tenant, tool = await lti.tool_of(client_id)
        claims = await lti.read_from_tool(tool, token)
        async with lti.database.transaction(tenant) as tx:
            class_id = await choosing.take_contents(tx, lti.platform, tool.id, client_id, claims, local=lti.local_tools)
        return RedirectResponse(lti.platform.class_page(class_id), 303, headers=NO_STORE)

    return [
        Route("/lti/deep-linking", chosen, methods=["POST"]),
        Route("/lti/start", start, methods=["GET"]),
        Route("/lti/authorize", authorize, methods=["GET", "POST"]),
    ]


def _cookie(login_hint: str) -> str:
    """One cookie per launch: two tools opened at once do not disturb each other."""
    shortened = "".join(sign for sign in login_hint if sign in "0123456789abcdef")[-12:]
    return f"__Host-komu-lti-{shortened}"


def _posting(address: str, fields: dict[str, str]) -> HTMLResponse:
    """OAuth 2.0 Form Post Response Mode: a form that sends itself, with a button where scripts are off."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    return HTMLResponse(
        '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>学習ツールを開いています | Komu 校務'
        f'</title></head><body><form method="post" action="{escape(address)}">{inputs}'
        f"<noscript><p>次へ進んでください。</p><button>学習ツールを開く</button></noscript></form>"
        f"<script>{_SUBMIT}</script></body></html>",
        headers=_POSTING,
    )
