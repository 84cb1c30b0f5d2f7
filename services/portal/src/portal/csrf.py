"""Cross-site request forgery: a token bound to the session, in the form or in the header `X-CSRF-Token`.

The second wall beside `portal.security.SameOrigin`, which refuses by Origin and Sec-Fetch-Site before a body is read.
"""

import hmac

from fastapi import Request
from servicekit.errors import Refused

from portal.session import live_session
from portal.signed_sessions import LiveSession

FIELD = "csrf_token"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def csrf_checked(request: Request) -> None:
    """Dependency of every page: a request that changes something must carry the token of its session."""
    if request.method in SAFE_METHODS:
        return
    session = await live_session(request)
    await _check(request, session)


async def _check(request: Request, session: LiveSession) -> None:
    given = request.headers.get(HEADER)
    if given is None and request.headers.get("content-type", "").startswith(_FORMS):
        field = (await request.form()).get(FIELD)
        given = field if isinstance(field, str) else None
    if given is None or not hmac.compare_digest(given.encode(), session.csrf_secret.encode()):
        raise Refused("画面の有効期限が切れました。ページを開き直して、もう一度お試しください。", reason="CSRF")
