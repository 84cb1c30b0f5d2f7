"""One opening of a tool: from the portal to the tool and back, bound to person, tool, resource and browser.

The way (LTI Core 1.3, 5.1.1; ADR 0030): ticket (portal → us) → cookie and hint (us → tool) → authentication request
(tool → us) → id_token (us → tool). Ticket and hint are good once and for minutes; the hint only with the cookie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from learning.domain.lti.refusals import LtiRefusal, invalid_request
from learning.domain.lti.tools import Tool

TICKET_LIFE: Final = timedelta(minutes=1)
HINT_LIFE: Final = timedelta(minutes=5)
CHOOSING_LIFE: Final = timedelta(hours=2)
"""How long a teacher may choose in the tool (deep linking)."""
_TICKET: Final = re.compile(r"([a-z0-9-]{1,40})\.([0-9a-f]{32})\.([\w-]{20,100})", re.ASCII)


class Message(StrEnum):
    """LTI Core 1.3, 5.3.1; Deep Linking 2.0, 4.4."""

    RESOURCE = "LtiResourceLinkRequest"
    DEEP_LINKING = "LtiDeepLinkingRequest"


class PersonKind(StrEnum):
    PUPIL = "pupil"
    TEACHER = "teacher"
    LEADER = "leader"
    """校長 and 教頭."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who opens, and what of it the tool may know."""

    id: UUID
    kind: PersonKind
    family: str = ""
    given: str = ""
    school_grade: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """As it is kept. Hashes are SHA-256 of what only the browser or the tool has."""

    id: UUID
    tool_id: UUID
    deployment_id: UUID
    class_id: UUID
    link_id: UUID | None
    message: Message
    person: Person
    opened_at: datetime
    started_at: datetime | None = None
    answered_at: datetime | None = None
    returned_at: datetime | None = None

    @property
    def about(self) -> UUID:
        """Whose record an entry of the log on it is: the child that opens; a teacher opens for the class."""
        return self.person.id if self.person.kind is PersonKind.PUPIL else self.class_id


@dataclass(frozen=True, slots=True)
class AuthenticationRequest:
    """What the tool asks at the authorization endpoint (1EdTech Security Framework 1.0, 5.1.1.2)."""

    client_id: str
    redirect_uri: str
    login_hint: str
    message_hint: str
    nonce: str
    state: str


def ticket_of(tenant: str, launch_id: UUID, secret: str) -> str:
    """What the portal sends the browser with."""
    return f"{tenant}.{launch_id.hex}.{secret}"


def read_ticket(ticket: str) -> tuple[str, UUID, str]:
    """Board, launch and secret. Raises: LtiRefusal."""
    found = _TICKET.fullmatch(ticket)
    if found is None:
        raise _worn_out()
    return found[1], UUID(found[2]), found[3]


def may_start(launch: Launch | None, now: datetime) -> Launch:
    """Whether the ticket still opens. Raises: LtiRefusal."""
    if launch is None or launch.started_at is not None or now > launch.opened_at + TICKET_LIFE:
        raise _worn_out()
    return launch


def may_answer(launch: Launch | None, now: datetime) -> Launch:
    """Whether the hint is still unused and fresh. Raises: LtiRefusal."""
    if launch is None or launch.started_at is None or launch.answered_at is not None:
        raise _worn_out()
    if now > launch.started_at + HINT_LIFE:
        raise _worn_out()
    return launch


def may_return(launch: Launch | None, now: datetime) -> Launch:
    """Whether the choice of a deep linking is awaited. Raises: LtiRefusal."""
    if (
        launch is None
        or launch.message is not Message.DEEP_LINKING
        or launch.answered_at is None
        or launch.returned_at is not None
        or now > launch.answered_at + CHOOSING_LIFE
    ):
        raise invalid_request(
            "この選択はもう受け付けられません(一度使われたか、時間が過ぎました)。学級のツールのページから選び直してください。"
        )
    return launch


def read_request(given: Mapping[str, str]) -> AuthenticationRequest:
    """The request as it has to be: fixed values first, then what is free but bounded. Raises: LtiRefusal."""
    for name, wanted in (
        ("scope", "openid"),
        ("response_type", "id_token"),
        ("response_mode", "form_post"),
        ("prompt", "none"),
    ):
        value = given.get(name, "")
        if value != wanted and not (name == "scope" and wanted in value.split()):
            raise LtiRefusal(
                "unsupported_response_type" if name == "response_type" else "invalid_request",
                f"{name} は {wanted} でなければなりません。",
            )
    for name, longest in (("client_id", 100), ("redirect_uri", 2000), ("login_hint", 100), ("lti_message_hint", 200)):
        if not 0 < len(given.get(name, "")) <= longest:
            raise invalid_request(f"{name} が必要です。")
    nonce, state = given.get("nonce", ""), given.get("state", "")
    if not 0 < len(nonce) <= 512:
        raise invalid_request("nonce が必要です(512字以内)。")
    if len(state) > 4096:
        raise invalid_request("state が長すぎます(4096字以内)。")
    return AuthenticationRequest(
        given["client_id"], given["redirect_uri"], given["login_hint"], given["lti_message_hint"], nonce, state
    )


def check_redirect(tool: Tool, redirect_uri: str) -> None:
    """The address has to be registered letter by letter; nothing is sent anywhere else. Raises: LtiRefusal."""
    if redirect_uri not in tool.facts.redirect_uris:
        raise invalid_request(
            "redirect_uri が登録されたものと違います。学習ツールの提供者か教育委員会に知らせてください。"
        )


def _worn_out() -> LtiRefusal:
    return invalid_request(
        "この起動はもう使えません(一度使われたか、時間が過ぎました)。校務の「学級のツール」から開き直してください。"
    )
