"""Signing in and out, and the second factor at the moment it is needed."""

import logging
import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from portal import cookies
from portal.csrf import csrf_checked
from portal.errors import Problem, answer
from portal.identity import SignInRefused
from portal.return_to import HOME, own_path
from portal.session import SignInNeeded, live_session
from portal.signed_sessions import SignedSessions, hashed
from portal.store import sessions as session_rows
from portal.store import sign_ins
from portal.view import view

router = APIRouter()
log = logging.getLogger(__name__)
SIGN_IN_TAKES = timedelta(minutes=15)
STRONG_LEVEL = 2


def _origin(request: Request) -> str:
    return str(request.app.state.settings.portal_url)


async def _begin(request: Request, *, level: int, return_to: str) -> Response:
    manager: SignedSessions = request.app.state.sessions
    browser = cookies.SIGN_IN.read(request) or secrets.token_urlsafe(32)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    now = manager.now()
    async with manager.engine.begin() as connection:
        await sign_ins.add(
            connection,
            {
                "state_hash": hashed(state),
                "browser_hash": hashed(browser),
                "nonce": nonce,
                "verifier": verifier,
                "return_to": return_to,
                "level": str(level),
                "expires_at": now + SIGN_IN_TAKES,
            },
        )
    url = await manager.provider.authorization_url(
        redirect_uri=f"{_origin(request)}/callback", state=state, nonce=nonce, verifier=verifier, level=level
    )
    response = RedirectResponse(url, status_code=303)
    cookies.SIGN_IN.give(request, response, browser, max_age=int(SIGN_IN_TAKES.total_seconds()))
    return response


@router.get("/sign-in")
async def sign_in(request: Request, wanted: Annotated[str | None, Query(alias="return")] = None) -> Response:
    """Straight to the identity provider; straight back where a session is alive already."""
    try:
        await live_session(request)
    except SignInNeeded:
        return await _begin(request, level=1, return_to=own_path(wanted))
    return RedirectResponse(own_path(wanted), status_code=303)


@router.get("/step-up")
async def step_up(request: Request, wanted: Annotated[str | None, Query(alias="return")] = None) -> Response:
    """Asks for the second factor and comes back to the same page."""
    return await _begin(request, level=STRONG_LEVEL, return_to=own_path(wanted))


@router.get("/step-up/done")
async def step_up_done(request: Request) -> Response:
    """The end of a step-up in its own window: tells the waiting page and closes."""
    return view(request, "account/step_up_done.html", title="本人確認ができました")


@router.get("/callback")
async def callback(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    manager: SignedSessions = request.app.state.sessions
    async with manager.engine.begin() as connection:
        begun = await sign_ins.take(connection, hashed(state), manager.now())
    browser = cookies.SIGN_IN.read(request)
    if begun is None or browser is None or begun["browser_hash"] != hashed(browser):
        return answer(request, _stale())
    stepping_up = begun["level"] == str(STRONG_LEVEL)
    if error or not code:
        return answer(request, _no_second_factor() if stepping_up else _sign_in_refused())
    try:
        tokens, identity = await manager.provider.exchange_code(
            code=code, redirect_uri=f"{_origin(request)}/callback", verifier=begun["verifier"], nonce=begun["nonce"]
        )
    except SignInRefused as refusal:
        log.warning("sign-in refused: %s", refusal.reason)
        return answer(request, _sign_in_refused())
    if stepping_up and STRONG_LEVEL not in identity.levels:
        return answer(request, _no_second_factor())

    former = cookies.SESSION.read(request)
    secret = await manager.raise_level(former, tokens, identity) if former and stepping_up else None
    if secret is None:
        if former:
            await manager.end(former)
        secret = await manager.start(tokens, identity)
    response = RedirectResponse(begun["return_to"], status_code=303)
    cookies.SESSION.give(request, response, secret)
    return response


@router.post("/sign-out", dependencies=[Depends(csrf_checked)])
async def sign_out(request: Request) -> Response:
    """Ends the session here and at the identity provider."""
    manager: SignedSessions = request.app.state.sessions
    ended = await manager.end(cookies.SESSION.read(request) or "")
    url = HOME
    if ended:
        url = await manager.provider.logout_url(id_token=ended.id_token, return_to=f"{_origin(request)}/")
    response = RedirectResponse(url, status_code=303)
    for cookie in (cookies.SESSION, cookies.SIGN_IN):
        cookie.take_back(request, response)
    return response


@router.post("/backchannel-logout")
async def backchannel_logout(request: Request, logout_token: Annotated[str, Form(max_length=20_000)]) -> Response:
    """The identity provider says that a session is over (OpenID Connect Back-Channel Logout 1.0)."""
    manager: SignedSessions = request.app.state.sessions
    try:
        token_id, ends_at, session, subject = await manager.provider.logout_subject(logout_token)
    except SignInRefused as refusal:
        log.warning("logout token refused: %s", refusal.reason)
        return PlainTextResponse("invalid logout token", status_code=400)
    async with manager.engine.begin() as connection:
        if not await sign_ins.spend_logout_token(connection, token_id, ends_at):
            return PlainTextResponse("logout token was used before", status_code=400)
        if session:
            await session_rows.remove_of_identity_session(connection, session)
        elif subject:
            await session_rows.remove_of_subject(connection, subject)
    return Response(status_code=200)


def _stale() -> Problem:
    return Problem(
        400,
        "SIGN_IN_STALE",
        "サインインを完了できませんでした",
        "サインインの手続きが古くなったか、別のブラウザーで始められたものです。",
        ["ホームからもう一度サインインしてください。"],
    )


def _sign_in_refused() -> Problem:
    return Problem(
        403,
        "SIGN_IN_REFUSED",
        "サインインできませんでした",
        "このアカウントでは利用を始められません。",
        ["教育委員会の管理者に、アカウントの状態を確かめてもらってください。"],
    )


def _no_second_factor() -> Problem:
    return Problem(
        403,
        "NO_SECOND_FACTOR",
        "二要素認証ができませんでした",
        "この情報を開くには二つ目の認証（ワンタイムコード）が必要ですが、確認できませんでした。",
        [
            "ワンタイムコードをまだ受け取っていない人は、教育委員会の管理者に対面で登録を依頼してください。",
            "コードを打ち間違えたときは、前の画面からもう一度開いてください。",
        ],
    )
