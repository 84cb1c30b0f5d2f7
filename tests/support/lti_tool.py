"""A small learning tool on this machine: PyLTI1p3 checks what Komu sends and speaks to Komu's services.

    with LtiTool() as tool:
        tool.know(issuer=…, client_id=…, deployment_ids=[…])     # or by dynamic registration at tool.url("/register")
"""

from __future__ import annotations

import argparse
import json
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pylti1p3.cookie import CookieService
from pylti1p3.deep_link_resource import DeepLinkResource
from pylti1p3.exception import LtiException
from pylti1p3.grade import Grade
from pylti1p3.lineitem import LineItem
from pylti1p3.message_launch import MessageLaunch
from pylti1p3.oidc_login import OIDCLogin
from pylti1p3.redirect import Redirect
from pylti1p3.registration import Registration
from pylti1p3.request import Request
from pylti1p3.session import SessionService
from pylti1p3.tool_config import ToolConfDict

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"


class LtiTool:
    """Runs in a thread of its own. `launches`: what was launched and found good; `refused`: what was not, and why."""

    def __init__(self, port: int = 0, private_pem: str = "") -> None:
        key = (
            serialization.load_pem_private_key(private_pem.encode(), None)
            if private_pem
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )
        self.private_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        self.public_pem = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )
        self._jwk = Registration.get_jwk(self.public_pem)
        self.kid: str = self._jwk["kid"]
        self.launches: list[Launched] = []
        self.refused: list[str] = []
        self.config: ToolConfDict | None = None
        self.session: dict[str, Any] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def url(self, path: str = "/launch") -> str:
        return f"http://localhost:{self._server.server_address[1]}{path}"

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [{**self._jwk, "use": "sig", "alg": "RS256"}]}

    def know(self, issuer: str, client_id: str, deployment_ids: list[str]) -> None:
        """What the tool's operator enters about the platform."""
        self.config = ToolConfDict(
            {
                issuer: {
                    "client_id": client_id,
                    "auth_login_url": f"{issuer}/lti/authorize",
                    "auth_token_url": f"{issuer}/lti/token",
                    "auth_audience": None,
                    "key_set_url": f"{issuer}/lti/jwks",
                    "deployment_ids": deployment_ids,
                }
            }
        )
        self.config.set_private_key(issuer, self.private_pem)
        self.config.set_public_key(issuer, self.public_pem)

    def registration(self, openid_configuration: str, token: str, deployments: bool = True) -> dict[str, Any]:
        """LTI Dynamic Registration: reads the platform's description and registers. Returns the platform's answer."""
        about = requests.get(openid_configuration, timeout=10).json()
        asked = {
            "application_type": "web",
            "response_types": ["id_token"],
            "grant_types": ["implicit", "client_credentials"],
            "initiate_login_uri": self.url("/login"),
            "redirect_uris": [self.url("/launch")],
            "client_name": "計算ドリル(自動登録)",
            "jwks_uri": self.url("/jwks"),
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": " ".join(about["scopes_supported"]),
            TOOL_CONFIGURATION: {
                "domain": urlsplit(self.url()).netloc,
                "target_link_uri": self.url("/launch"),
                "claims": ["iss", "sub", "name"],
                "messages": [{"type": "LtiDeepLinkingRequest"}],
            },
        }
        headers = {"authorization": f"Bearer {token}"}
        answer = requests.post(about["registration_endpoint"], json=asked, headers=headers, timeout=10)
        if answer.status_code != 200:
            raise LtiException(f"registration: {answer.status_code} {answer.text}")
        told: dict[str, Any] = answer.json()
        deployment = told[TOOL_CONFIGURATION].get("deployment_id")
        self.know(about["issuer"], told["client_id"], [deployment] if deployment else [])
        return told

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Request(Request):
    def __init__(self, session: dict[str, Any], params: Mapping[str, str]) -> None:
        self._session = session
        self._params = params

    @property
    def session(self) -> dict[str, Any]:
        return self._session

    def is_secure(self) -> bool:
        return False

    def get_param(self, key: str) -> str:
        return self._params.get(key, "")


class _Cookies(CookieService):
    def __init__(self, header: str) -> None:
        self._brought = SimpleCookie(header)
        self.given: list[str] = []

    def get_cookie(self, name: str) -> str | None:
        found = self._brought.get(f"{self._cookie_prefix}-{name}")
        return found.value if found else None

    def set_cookie(self, name: str, value: str | int, exp: int | None = 3600) -> None:
        # Cross-site posts carry SameSite=None cookies only; browsers take Secure cookies from localhost.
        self.given.append(f"{self._cookie_prefix}-{name}={value}; Path=/; HttpOnly; Secure; SameSite=None")


class _Redirect(Redirect[str]):
    def __init__(self, location: str) -> None:
        self._location = location

    def do_redirect(self) -> str:
        return self._location

    def do_js_redirect(self) -> str:
        return self._location

    def set_redirect_url(self, location: str) -> None:
        self._location = location

    def get_redirect_url(self) -> str:
        return self._location


class _Login(OIDCLogin):  # type: ignore[type-arg]
    def get_redirect(self, url: str) -> _Redirect:
        return _Redirect(url)


