"""What a teacher chose in a tool (LTI Deep Linking 2.0): contents that become links of the class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from learning.domain.lti import scores
from learning.domain.lti.claims import DEEP_LINKING, LTI, VERSION
from learning.domain.lti.refusals import invalid_request
from learning.domain.lti.tools import is_address

MESSAGE: Final = "LtiDeepLinkingResponse"
MOST_ITEMS: Final = 50
MOST_CUSTOM: Final = 30
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 1000
LONGEST_CUSTOM: Final = 500


@dataclass(frozen=True, slots=True)
class Content:
    """One content item. `kind`: resource or link; `line_item`: what the tool says of it, where it has one."""

    kind: str
    title: str
    text: str
    url: str
    custom: Mapping[str, str] = field(default_factory=dict)
    line_item: scores.Columns | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The answer of the tool. `message`: what it wants the teacher to read."""

    data: str
    deployment_id: str
    contents: tuple[Content, ...]
    message: str


def read_response(claims: Mapping[str, Any], *, local: bool) -> Chosen:
    """The message after its signature was found good. Items of other types are left out. Raises: LtiRefusal."""
    if claims.get(LTI + "message_type") != MESSAGE or claims.get(LTI + "version") != VERSION:
        raise invalid_request(f"{MESSAGE}(バージョン{VERSION})ではありません。")
    data, deployment = claims.get(DEEP_LINKING + "data"), claims.get(LTI + "deployment_id")
    if not isinstance(data, str) or not isinstance(deployment, str) or len(data) > 200:
        raise invalid_request("data と deployment_id を、受け取ったまま返してください。")
    items = claims.get(DEEP_LINKING + "content_items", [])
    if not isinstance(items, list) or len(items) > MOST_ITEMS:
        raise invalid_request(f"content_items は{MOST_ITEMS}件までの配列です。")
    message = claims.get(DEEP_LINKING + "msg", "")
    contents = [_content(item, local=local) for item in items if _is_known(item)]
    return Chosen(data, deployment, tuple(contents), message[:200] if isinstance(message, str) else "")


def _is_known(item: object) -> bool:
    if not isinstance(item, dict):
        raise invalid_request("content_items は、オブジェクトの配列です。")
    return item.get("type") in ("ltiResourceLink", "link")


def _content(item: Mapping[str, Any], *, local: bool) -> Content:
    kind = "resource" if item["type"] == "ltiResourceLink" else "link"
    url = _text(item, "url", 2000)
    if (url or kind == "link") and not is_address(url.partition("#")[0], local=local):
        raise invalid_request("content_items の url は、https:// で始まるアドレスです。")
    column = item.get("lineItem")
    title = _text(item, "title", LONGEST_TITLE) or ("学習ツールの教材" if kind == "resource" else url[:LONGEST_TITLE])
    line_item = None
    if kind == "resource" and column is not None:
        labelled = {"label": title, **column} if isinstance(column, dict) else column
        line_item = scores.read_line_item(_without_link(labelled))
    return Content(kind, title, _text(item, "text", LONGEST_TEXT), url, _custom(item.get("custom")), line_item)


def _without_link(column: object) -> object:
    return (
        {name: value for name, value in column.items() if name != "resourceLinkId"}
        if isinstance(column, dict)
        else column
    )


def _custom(given: object) -> Mapping[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MOST_CUSTOM:
        raise invalid_request(f"custom は{MOST_CUSTOM}件までの文字列です。")
    found = {str(name): str(value) for name, value in given.items()}
    if any(len(name) + len(value) > LONGEST_CUSTOM for name, value in found.items()):
        raise invalid_request(f"custom は1件{LONGEST_CUSTOM}字までの文字列です。")
    return found


def _text(given: Mapping[str, Any], name: str, longest: int) -> str:
    value = given.get(name) or ""
    if not isinstance(value, str) or len(value) > longest:
        raise invalid_request(f"content_items の {name} は{longest}字以内の文字列です。")
    return value.strip()
