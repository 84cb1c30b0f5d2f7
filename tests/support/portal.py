"""Somebody at the portal without a browser: pages by HTTP, in a signed-in session."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

import httpx

from tests.support.signing_in import Form
from tests.support.stack import RunningStack

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# Where a page links to a real thing.
_LINKS = {
    "class_id": ("/attendance", rf"/attendance/classes/({_UUID})"),
    "pupil_id": ("/roster?q=ア", rf"/roster/pupils/({_UUID})"),
    "school_id": ("/attendance", rf"/attendance/schools/({_UUID})/"),
    "year": ("/board", r"/board/(\d{4})/symbols"),
    "topic": ("/board", r"/board/\d{4}/([\w-]+)"),
}


class PortalVisitor:
    """Signed in with the second factor; follows no redirect of the pages it asks for."""

    def __init__(self, stack: RunningStack, username: str) -> None:
        self._origin = stack.info["portal"]
        self._http = httpx.Client(timeout=30, event_hooks={"response": [self._keep_cookies]})
        self._fill("/sign-in", {"username": username, "password": stack.account(username)["password"]})
        home = self._fill("/step-up", {"otp": stack.fresh_code(username)})
        self._http.headers.update({"origin": self._origin, "sec-fetch-site": "same-origin"})
        self._csrf = home.text.split('name="csrf-token" content="')[1].split('"')[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def _keep_cookies(self, _: httpx.Response) -> None:
        """The cookies are marked Secure; browsers send those to http://localhost, this client would not."""
        for cookie in self._http.cookies.jar:
            cookie.secure = False

    def _fill(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Follows to Keycloak's form, fills it, follows back."""
        form = Form(self._http.get(self._origin + path, follow_redirects=True).text)
        answer = self._http.post(form.action, data=form.fields | fields, follow_redirects=True)
        answer.raise_for_status()
        return answer

    def a_real(self, name: str) -> str:
        """The id of a class, pupil or school, or the place of a page, that this person's pages link to."""
        page, pattern = _LINKS[name]
        found = re.search(pattern, self._http.get(self._origin + page, follow_redirects=True).text)
        assert found, f"{page} links to no {name}"
        return found[1]

    def failures(self, method: str, address: str, body: bytes = b"", kind: str = "") -> list[str]:
        """What is wrong with the answer, in a line: a failure of ours, or a no that does not say so in Japanese."""
        headers = {"x-csrf-token": self._csrf} | ({"content-type": kind} if kind else {})
        answer = self._http.request(method, self._origin + address, content=body, headers=headers)
        said = f"{answer.status_code} {method} {address[:200]} {body[:200]!r}"
        if answer.status_code >= 500:
            return [said]
        if answer.status_code >= 400 and not re.search("[ぁ-ん]", answer.text):
            return [f"{said}: {answer.text[:100]}"]
        return []
