"""Every way a request can fail, in words a colleague would say: what happened, why, what now.

A page for navigation, a toast fragment for htmx, JSON for our scripts. Sign-in and step-up are answered here too, so
that no page needs to think of them.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from opentelemetry import trace
from servicekit.errors import Conflict, Invalid, Refused, StepUpRequired, Unauthenticated, Unavailable, Unseen
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.asked_by import AskedBy, asked_by, page_address
from portal.identity import IdentityAway
from portal.return_to import own_path
from portal.role_words import role_names
from portal.rpc import SERVICES, ServiceAway
from portal.session import SignInNeeded
from portal.view import view

log = logging.getLogger(__name__)
IDENTITY_LABEL = "サインイン"


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure as people read it. `now`: what they can do."""

    status: int
    reason: str
    title: str
    why: str
    now: Sequence[str] = ()
    violations: Sequence[Any] = ()
    details: Any = None


def trace_id() -> str:
    """The id under which operators find this request; empty where nothing is traced."""
    found = trace.get_current_span().get_span_context().trace_id
    return f"{found:032x}" if found else ""


def answer(request: Request, problem: Problem) -> Response:
    match asked_by(request):
        case AskedBy.SCRIPT:
            response: Response = JSONResponse(
                {
                    "reason": problem.reason,
                    "title": problem.title,
                    "message": problem.why,
                    "violations": [{"field": v.field, "message": v.message} for v in problem.violations],
                    "details": problem.details,
                    "trace_id": trace_id(),
                },
                status_code=problem.status,
            )
        case AskedBy.HTMX:
            response = view(
                request,
                "errors/fragment.html",
                {"problem": problem, "trace_id": trace_id()},
                title=problem.title,
                status=problem.status,
            )
            response.headers["HX-Retarget"] = "#toasts"
            response.headers["HX-Reswap"] = "beforeend"
        case AskedBy.NAVIGATION:
            response = view(
                request,
                "errors/page.html",
                {"problem": problem, "trace_id": trace_id()},
                title=problem.title,
                status=problem.status,
            )
    return response


def elsewhere(request: Request, *, path: str, reason: str, message: str) -> Response:
    """Sends the browser to sign-in or step-up and back. Scripts get the address and keep their unsaved work."""
    url = f"{path}?{urlencode({'return': own_path(page_address(request))})}"
    match asked_by(request):
        case AskedBy.SCRIPT:
            return JSONResponse({"reason": reason, "url": url, "message": message}, status_code=401)
        case AskedBy.HTMX:
            return Response(status_code=401, headers={"HX-Redirect": url})
        case AskedBy.NAVIGATION:
            return RedirectResponse(url, status_code=303)


async def sign_in_needed(request: Request, error: Exception) -> Response:
    return elsewhere(request, path="/sign-in", reason="SIGN_IN_REQUIRED", message="サインインし直してください。")


async def step_up_required(request: Request, error: Exception) -> Response:
    return elsewhere(request, path="/step-up", reason="STEP_UP_REQUIRED", message="二要素認証が必要です。")


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    now = ["必要な操作のときは、校長または管理者に相談してください。"]
    reason = getattr(error, "reason", None) or "REFUSED"
    if reason == "CSRF":
        now = ["前の画面に戻り、再読み込みしてからやり直してください。"]
    names = role_names(error.roles)
    why = f"{_message(error)}できるのは、{'、'.join(names)}です。" if names else _message(error)
    return answer(request, Problem(403, reason, "この操作はできません", why, now))


async def token_refused(request: Request, error: Exception) -> Response:
    """A service did not accept our token although the session lives: keys changed, or clocks differ."""
    problem = Problem(
        401,
        "TOKEN_REFUSED",
        "本人確認の有効期限が切れました",
        "サインインの情報が古くなっています。",
        ["右上の「サインアウト」を押し、もう一度サインインしてください。"],
    )
    return answer(request, problem)


async def unseen(request: Request, error: Exception) -> Response:
    return answer(request, not_found_problem())