class Launched(MessageLaunch):  # type: ignore[type-arg]
    """A launch the library found good."""

    def _get_request_param(self, key: str) -> str:
        return str(self._request.get_param(key))

    def choose(self, *titles: str) -> str:
        """The form that brings these contents back, each with a line item of 10 points."""
        return str(
            self.get_deep_link().output_response_form(
                [
                    DeepLinkResource()
                    .set_title(title)
                    .set_url(self.get_launch_data()["https://purl.imsglobal.org/spec/lti/claim/target_link_uri"])
                    .set_custom_params({"unit": str(number)})
                    .set_lineitem(LineItem().set_label(title).set_score_maximum(10).set_tag(f"unit-{number}"))
                    for number, title in enumerate(titles, 1)
                ]
            )
        )

    def give_points(self, points: float, user_id: str = "", at: datetime | None = None) -> None:
        """A score for `user_id` (or who launched) on the line item of the launch, or on one made for it."""
        grade = (
            Grade()
            .set_score_given(points)
            .set_score_maximum(10)
            .set_timestamp((at or datetime.now(UTC)).isoformat(timespec="milliseconds"))
            .set_activity_progress("Completed")
            .set_grading_progress("FullyGraded")
            .set_user_id(user_id or self.get_launch_data()["sub"])
        )
        services = self.get_ags()
        if self.get_launch_data()["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"].get("lineitem"):
            services.put_grade(grade)
        else:
            line = LineItem().set_tag("free").set_label("自由課題").set_score_maximum(10)
            services.put_grade(grade, services.find_or_create_lineitem(line))


def _handler(tool: LtiTool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(dict(parse_qsl(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            self._answer(dict(parse_qsl(body)))

        def _answer(self, params: dict[str, str]) -> None:
            path = urlsplit(self.path).path
            cookies = _Cookies(self.headers.get("cookie", ""))
            request = _Request(tool.session, params)
            session = SessionService(request)
            try:
                match path:
                    case "/login":
                        target = _Login(request, tool.config, session, cookies).redirect(tool.url("/launch"))
                        self._send(302, "", location=target, cookies=cookies.given)
                    case "/launch":
                        launch = Launched(request, tool.config, session, cookies).validate()
                        tool.launches.append(launch)
                        self._send(200, _page(launch, len(tool.launches) - 1))
                    case "/choose":
                        chosen = tool.launches[int(params["launch"])].choose("たし算", "ひき算")
                        self._send(200, f"<title>教材を返しています</title>{chosen}")
                    case "/score":
                        launch = tool.launches[int(params["launch"])]
                        launch.give_points(float(params["points"]), params.get("user", ""))
                        self._send(200, "<title>計算ドリル</title><h1>得点を送りました</h1>")
                    case "/register":
                        tool.registration(params["openid_configuration"], params["registration_token"])
                        self._send(200, "<title>計算ドリル</title><h1>登録しました</h1>")
                    case "/jwks":
                        self._send(200, json.dumps(tool.jwks), kind="application/json")
                    case _:
                        self._send(404, "")
            except LtiException as refused:
                tool.refused.append(str(refused))
                self._send(403, f"<h1>{escape(str(refused))}</h1>")

        def _send(
            self, status: int, body: str, *, kind: str = "text/html; charset=utf-8", location: str = "",
            cookies: list[str] | None = None,
        ) -> None:  # fmt: skip
            raw = body.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(raw)))
            if location:
                self.send_header("location", location)
            for cookie in cookies or []:
                self.send_header("set-cookie", cookie)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler


def _page(launch: Launched, number: int) -> str:
    data = launch.get_launch_data()
    roles = ", ".join(role.rsplit("#", 1)[1] for role in data["https://purl.imsglobal.org/spec/lti/claim/roles"])
    hidden = f'<input type="hidden" name="launch" value="{number}">'
    if launch.is_deep_link_launch():
        what = f'<form method="post" action="/choose">{hidden}<button>「たし算」と「ひき算」を選ぶ</button></form>'
    else:
        title = data["https://purl.imsglobal.org/spec/lti/claim/resource_link"].get("title", "")
        what = (
            f'<h2>{escape(title)}</h2><form method="post" action="/score">{hidden}<input name="user">'
            '<input name="points" value="8"><button>得点を送る</button></form>'
        )
    return (
        f'<!DOCTYPE html><html lang="ja"><title>計算ドリル</title><h1>計算ドリル</h1>'
        f"<p>{escape(str(data.get('name', '名前は渡されていません')))}({roles})</p>{what}</html>"
    )


def main() -> None:
    """`python -m tests.support.lti_tool [--stack NAME]`: the demo's tool beside a running stack, until Ctrl+C."""
    parser = argparse.ArgumentParser(description="the learning tool that make up registered")
    parser.add_argument("--stack", default="main")
    home = Path(os.environ.get("KOMU_HOME") or ".komu") / parser.parse_args().stack
    about = json.loads((home / "learning-demo" / "lti.json").read_text())
    port = urlsplit(about["tool"]["login_url"]).port
    with LtiTool(port=port or 0, private_pem=Path(about["tool"]["private_key"]).read_text()) as tool:
        tool.know(about["issuer"], about["client_id"], list(about["deployments"].values()))
        print(f"{about['tool']['name']} {tool.url('/')}  (issuer {about['issuer']})", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
