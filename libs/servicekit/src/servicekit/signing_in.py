"""Signing in as a demo account without a browser: the code flow with PKCE, filled in form by form.

For the demo and for tests only: it needs the account's password, which only `make info` of a local stack has.
"""

import base64
import hashlib
import secrets
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlparse

import grpc
import httpx

_MOST_STEPS = 8


class SignInFailed(Exception):
    """The identity provider did not let the account in; the message says at which step."""


class _Form(HTMLParser):
    """Where the page's form goes and what it asks."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and not self.action:
            self.action = values.get("action") or ""
        if tag == "input" and values.get("name") and values.get("type") != "submit":
            self.fields[str(values["name"])] = values.get("value") or ""


async def exchanged_token(info: dict[str, Any], username: str, audience: str) -> str:
    """A token of `username` for `audience` at level 1. `info`: the JSON of `make info`. Raises: SignInFailed."""
    account = next((one for one in info["accounts"] if one["username"] == username), None)
    if account is None:
        raise SignInFailed(f"{username} という利用者はこの環境にいません。")
    endpoint = f"{info['identity']['issuer']}/protocol/openid-connect"
    clients = info["identity"]["clients"]
    async with httpx.AsyncClient(timeout=30, follow_redirects=False, trust_env=False) as http:
        # The provider marks its cookies Secure; browsers send those to localhost over http, plain clients do not.
        async def unmark(_: httpx.Response) -> None:
            for cookie in http.cookies.jar:
                cookie.secure = False

        http.event_hooks = {"response": [unmark]}
        redirect = f"{info['portal']}/callback"
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        code = await _code(http, endpoint, redirect, challenge, username, account["password"])
        signed_in = await _token(
            http,
            endpoint,
            ("portal", clients["portal"]),
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier},
        )
        kind = "urn:ietf:params:oauth:token-type:access_token"
        return await _token(
            http,
            endpoint,
            ("portal-exchange", clients["portal-exchange"]),
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token": signed_in,
                "subject_token_type": kind,
                "requested_token_type": kind,
                "audience": audience,
                "scope": audience,
            },
        )


def portal_line(info: dict[str, Any]) -> grpc.ChannelCredentials:
    """The portal's own certificate: calls in a person's name come over its line. `info`: the JSON of `make info`."""
    certificates = Path(info["certificates"]["folder"])
    return grpc.ssl_channel_credentials(
        Path(info["certificates"]["ca"]).read_bytes(),
        (certificates / "portal.key").read_bytes(),
        (certificates / "portal.crt").read_bytes(),
    )


async def _code(
    http: httpx.AsyncClient, endpoint: str, redirect: str, challenge: str, username: str, password: str
) -> str:
    question = urlencode(
        {
            "client_id": "portal",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": redirect,
            "state": secrets.token_urlsafe(8),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
    answer = await http.get(f"{endpoint}/auth?{question}")
    for _ in range(_MOST_STEPS):
        if answer.status_code in (302, 303):
            location = answer.headers["location"]
            if location.startswith(redirect):
                given = parse_qs(urlparse(location).query)
                if "code" not in given:
                    raise SignInFailed(f"{username}: {given.get('error', ['?'])[0]}")
                return given["code"][0]
            answer = await http.get(location)
            continue
        form = _Form(answer.text)
        if not form.action or "password" not in form.fields:
            raise SignInFailed(f"{username}: サインインの途中で知らない画面が出ました（HTTP {answer.status_code}）。")
        answer = await http.post(form.action, data={**form.fields, "username": username, "password": password})
    raise SignInFailed(f"{username}: サインインが終わりません。パスワードを確かめてください。")


async def _token(http: httpx.AsyncClient, endpoint: str, client: tuple[str, str], question: dict[str, str]) -> str:
    answer = await http.post(f"{endpoint}/token", auth=client, data=question)
    if answer.status_code != 200:
        raise SignInFailed(
            f"トークンを受け取れませんでした（HTTP {answer.status_code}、{answer.json().get('error', '')}）。"
        )
    return str(answer.json()["access_token"])
