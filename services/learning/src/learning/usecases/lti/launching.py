"""Opening a tool: ticket, cookie and hint, answer. Each step is taken once (docs/adr/0030)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Refused, Unseen
from servicekit.ids import uuid7

from learning import policy
from learning.domain.lti import claims, launches
from learning.domain.lti.claims import Answer, Context, Link, Platform
from learning.domain.lti.launches import AuthenticationRequest, Launch, Message, Person, PersonKind
from learning.domain.lti.refusals import invalid_client, invalid_request
from learning.domain.lti.tools import Claim, Tool, client_id_of
from learning.domain.register import SchoolClass, Standing
from learning.store import register
from learning.store.lti import launches as store
from learning.store.lti import scores, tools
from learning.store.lti.launches import digest
from learning.usecases import standing
from learning.usecases.lti import links

Name = tuple[str, str]
"""Family and given name as displayed; empty texts where they are not known or not asked."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Either a ticket for our own door, or the address of an ordinary link."""

    ticket: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """Where the browser goes, and what it keeps meanwhile."""

    login_url: str
    launch_id: UUID
    browser: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What the tool gets: the claims to be signed, posted to `redirect_uri`."""

    redirect_uri: str
    state: str
    claims: dict[str, Any]


async def link_wants_name(tx: Transaction, actor: Actor, link_id: UUID) -> bool:
    """Whether the tool behind the link may know the person's name. Raises: Unseen."""
    return await wants_name(tx, actor, (await links.link_of(tx, link_id)).deployment_id)


async def wants_name(tx: Transaction, _: Actor, deployment_id: UUID) -> bool:
    """Whether the tool may know the person's name."""
    tool = await tools.of_deployment(tx, deployment_id)
    return tool is not None and tool.lets_know(Claim.NAME)


async def open_link(tx: Transaction, actor: Actor, link_id: UUID, name: Name) -> Opening:
    """Raises: Unseen, Refused."""
    link = await links.link_of(tx, link_id)
    school_class, mine = await standing.of_class(tx, actor, link.class_id)
    person = await _person(tx, actor, school_class, mine, name)
    tool = await links.usable_tool(tx, school_class, link.deployment_id)
    if link.kind == "link":
        return Opening(address=link.url)
    return await _open(tx, tool, link.deployment_id, school_class, person, Message.RESOURCE, link.id)


async def choose_content(tx: Transaction, actor: Actor, class_id: UUID, deployment_id: UUID, name: Name) -> Opening:
    """Raises: Unseen, Refused."""
    tool, school_class, mine = await links.tool_for(tx, actor, class_id, deployment_id)
    if not tool.facts.deep_linking:
        raise Refused("このツールは教材の選択に対応していません。", reason="NO_DEEP_LINKING")
    person = await _person(tx, actor, school_class, mine, name)
    return await _open(tx, tool, deployment_id, school_class, person, Message.DEEP_LINKING, None)


async def start(tx: Transaction, platform: Platform, launch_id: UUID, ticket: str) -> Started:
    """Third-party-initiated login (OpenID Connect Core 4; LTI Core 1.3, 5.1.1.1). Raises: LtiRefusal."""
    launch = launches.may_start(await store.by_ticket(tx, launch_id, ticket), tx.now)
    tool = await tools.one(tx, launch.tool_id)
    if tool is None or not tool.active or tool.deployment(launch.deployment_id) is None:
        raise invalid_request("この学習ツールは停止されました。教育委員会に確かめてください。")
    hint, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    await store.start(tx, launch.id, hint, browser)
    target = tool.facts.target_link_uri
    if launch.link_id is not None:
        target = (await _link(tx, launch.link_id)).url or target
    asked = {
        "iss": platform.issuer,
        "login_hint": launch.id.hex,
        "target_link_uri": target,
        "lti_message_hint": hint,
        "client_id": client_id_of(tx.tenant, tool.id),
        "lti_deployment_id": str(launch.deployment_id),
    }
    return Started(_with_query(tool.facts.login_url, asked), launch.id, browser)


