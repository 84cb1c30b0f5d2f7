"""A tool registers itself (LTI Dynamic Registration 1.0): what it asks, and how the platform describes itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from learning.domain.lti import scopes
from learning.domain.lti.claims import VERSION, Platform
from learning.domain.lti.launches import Message
from learning.domain.lti.refusals import LtiRefusal, invalid_token
from learning.domain.lti.tools import LONGEST_NAME, LONGEST_URL, ToolFacts

INVITATION_LIFE: Final = timedelta(hours=1)
TOOL_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-platform-configuration"
_TOKEN: Final = re.compile(r"([a-z0-9-]{1,40})\.([0-9a-f]{32})\.([\w-]{20,100})", re.ASCII)


def read_token(token: str) -> tuple[str, UUID, str]:
    """Board, invitation and secret. Raises: LtiRefusal."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise worn_out()
    return found[1], UUID(found[2]), found[3]


def worn_out() -> LtiRefusal:
    """For tokens that are none, were used, or are too old."""
    return invalid_token(
        "この登録の招待は使えません(一度使われたか、時間が過ぎました)。教育委員会に招待し直してもらってください。"
    )


def read_registration(body: object, purpose: str) -> ToolFacts:
    """What the tool says of itself. It is told nothing until the board decides. Raises: LtiRefusal."""
    if not isinstance(body, dict) or not isinstance(body.get(TOOL_CONFIGURATION), dict):
        raise _wrong(f"{TOOL_CONFIGURATION} が必要です。")
    tool: Mapping[str, Any] = body[TOOL_CONFIGURATION]
    method = body.get("token_endpoint_auth_method", "private_key_jwt")
    if method != "private_key_jwt":
        raise _wrong("token_endpoint_auth_method は private_key_jwt だけです。")
    redirects, messages = body.get("redirect_uris"), tool.get("messages", [])
    if not isinstance(redirects, list) or not all(isinstance(one, str) for one in redirects):
        raise _wrong("redirect_uris は文字列の配列です。")
    if not isinstance(messages, list):
        raise _wrong("messages は配列です。")
    kinds = {one.get("type") for one in messages if isinstance(one, dict) and isinstance(one.get("type"), str)}
    return ToolFacts(
        name=_text(body, "client_name")[:LONGEST_NAME],
        purpose=purpose,
        login_url=_text(body, "initiate_login_uri"),
        target_link_uri=_text(tool, "target_link_uri"),
        redirect_uris=tuple(dict.fromkeys(redirects)),
        jwks_url=_text(body, "jwks_uri"),
        deep_linking=Message.DEEP_LINKING.value in kinds,
        custom=_custom(tool.get("custom_parameters")),
    )


def about_tool(facts: ToolFacts, client_id: str) -> dict[str, Any]:
    """The answer: what was registered."""
    return {
        "client_id": client_id,
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": facts.login_url,
        "redirect_uris": list(facts.redirect_uris),
        "client_name": facts.name,
        "jwks_uri": facts.jwks_url,
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scopes.ALL),
        TOOL_CONFIGURATION: {
            "version": VERSION,
            "target_link_uri": facts.target_link_uri,
            "claims": ["iss", "sub"],
            "messages": [{"type": kind} for kind in _messages(facts)],
        },
    }


def about_platform(platform: Platform) -> dict[str, Any]:
    """`/.well-known/openid-configuration` (LTI Dynamic Registration 1.0, 2.1)."""
    return {
        "issuer": platform.issuer,
        "authorization_endpoint": platform.authorization_endpoint,
        "token_endpoint": platform.token_endpoint,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": platform.jwks_url,
        "registration_endpoint": platform.registration_endpoint,
        "scopes_supported": ["openid", *scopes.ALL],
        "response_types_supported": ["id_token"],
        "response_modes_supported": ["form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["iss", "sub", "aud", "name", "given_name", "family_name"],
        PLATFORM_CONFIGURATION: {
            "product_family_code": "komu",
            "version": VERSION,
            "messages_supported": [{"type": kind.value} for kind in Message],
            "variables": [],
        },
    }


def _messages(facts: ToolFacts) -> list[str]:
    return [kind.value for kind in Message if kind is not Message.DEEP_LINKING or facts.deep_linking]


def _custom(given: object) -> Mapping[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > 30 or any(len(str(one)) > 500 for one in (*given, *given.values())):
        raise _wrong("custom_parameters は30件までの文字列です。")
    return {str(name): str(value) for name, value in given.items()}


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_URL:
        raise _wrong(f"{name} は{LONGEST_URL}字以内の文字列です。")
    return value.strip()


def _wrong(message: str) -> LtiRefusal:
    """RFC 7591, 3.2.2."""
    return LtiRefusal("invalid_client_metadata", message)
