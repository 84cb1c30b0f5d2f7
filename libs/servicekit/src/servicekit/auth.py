"""Who acts, and what a policy answers. Pure values: of the kit, `policy.py` of a service imports only this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from servicekit.errors import Refused, StepUpRequired, Unseen

MAX_AGE_S: Mapping[int, int] = MappingProxyType({1: 15 * 60, 2: 60 * 60})
"""Information class → seconds since the second factor was given. Classes III and IV need no second factor."""

STRONG_LEVEL = 2

CLOCK_SKEW = timedelta(seconds=60)

_NO_LEVELS: Mapping[int, datetime] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person as the token tells it; which school or class they serve, the register tells."""

    tenant: str
    person_id: UUID
    roles: frozenset[str]
    levels: Mapping[int, datetime] = field(default_factory=lambda: _NO_LEVELS, hash=False)
    session_id: str = ""

    def holds(self, *roles: str) -> bool:
        """Whether the actor has any of `roles`."""
        return not self.roles.isdisjoint(roles)

    def require_level(self, information_class: int, now: datetime) -> None:
        """Raises StepUpRequired unless the second factor was given recently enough for `information_class` (1 to 4)."""
        max_age_s = MAX_AGE_S.get(information_class)
        if max_age_s is None:
            return
        reached_at = self.levels.get(STRONG_LEVEL)
        if (
            reached_at is None
            or now - reached_at > timedelta(seconds=max_age_s)
            or reached_at - now > CLOCK_SKEW
        ):
            raise StepUpRequired(STRONG_LEVEL, max_age_s)


@dataclass(frozen=True, slots=True)
class Decision:
    """A policy's answer: allowed, denied with a reason, or unseen (not even its existence is told)."""

    allowed: bool
    message: str = ""
    reason: str = "REFUSED"
    hidden: bool = False

    @staticmethod
    def allow() -> Decision:
        return _ALLOW

    @staticmethod
    def deny(message: str, reason: str = "REFUSED") -> Decision:
        """`message`: the Japanese sentence the person reads; `reason`: a stable word for programs."""
        return Decision(False, message, reason)

    @staticmethod
    def unseen() -> Decision:
        return _UNSEEN

    def enforce(self) -> None:
        """Raises Refused or Unseen unless allowed."""
        if self.allowed:
            return
        if self.hidden:
            raise Unseen
        raise Refused(self.message, reason=self.reason)

    def __bool__(self) -> bool:
        return self.allowed


_ALLOW = Decision(True)
_UNSEEN = Decision(False, "見つかりません。", "NOT_FOUND", hidden=True)
