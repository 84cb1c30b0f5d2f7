"""Signing in at the real Keycloak by HTTP, as a browser does: follows redirects, fills the forms it is shown."""

import base64
import hashlib
import html
import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.support.stack import RunningStack


@dataclass
class Outcome:
    """How it ended: `asked` names the forms in order; then either `tokens`, an `error` at the portal, or a `page`."""

    asked: list[str] = field(default_factory=list)
    tokens: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    page: str = ""
    status: int = 0

    @property
    def claims(self) -> dict[str, Any]:
        return claims(self.tokens["access_token"])


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


class Form(HTMLParser):
    """The first form of a page: where it is sent, and what its fields hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form" and not self.action:
            self.action = found.get("action") or ""
        if tag == "input" and found.get("name") and found.get("type") != "submit":
            self.fields[str(found["name"])] = found.get("value") or ""


class Browser:
    """One browser with its cookies: the session at Keycloak lives in it."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._http = httpx.Client(timeout=30, event_hooks={"response": [self._keep_cookies]})
        self._base = f"{stack.info['identity']['issuer']}/protocol/openid-connect"
        self._callback = f"{stack.info['portal']}/callback"
        self._secret = stack.info["identity"]["clients"]["portal"]

    def close(self) -> None:
        self._http.close()

    def _keep_cookies(self, _: httpx.Response) -> None:
        """Keycloak marks its cookies Secure; browsers send those to http://localhost, this client would not."""
        for cookie in self._http.cookies.jar:
            cookie.secure = False

    def sign_in(self, username: str, level: int = 1, password: str | None = None, **more: str) -> Outcome:
        """The code flow with PKCE, stopping at the first page that asks for something else than password or code."""
        verifier = secrets.token_urlsafe(48)
        query = {
            "client_id": "portal",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self._callback,
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("="),
            "acr_values": f"urn:komu:loa:{level}",
        } | more
        outcome = Outcome()
        answer = self._http.get(f"{self._base}/auth?{urlencode(query)}")
        for _ in range(12):
            if answer.status_code in (302, 303):
                location = answer.headers["location"]
                if location.startswith(self._callback):
                    return self._finish(outcome, parse_qs(urlsplit(location).query), verifier)
                answer = self._http.get(location)
                continue
            form = Form(answer.text)
            if "password" in form.fields:
                form.fields |= {"username": username, "password": password or self._stack.account(username)["password"]}
                step = "password"
            elif "otp" in form.fields and self._stack.account(username)["otp_secret"]:
                form.fields["otp"] = self._stack.fresh_code(username)
                step = "code"
            else:
                return self._page(outcome, answer)
            if outcome.asked[-1:] == [step]:
                return self._page(outcome, answer)
            outcome.asked.append(step)
            answer = self._http.post(form.action, data=form.fields)
        raise AssertionError(f"no end of redirects after {outcome.asked}")

    def _finish(self, outcome: Outcome, query: dict[str, list[str]], verifier: str) -> Outcome:
        if "code" not in query:
            outcome.error = query.get("error", ["?"])[0]
            return outcome
        form = {"grant_type": "authorization_code", "code": query["code"][0], "redirect_uri": self._callback}
        outcome.tokens = self._post(form | {"code_verifier": verifier}, "portal").json()
        return outcome

    def _page(self, outcome: Outcome, answer: httpx.Response) -> Outcome:
        body = re.sub(r"(?s)<(script|style).*?</\1>", " ", answer.text)
        outcome.page = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body))).strip()
        outcome.status = answer.status_code
        return outcome

    def _post(self, form: dict[str, str], client: str) -> httpx.Response:
        secret = self._stack.info["identity"]["clients"][client]
        return self._http.post(f"{self._base}/token", data=form, auth=(client, secret))

    def refresh(self, tokens: dict[str, Any]) -> httpx.Response:
        return self._post({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}, "portal")

    def exchange(self, token: str, audience: str, client: str = "portal-exchange") -> httpx.Response:
        """Standard token exchange (RFC 8693): a token for another audience, on behalf of the same person."""
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "audience": audience,
            "scope": audience,
        }
        return self._post(form, client)


OpenBrowser = Callable[[RunningStack], Browser]


@pytest.fixture
def open_browser() -> Iterator[OpenBrowser]:
    """Opens browsers that know nothing of each other; closes them after the test."""
    opened: list[Browser] = []

    def open_one(stack: RunningStack) -> Browser:
        opened.append(Browser(stack))
        return opened[-1]

    yield open_one
    for browser in opened:
        browser.close()
