"""The platform over HTTP beside a real tool, and a board that registered it for a school."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from komu.learning.v1 import lti_pb2 as pb
from komu.learning.v1.lti_pb2_grpc import LtiClassServiceStub, LtiToolServiceStub
from learning.app import build
from learning.settings import Settings
from servicekit.testing import Caller, RunningService, an_actor, free_port

from tests.support.lti_tool import Launched, LtiTool

from ..conftest import School, told


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lti_running(grpc_service: Callable[..., Awaitable[RunningService]]) -> RunningService:
    """On the real clock: the tool's library looks at it, too."""
    port = free_port()
    return await grpc_service(
        build, settings=Settings, http_address=f"127.0.0.1:{port}", learning_url=f"http://localhost:{port}",
        portal_url="http://localhost:1", lti_key=Fernet.generate_key().decode(), lti_local_tools=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def drill() -> Iterator[LtiTool]:
    with LtiTool() as tool:
        yield tool


class Form(HTMLParser):
    """The first form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = values["action"]
        if tag == "input" and "name" in values:
            self.fields[values["name"]] = values.get("value", "")


class Browser:
    """Follows a launch step by step, keeping cookies of each origin as a browser does."""

    def __init__(self) -> None:
        self.http = httpx.AsyncClient(trust_env=False, timeout=10)
        self._cookies: dict[str, dict[str, str]] = {}

    async def get(self, url: str) -> httpx.Response:
        return self._keep(await self.http.get(url, headers=self._with(url)))

    async def post(self, url: str, fields: dict[str, str]) -> httpx.Response:
        return self._keep(await self.http.post(url, data=fields, headers=self._with(url)))

    def forget(self) -> None:
        self._cookies.clear()

    def _with(self, url: str) -> dict[str, str]:
        kept = self._cookies.get(urlsplit(url).netloc, {})
        return {"cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.split(";", 1)[0].partition("=")
            self._cookies.setdefault(answer.url.netloc.decode(), {})[name] = value
        self.http.cookies.clear()
        return answer

    async def authorization(self, url: str) -> str:
        """From the portal's door to the tool and back: the address of the authentication request."""
        started = await self.get(url)
        assert started.status_code == 303, started.text
        return str((await self.get(started.headers["location"])).headers["location"])

    async def launch(self, url: str) -> httpx.Response:
        """All the way: what the tool answers."""
        answer = await self.get(await self.authorization(url))
        assert answer.status_code == 200, answer.text
        form = Form(answer.text)
        return await self.post(form.action, form.fields)


@pytest_asyncio.fixture(loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    opened = Browser()
    yield opened
    await opened.http.aclose()


@dataclass
class Platform:
    """A school whose board registered the drill."""

    school: School
    tool: LtiTool
    registered: pb.LtiTool

    @property
    def issuer(self) -> str:
        return str(self.school.running.service.settings.learning_url)

    @property
    def deployment_id(self) -> str:
        return next(one.id for one in self.registered.deployments if one.active)

    @property
    def board(self) -> Caller[LtiToolServiceStub]:
        return self.school.caller(LtiToolServiceStub, self.school.principal_id, "board_admin")

    def person(self, person_id: UUID, role: str = "teacher") -> Caller[LtiClassServiceStub]:
        return self.school.caller(LtiClassServiceStub, person_id, role)

    @property
    def teacher(self) -> Caller[LtiClassServiceStub]:
        return self.person(self.school.teacher_id)

    async def link(self, title: str = "九九") -> pb.LtiLink:
        return await self.teacher.AddToolLink(
            pb.AddToolLinkRequest(class_id=str(self.school.homeroom_id), deployment_id=self.deployment_id, title=title)
        )

    async def open(self, link: pb.LtiLink, person_id: UUID | None = None, role: str = "teacher") -> str:
        caller = self.person(person_id or self.school.teacher_id, role)
        return str((await caller.OpenToolLink(pb.OpenToolLinkRequest(link_id=link.id))).url)

    async def launched(self, browser: Browser, person_id: UUID | None = None, role: str = "teacher") -> Launched:
        """A launch the tool found good."""
        answer = await browser.launch(await self.open(await self.link(), person_id, role))
        assert answer.status_code == 200, self.tool.refused
        return self.tool.launches[-1]


def facts(tool: LtiTool, school: School, **changed: Any) -> pb.LtiToolFacts:
    """The drill as a board enters it."""
    given: dict[str, Any] = {
        "name": "計算ドリル",
        "purpose": "算数の練習",
        "login_url": tool.url("/login"),
        "target_link_uri": tool.url("/launch"),
        "redirect_uris": [tool.url("/launch")],
        "jwks_url": tool.url("/jwks"),
        "deep_linking": True,
        "school_ids": [str(school.id)],
    }
    return pb.LtiToolFacts(**(given | changed))


@pytest_asyncio.fixture(loop_scope="session")
async def platform(lti_running: RunningService, tenant: str, drill: LtiTool) -> Platform:
    school = await told(School(lti_running, tenant))
    board = lti_running.caller(LtiToolServiceStub, an_actor(tenant, "board_admin", strong=False))
    registered = await board.RegisterLtiTool(pb.RegisterLtiToolRequest(facts=facts(drill, school)))
    made = Platform(school, drill, registered)
    drill.know(made.issuer, registered.client_id, [made.deployment_id])
    return made


async def in_thread(work: Callable[[], Any]) -> Any:
    """The tool's library waits for answers of the server that runs on this loop."""
    return await asyncio.to_thread(work)
