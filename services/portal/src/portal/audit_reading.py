"""One view over the audit logs of all services: merged by time, paged by one cursor that holds a place in each log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SERVICES = ("roster", "attendance", "grades", "reports", "dataexchange", "learning")
PAGE = 50
_AT_END = "-"
_LONGEST_CURSOR = 400


@dataclass(frozen=True, slots=True)
class Cursor:
    """Per service: the id of the oldest entry shown so far; a service that has no more entries is at its end."""

    places: Mapping[str, str]

    @classmethod
    def parse(cls, raw: str) -> "Cursor":
        """Anything not understood counts as the beginning."""
        places = dict(pair.split(":", 1) for pair in raw[:_LONGEST_CURSOR].split(",") if ":" in pair)
        return cls({service: place for service, place in places.items() if service in SERVICES})

    def __str__(self) -> str:
        return ",".join(f"{service}:{place}" for service, place in self.places.items())

    def before(self, service: str) -> str:
        """The entry id to read on from; empty from the newest."""
        return self.places.get(service, "")

    def open_services(self) -> list[str]:
        return [service for service in SERVICES if self.places.get(service) != _AT_END]


def merge(
    replies: Mapping[str, tuple[Sequence[Any], bool]], cursor: Cursor, page: int = PAGE
) -> tuple[list[Any], Cursor | None]:
    """The newest `page` entries of all replies, and where the next page begins (None: there is no next page).

    `replies`: per service its entries, newest first, and whether it has older ones. A service missing there (it is
    away) keeps its place.
    """
    everything = [(entry, service) for service, (entries, _) in replies.items() for entry in entries]
    everything.sort(key=lambda pair: (pair[0].at.seconds, pair[0].at.nanos, pair[0].id), reverse=True)
    shown = everything[:page]
    places = dict(cursor.places)
    for entry, service in shown:
        places[service] = entry.id
    shown_of = {service: sum(1 for _, owner in shown if owner == service) for service in replies}
    for service, (entries, more) in replies.items():
        if shown_of[service] == len(entries) and not more:
            places[service] = _AT_END
    after = Cursor(places)
    unfinished = any(service in replies for service in after.open_services())
    return [entry for entry, _ in shown], after if unfinished else None
