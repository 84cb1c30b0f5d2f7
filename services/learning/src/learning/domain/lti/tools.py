"""LTI tools as a board registers them, and where they are deployed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from servicekit.errors import Violation

from learning.domain.lti import jose
from learning.domain.lti.plain import is_plain

LONGEST_NAME: Final = 100
LONGEST_PURPOSE: Final = 400
LONGEST_URL: Final = 2000
MOST_REDIRECTS: Final = 10
_CLIENT_ID: Final = re.compile(r"([a-z0-9-]{1,40})\.([0-9a-f]{32})")


class Claim(StrEnum):
    """What a board may let a tool know of a person beyond its id and role. Nothing of it is told by default."""

    NAME = "name"
    """表示名. The family and given name as displayed, never the official one."""
    CLASS_NAME = "class"
    """学級: label of the context and the custom value `classname`."""
    SCHOOL_GRADE = "school_grade"
    """学年コード of a child (P1…P6, J1…J3): the custom value `grade`."""


class Origin(StrEnum):
    """How a tool came into the register."""

    BY_HAND = "by_hand"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A tool at one school; `active` ends when the board takes the school away, the id is never given again."""

    id: UUID
    school_id: UUID
    active: bool


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """What the board types, or the tool sends in a dynamic registration."""

    name: str
    purpose: str
    """利用目的 of the claims the tool gets (個人情報保護法 61条)."""
    login_url: str
    target_link_uri: str
    redirect_uris: tuple[str, ...]
    jwks_url: str = ""
    public_keys: tuple[Mapping[str, Any], ...] = ()
    """Instead of `jwks_url`: the tool's public keys (JWK)."""
    claims: frozenset[Claim] = frozenset()
    deep_linking: bool = False
    """Whether the tool lets a teacher choose content (LtiDeepLinkingRequest)."""
    custom: Mapping[str, str] = field(default_factory=dict)
    """Sent with every launch of the tool."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A registered tool. `client_id` names the board, so that its row is found behind the board's wall."""

    id: UUID
    facts: ToolFacts
    origin: Origin
    deployments: tuple[Deployment, ...]
    created_by: UUID
    created_at: datetime
    disabled_at: datetime | None
    version: int

    @property
    def active(self) -> bool:
        return self.disabled_at is None

    def deployment(self, deployment_id: UUID) -> Deployment | None:
        """The deployment of that id while it is active."""
        return next((one for one in self.deployments if one.id == deployment_id and one.active), None)

    def lets_know(self, claim: Claim) -> bool:
        return claim in self.facts.claims


def client_id_of(tenant: str, tool_id: UUID) -> str:
    """What the tool is called towards us."""
    return f"{tenant}.{tool_id.hex}"


def read_client_id(client_id: str) -> tuple[str, UUID] | None:
    """Board and tool of a client_id; None when it is none."""
    found = _CLIENT_ID.fullmatch(client_id)
    return (found[1], UUID(found[2])) if found else None


def is_address(url: str, *, local: bool) -> bool:
    """https with a host, no user, no fragment. `local`: http is good as well, for tools on this machine."""
    if len(url) > LONGEST_URL or not url.isascii() or any(sign.isspace() or not sign.isprintable() for sign in url):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return False
    fitting = parts.scheme == "https" or (local and parts.scheme == "http")
    return fitting and bool(parts.hostname) and parts.username is None and not parts.fragment and "\\" not in url


def faults(facts: ToolFacts, *, local: bool) -> list[Violation]:
    """Everything that is wrong with a registration, field by field."""
    wrong = [
        Violation(name, f"{label}を{longest}字以内で入力してください。")
        for name, label, text, longest in (
            ("name", "名称", facts.name, LONGEST_NAME),
            ("purpose", "利用目的", facts.purpose, LONGEST_PURPOSE),
        )
        if not 0 < len(text) <= longest or not is_plain(text)
    ]
    secure = "http:// か https://" if local else "https://"
    wrong += [
        Violation(name, f"{label}を{secure}で始まるアドレスで入力してください。")
        for name, label, url in (
            ("login_url", "ログイン開始URL", facts.login_url),
            ("target_link_uri", "起動先のURL", facts.target_link_uri),
        )
        if not is_address(url, local=local)
    ]
    redirects = facts.redirect_uris
    if not 0 < len(redirects) <= MOST_REDIRECTS or not all(is_address(url, local=local) for url in redirects):
        hint = f"{secure}で始まるアドレスを1行に1つ、{MOST_REDIRECTS}個までで入力してください。"
        wrong.append(Violation("redirect_uris", f"リダイレクトURIは、{hint}"))
    return wrong + _key_faults(facts, local=local, secure=secure)


def _key_faults(facts: ToolFacts, *, local: bool, secure: str) -> list[Violation]:
    if bool(facts.jwks_url) == bool(facts.public_keys):
        return [Violation("jwks_url", "公開鍵のURLか公開鍵の、どちらか一方を入力してください。")]
    if facts.jwks_url and not is_address(facts.jwks_url, local=local):
        return [Violation("jwks_url", f"公開鍵のURLを{secure}で始まるアドレスで入力してください。")]
    if facts.public_keys and not all(jose.strong_enough(key) for key in facts.public_keys):
        return [Violation("public_key", "公開鍵は、2048ビット以上のRSAのJWKで入力してください。")]
    return []


def arranged(tool: Tool, school_ids: Sequence[UUID], new_id: Sequence[UUID]) -> tuple[Deployment, ...]:
    """The deployments when exactly `school_ids` use the tool: known schools keep their id, others end.

    `new_id`: as many fresh ids as there are schools."""
    before = {one.school_id: one for one in tool.deployments}
    kept = [
        Deployment(before[school].id if school in before else fresh, school, active=True)
        for school, fresh in zip(school_ids, new_id, strict=True)
    ]
    ended = [
        Deployment(one.id, one.school_id, active=False) for one in tool.deployments if one.school_id not in school_ids
    ]
    return (*kept, *ended)