async def answer(
    tx: Transaction, platform: Platform, tool_id: UUID, asked: AuthenticationRequest, browser: str
) -> Answered:
    """The authentication request is checked against what was begun, and used up. Raises: LtiRefusal."""
    tool = await tools.one(tx, tool_id)
    if tool is None or not tool.active:
        raise invalid_client("この client_id は登録されていないか、停止されています。")
    launches.check_redirect(tool, asked.redirect_uri)
    found = await store.by_hint(tx, asked.message_hint)
    launch = launches.may_answer(found[0] if found else None, tx.now)
    if launch.tool_id != tool.id or launch.id.hex != asked.login_hint:
        raise invalid_request("login_hint と lti_message_hint が、この起動のものではありません。")
    if found is None or not hmac.compare_digest(found[1], digest(browser)):
        raise invalid_request(
            "起動を始めたブラウザーではありません。校務の「学級のツール」から、同じブラウザーで開き直してください。"
        )
    if tool.deployment(launch.deployment_id) is None:
        raise invalid_request("この学校では、この学習ツールは停止されました。")
    school_class = await register.class_of(tx, launch.class_id)
    if school_class is None:
        raise invalid_request("この学級は、もう名簿にありません。")
    school = (await register.schools(tx, [school_class.school_id]))[0]
    link = await _link(tx, launch.link_id) if launch.link_id else None
    data = secrets.token_urlsafe(32)
    await store.answer(tx, launch.id, data)
    context = Context(school_class.id, school_class.name, school.name)
    shared = Answer(tx.tenant, asked.client_id, tool, launch, context, link, asked.nonce, data)
    tx.audit("lti_tool.opened", tool.id, after=_told(launch, tool), subject_id=launch.about)
    return Answered(asked.redirect_uri, asked.state, claims.id_token(platform, shared, tx.now))


def _told(launch: Launch, tool: Tool) -> dict[str, Any]:
    """For the log: from which place, and which kinds of facts went; never the facts."""
    return {
        "message": launch.message.value,
        "deployment_id": str(launch.deployment_id),
        "class_id": str(launch.class_id),
        "claims": sorted(tool.facts.claims),
    }


async def _open(
    tx: Transaction, tool: Tool, deployment_id: UUID, school_class: SchoolClass, person: Person, message: Message,
    link_id: UUID | None,
) -> Opening:  # fmt: skip
    launch = Launch(uuid7(), tool.id, deployment_id, school_class.id, link_id, message, _allowed(tool, person), tx.now)
    secret = secrets.token_urlsafe(32)
    await store.add(tx, launch, secret)
    return Opening(ticket=launches.ticket_of(tx.tenant, launch.id, secret))


def _allowed(tool: Tool, person: Person) -> Person:
    """Nothing is even kept that the tool may not know."""
    named = person if tool.lets_know(Claim.NAME) else replace(person, family="", given="")
    return named if tool.lets_know(Claim.SCHOOL_GRADE) else replace(named, school_grade="")


async def _person(tx: Transaction, actor: Actor, school_class: SchoolClass, mine: Standing, name: Name) -> Person:
    """Who opens: a child of the class, or somebody who works with it. Raises: Unseen, Refused."""
    places = (await register.places(tx, [actor.person_id], day_in_jst(tx.now))).get(actor.person_id, [])
    place = next((one for one in places if one.school_class.id == school_class.id), None)
    policy.may_open_tools(school_class, mine, sits=place is not None).enforce()
    if place is not None:
        return Person(actor.person_id, PersonKind.PUPIL, *name, school_grade=place.school_grade)
    kind = PersonKind.LEADER if mine.leads(school_class.school_id) else PersonKind.TEACHER
    return Person(actor.person_id, kind, *name)


async def _link(tx: Transaction, link_id: UUID) -> Link:
    """Raises: LtiRefusal."""
    try:
        link = await links.link_of(tx, link_id)
    except Unseen as unseen:
        raise invalid_request(unseen.message) from None
    item = await scores.item_of_link(tx, link.id)
    return Link(link.id, link.title, link.text, link.url, link.custom, item)


def _with_query(url: str, more: dict[str, str]) -> str:
    """`url` with further parameters; its own stay."""
    parts = urlsplit(url)
    own = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in more]
    return urlunsplit(parts._replace(query=urlencode([*own, *more.items()])))
