"""What a use case may answer instead of a result. Each maps to one gRPC status with a reason a person can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class KomuError(Exception):
    """A refusal that is part of the contract: `message` is a Japanese sentence, `reason` a stable word for programs."""

    reason = "ERROR"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class Refused(KomuError):
    """The caller sees the thing but may not do this (PERMISSION_DENIED). `roles`: who has the right, where known."""

    reason = "REFUSED"

    def __init__(self, message: str, *, reason: str | None = None, roles: Iterable[str] = ()) -> None:
        super().__init__(message, reason=reason)
        self.roles = frozenset(roles)


class Unseen(KomuError):
    """Not there, or not even its existence may be told (NOT_FOUND)."""

    reason = "NOT_FOUND"

    def __init__(self, message: str = "見つかりません。", *, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)


class Conflict(KomuError):
    """Someone was faster, or the state does not allow it (ABORTED). `details` travel as text values."""

    reason = "CONFLICT"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None, *, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.details: dict[str, Any] = dict(details or {})


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field: `field` is the path in the request, `message` the Japanese sentence beside it."""

    field: str
    message: str


class Invalid(KomuError):
    """The request cannot be right whatever the state is (INVALID_ARGUMENT), with the fields that are wrong."""

    reason = "INVALID"

    def __init__(
        self, message: str, violations: Sequence[Violation] = (), *, reason: str | None = None
    ) -> None:
        super().__init__(message, reason=reason)
        self.violations: list[Violation] = list(violations)


class StepUpRequired(KomuError):
    """The stronger sign-in is missing or too old (UNAUTHENTICATED, reason STEP_UP_REQUIRED)."""

    reason = "STEP_UP_REQUIRED"

    def __init__(self, level: int, max_age_s: int) -> None:
        super().__init__("この操作には、あらためて本人確認が必要です。")
        self.level = level
        self.max_age_s = max_age_s


class Unauthenticated(KomuError):
    """Nobody we know: no token, a wrong one, or an expired one (UNAUTHENTICATED)."""

    reason = "UNAUTHENTICATED"

    def __init__(self, message: str = "サインインが必要です。", *, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)


class Unavailable(KomuError):
    """Something we need does not answer now; trying again later may work (UNAVAILABLE)."""

    reason = "UNAVAILABLE"

    def __init__(
        self, message: str = "一部の機能が一時的に止まっています。しばらくしてからやり直してください。",
        *, reason: str | None = None,
    ) -> None:
        super().__init__(message, reason=reason)
