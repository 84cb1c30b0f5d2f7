"""Texts a database can keep: JSON may spell characters that are none."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from learning.domain.lti.refusals import invalid_request

DEEPEST: Final = 30
T = TypeVar("T")


def is_plain(text: str) -> bool:
    """No NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def plain(value: T) -> T:
    """`value` as it came. Raises: LtiRefusal, when a text in it cannot be kept, or it is nested too deeply."""
    _walk(value, DEEPEST)
    return value


def _walk(value: Any, left: int) -> None:
    if isinstance(value, str) and not is_plain(value):
        raise invalid_request("使えない文字があります。")
    if isinstance(value, (dict, list)):
        if not left:
            raise invalid_request("入れ子が深すぎます。")
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _walk(inner, left - 1)
