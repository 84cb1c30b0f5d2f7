"""Entries of the side navigation. A page module lists its own in `NAV`."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry. `roles` empty: everybody sees it.

    Small `order` stands higher: home 0, daily work 10-49, yearly work 50-89, audit 90.
    """

    label: str
    href: str
    roles: frozenset[str] | set[str] | tuple[str, ...] = field(default=frozenset())
    order: int = 50

    def shown_to(self, roles: Iterable[str]) -> bool:
        return not self.roles or bool(set(self.roles) & set(roles))

    def current(self, path: str) -> bool:
        """Whether `path` lies under this entry."""
        return path == self.href or (self.href != "/" and path.startswith(self.href.rstrip("/") + "/"))
