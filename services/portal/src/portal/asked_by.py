"""What kind of answer a request can use: a page, a fragment for htmx, or JSON for our own scripts."""

from enum import Enum

from fastapi import Request


class AskedBy(Enum):
    NAVIGATION = "navigation"
    HTMX = "htmx"
    SCRIPT = "script"


def asked_by(request: Request) -> AskedBy:
    if request.headers.get("hx-request") == "true":
        return AskedBy.HTMX
    if request.headers.get("accept", "").startswith("application/json"):
        return AskedBy.SCRIPT
    return AskedBy.NAVIGATION


def page_address(request: Request) -> str:
    """Path and query of the page the person is looking at: for a fragment, the page it belongs to."""
    own = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if asked_by(request) is AskedBy.NAVIGATION and request.method == "GET":
        return own
    seen = request.headers.get("hx-current-url") or request.headers.get("referer") or ""
    origin: str = request.app.state.settings.portal_url
    return seen.removeprefix(origin) if seen.startswith(origin + "/") else "/"
