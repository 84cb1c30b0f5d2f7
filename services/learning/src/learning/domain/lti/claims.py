"""What the id_token says (LTI Core 1.3, 5.3, 5.4): the required claims, and of a person only what the board allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from learning.domain.lti import scopes
from learning.domain.lti.launches import Launch, Message, Person, PersonKind
from learning.domain.lti.tools import Claim, Tool

VERSION: Final = "1.3.0"
ID_TOKEN_LIFE: Final = timedelta(minutes=5)
LTI: Final = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS_ENDPOINT: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
_CONTEXT_ROLE: Final = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_INSTITUTION_ROLE: Final = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
COURSE_SECTION: Final = "http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"
ACCEPTED_TYPES: Final = ("ltiResourceLink", "link")

ROLES: Final[Mapping[PersonKind, tuple[str, ...]]] = {
    PersonKind.PUPIL: (_CONTEXT_ROLE + "Learner", _INSTITUTION_ROLE + "Student"),
    PersonKind.TEACHER: (_CONTEXT_ROLE + "Instructor", _INSTITUTION_ROLE + "Faculty"),
    PersonKind.LEADER: (_CONTEXT_ROLE + "Administrator", _INSTITUTION_ROLE + "Administrator"),
}
"""LTI Core 1.3, A.2: a context role and an institution role for everybody."""


@dataclass(frozen=True, slots=True)
class Context:
    """The class a tool is opened from."""

    class_id: UUID
    name: str
    school_name: str


@dataclass(frozen=True, slots=True)
class Link:
    """The resource that is opened."""

    id: UUID
    title: str
    text: str
    url: str
    custom: Mapping[str, str]
    line_item_id: UUID | None


@dataclass(frozen=True, slots=True)
class Platform:
    """Addresses of this platform. `issuer` is learning's public origin."""

    issuer: str
    portal_url: str
    name: str = "Komu 校務"

    @property
    def guid(self) -> str:
        """Stable for the deployment (LTI Core 1.3, 5.4.2)."""
        return str(uuid5(NAMESPACE_URL, self.issuer))

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.issuer}/lti/authorize"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/lti/token"

    @property
    def jwks_url(self) -> str:
        return f"{self.issuer}/lti/jwks"

    @property
    def registration_endpoint(self) -> str:
        return f"{self.issuer}/lti/register"

    @property
    def openid_configuration(self) -> str:
        return f"{self.issuer}/.well-known/openid-configuration"

    def start(self, ticket: str) -> str:
        """Where the portal sends the browser."""
        return f"{self.issuer}/lti/start?ticket={ticket}"

    @property
    def deep_linking_return(self) -> str:
        return f"{self.issuer}/lti/deep-linking"

    @property
    def services(self) -> str:
        """Audience of access tokens."""
        return f"{self.issuer}/lti/services"

    def context(self, tenant: str, deployment_id: UUID, class_id: UUID) -> str:
        """Base of the services of one tool about one class."""
        return f"{self.services}/{tenant}/{deployment_id}/{class_id}"

    def class_page(self, class_id: UUID) -> str:
        """Where a person came from and goes back to."""
        return f"{self.portal_url}/lti/classes/{class_id}"


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything an id_token is made of."""

    tenant: str
    client_id: str
    tool: Tool
    launch: Launch
    context: Context
    link: Link | None
    nonce: str
    data: str
    """Deep linking: what the tool has to bring back."""


def id_token(platform: Platform, answer: Answer, now: datetime) -> dict[str, Any]:
    """The claims. Raises: nothing; what is not allowed is simply not there."""
    tool, launch, person = answer.tool, answer.launch, answer.launch.person
    claims: dict[str, Any] = {
        "iss": platform.issuer,
        "aud": answer.client_id,
        "azp": answer.client_id,
        "sub": str(person.id),
        "iat": int(now.timestamp()),
        "exp": int((now + ID_TOKEN_LIFE).timestamp()),
        "nonce": answer.nonce,
        LTI + "message_type": launch.message.value,
        LTI + "version": VERSION,
        LTI + "deployment_id": str(launch.deployment_id),
        LTI + "target_link_uri": (answer.link.url if answer.link else "") or tool.facts.target_link_uri,
        LTI + "roles": list(ROLES[person.kind]),
        LTI + "context": context_claim(tool, answer.context),
        LTI + "tool_platform": {
            "guid": platform.guid,
            "name": platform.name,
            "product_family_code": "komu",
        },
        LTI + "lis": {"person_sourcedid": str(person.id)},
        LTI + "launch_presentation": {
            "document_target": "window",
            "locale": "ja-JP",
            "return_url": platform.class_page(launch.class_id),
        },
        **name_claims(tool, person),
    }
    custom = {**tool.facts.custom, **(answer.link.custom if answer.link else {}), **_custom(tool, answer)}
    if custom:
        claims[LTI + "custom"] = custom
    base = platform.context(answer.tenant, launch.deployment_id, launch.class_id)
    claims[NRPS] = {"context_memberships_url": f"{base}/members", "service_versions": ["2.0"]}
    claims[AGS_ENDPOINT] = {"scope": list(scopes.AGS), "lineitems": f"{base}/lineitems"}
    if launch.message is Message.DEEP_LINKING:
        claims[DEEP_LINKING + "deep_linking_settings"] = {
            "deep_link_return_url": platform.deep_linking_return,
            "accept_types": list(ACCEPTED_TYPES),
            "accept_presentation_document_targets": ["window"],
            "accept_multiple": True,
            "auto_create": False,
            "accept_lineitem": True,
            "data": answer.data,
        }
    elif answer.link:
        claims[LTI + "resource_link"] = {"id": str(answer.link.id), "title": answer.link.title} | (
            {"description": answer.link.text} if answer.link.text else {}
        )
        if answer.link.line_item_id:
            claims[AGS_ENDPOINT]["lineitem"] = f"{base}/lineitems/{answer.link.line_item_id}"
    return claims


def context_claim(tool: Tool, context: Context) -> dict[str, Any]:
    """The class; its name only where the board allowed it."""
    claim: dict[str, Any] = {"id": str(context.class_id), "type": [COURSE_SECTION]}
    if tool.lets_know(Claim.CLASS_NAME):
        claim |= {"label": context.name, "title": f"{context.school_name} {context.name}".strip()}
    return claim


def name_claims(tool: Tool, person: Person) -> dict[str, str]:
    """OpenID Connect Core 5.1; empty where the board did not allow it or the name is not known here."""
    if not tool.lets_know(Claim.NAME) or not (person.family or person.given):
        return {}
    named = {"family_name": person.family, "given_name": person.given, "name": f"{person.family} {person.given}"}
    return {key: value.strip() for key, value in named.items() if value.strip()}


def _custom(tool: Tool, answer: Answer) -> dict[str, str]:
    """`grade` and `classname` as 学習eポータル標準モデル has them in its trials; of children only the 学年."""
    person, found = answer.launch.person, dict[str, str]()
    if tool.lets_know(Claim.SCHOOL_GRADE) and person.kind is PersonKind.PUPIL and person.school_grade:
        found["grade"] = person.school_grade
    if tool.lets_know(Claim.CLASS_NAME):
        found["classname"] = answer.context.name
    return found
