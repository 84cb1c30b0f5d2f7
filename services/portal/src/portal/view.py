"""Turns a template and its facts into an answer.

return view(request, "attendance/day.html", {"day": day}, title="出欠の入力")
return view(request, "attendance/day.html", {"day": day}, title="…", fragment="rows")   # htmx gets this block only
return redirect(request, "/attendance", notice="保存しました。")
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from cryptography.fernet import InvalidToken, MultiFernet
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from portal import cookies, text
from portal.asked_by import AskedBy, asked_by
from portal.assets import Assets
from portal.csrf import FIELD
from portal.nav import NavItem
from portal.session import SignedIn
from portal.signed_sessions import LiveSession
from portal.stencil import stencil

_NOTICE_LIVES_S = 60


@lru_cache(maxsize=2048)
def _escaped_text(value: str) -> Markup:
    return escape(value)


def _escaped(value: Any) -> Markup:
    """As `markupsafe.escape`, which a page of a class calls thousands of times with the same few words."""
    return _escaped_text(value) if type(value) is str else escape(value)


class _PageTemplate(Template):
    """A template whose compiled code escapes with `_escaped`."""

    @classmethod
    def _from_namespace(cls, environment: Environment, namespace: Any, globals: Any) -> "_PageTemplate":
        namespace["escape"] = _escaped
        return super()._from_namespace(environment, namespace, globals)  # type: ignore[return-value]


class _Pages(Environment):
    template_class = _PageTemplate


def build_environment(assets: Assets) -> Environment:
    environment = _Pages(
        loader=PackageLoader("portal", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = assets.url
    environment.globals["stencil"] = stencil
    environment.filters.update(text.FILTERS)
    environment.globals["c"] = environment.get_template("components.html").module
    return environment


def view(
    request: Request,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    title: str,
    status: int = 200,
    fragment: str | None = None,
) -> HTMLResponse:
    """The page `template`; where htmx asks and `fragment` names a block, that block alone."""
    state = request.app.state
    environment: Environment = state.environment
    facts = _facts(request, title) | dict(context or {})
    found = environment.get_template(template)
    if fragment is not None and asked_by(request) is AskedBy.HTMX and "hx-boosted" not in request.headers:
        block = found.blocks[fragment]
        html = "".join(block(found.new_context(facts)))
    else:
        html = found.render(facts)
    response = HTMLResponse(html, status_code=status, headers={"Vary": "HX-Request"})
    if facts["notice"]:
        cookies.NOTICE.take_back(request, response)
    return response


def redirect(request: Request, path: str, *, notice: str | None = None) -> Response:
    """After a change: go to `path` and say `notice` there once. Works for forms and for htmx."""
    response: Response = RedirectResponse(path, status_code=303)
    if asked_by(request) is AskedBy.HTMX:
        response = Response(status_code=204, headers={"HX-Redirect": response.headers["location"]})
    if notice:
        keys: MultiFernet = request.app.state.sessions.keys
        cookies.NOTICE.give(request, response, keys.encrypt(notice.encode()).decode(), max_age=_NOTICE_LIVES_S)
    return response


def toast(response: Response, message: str) -> Response:
    """Shows `message` for a few seconds on the page that htmx asked from."""
    response.headers["HX-Trigger"] = json.dumps({"komu:toast": {"message": message}})
    return response


def _facts(request: Request, title: str) -> dict[str, Any]:
    session = cast("LiveSession | None", getattr(request.state, "session", None))
    user = None
    if session is not None:
        user = SignedIn(session.tenant, session.person_id, session.name, session.username, session.roles)
    token = session.csrf_secret if session else ""
    entries: list[NavItem] = request.app.state.pages.nav
    return {
        "request": request,
        "title": title,
        "user": user,
        "nav": [item for item in entries if user and item.shown_to(user.roles)],
        "path": request.url.path,
        "csrf_token": token,
        "keep_key": request.app.state.sessions.keep_key(session) if session else "",
        "csrf": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token),
        "notice": _notice(request),
    }


def _notice(request: Request) -> str | None:
    given = cookies.NOTICE.read(request)
    if not given or asked_by(request) is not AskedBy.NAVIGATION:
        return None
    keys: MultiFernet = request.app.state.sessions.keys
    try:
        return keys.decrypt(given.encode(), ttl=_NOTICE_LIVES_S).decode()
    except InvalidToken:
        return None