def not_found_problem() -> Problem:
    return Problem(
        404,
        "NOT_FOUND",
        "見つかりません",
        "お探しのページまたは記録は見つかりません。",
        ["住所（URL）に誤りがないか確かめてください。", "ホームから開き直してください。"],
    )


async def conflict(request: Request, error: Exception) -> Response:
    assert isinstance(error, Conflict)
    problem = Problem(
        409,
        "CONFLICT",
        "ほかの人が先に変更しました",
        _message(error),
        ["ページを開き直して最新の内容を確かめ、もう一度入力してください。", "あなたの変更はまだ保存されていません。"],
        details=getattr(error, "details", None),
    )
    return answer(request, problem)


async def invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)
    problem = Problem(
        422,
        "INVALID",
        "入力内容を確かめてください",
        _message(error),
        ["前の画面に戻って直してください。"],
        violations=list(getattr(error, "violations", ())),
    )
    return answer(request, problem)


@dataclass(frozen=True, slots=True)
class _Violation:
    field: str
    message: str


async def malformed(request: Request, error: Exception) -> Response:
    """FastAPI could not read the form or the query."""
    assert isinstance(error, RequestValidationError)
    violations = [_Violation(str(e["loc"][-1]), _plain(e)) for e in error.errors()]
    problem = Problem(
        422,
        "INVALID",
        "入力内容を確かめてください",
        "読み取れない入力があります。",
        ["前の画面に戻って直してください。"],
        violations=violations,
    )
    return answer(request, problem)


def _plain(error: dict[str, Any]) -> str:
    kind = str(error.get("type", ""))
    if kind == "missing":
        return "入力してください。"
    if kind.startswith(("int", "float", "decimal")):
        return "数字で入力してください。"
    if kind.startswith("date"):
        return "日付を 2026-11-21 の形で入力してください。"
    if kind.startswith("uuid"):
        return "正しい番号ではありません。"
    return "この値は使えません。"


async def service_away(request: Request, error: Exception) -> Response:
    label = IDENTITY_LABEL if isinstance(error, IdentityAway) else getattr(error, "label", "一部")
    working = "、".join(name for name in SERVICES.values() if name != label)
    log.warning("service away: %s", getattr(error, "service", "identity"))
    problem = Problem(
        503,
        "SERVICE_AWAY",
        f"{label}の機能が一時的に使えません",
        f"{label}を受け持つ部分から応答がありません。入力済みで保存されている内容は失われていません。",
        ["1分ほど待ってから、もう一度お試しください。", f"ほかの機能（{working}など）はそのまま使えます。"],
    )
    response = answer(request, problem)
    response.headers["Retry-After"] = "30"
    return response


async def http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return answer(request, not_found_problem())
    if error.status_code == 405:
        return answer(request, Problem(405, "METHOD", "この操作はできません", "この場所ではその操作を受け付けません。"))
    return answer(request, Problem(error.status_code, "HTTP", "受け付けられませんでした", str(error.detail)))


async def broken(request: Request, error: Exception) -> Response:
    log.error("request failed", exc_info=error)
    problem = Problem(
        500,
        "BROKEN",
        "処理を完了できませんでした",
        "システムの不具合です。操作が保存されたかどうかは、画面を開き直して確かめてください。",
        ["同じことが続くときは、下の問い合わせ番号を管理者に伝えてください。"],
    )
    return answer(request, problem)


def _message(error: Exception) -> str:
    return str(getattr(error, "message", None) or error)


def install(app: FastAPI) -> None:
    for kind, handler in (
        (SignInNeeded, sign_in_needed),
        (StepUpRequired, step_up_required),
        (Refused, refused),
        (Unseen, unseen),
        (Conflict, conflict),
        (Invalid, invalid),
        (RequestValidationError, malformed),
        (Unauthenticated, token_refused),
        (Unavailable, service_away),
        (ServiceAway, service_away),
        (IdentityAway, service_away),
        (HTTPException, http_error),
    ):
        app.add_exception_handler(kind, handler)


class NothingUnanswered:
    """Answers what no handler knows, inside the layers that trace and secure every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            if begun:
                raise
            response = await broken(Request(scope, receive), error)
            await response(scope, receive, send)
