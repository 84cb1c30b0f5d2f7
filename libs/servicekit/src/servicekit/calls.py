"""`infra/calls.yaml`: who may call whom, and who may hear whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

ANY = "*"


@dataclass(frozen=True)
class Calls:
    """`calls`: callee → caller → RPC names (`*`: all that carry a person's token); `events`: producer → consumers."""

    calls: dict[str, dict[str, frozenset[str]]]
    events: dict[str, frozenset[str]]

    @staticmethod
    def read(path: Path) -> Calls:
        """Raises OSError when the file is missing, ValueError when it is not the list."""
        document = yaml.safe_load(path.read_text())
        try:
            return Calls(
                calls={
                    callee: {caller: frozenset(names) for caller, names in (callers or {}).items()}
                    for callee, callers in document["calls"].items()
                },
                events={producer: frozenset(consumers or ()) for producer, consumers in document["events"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is not a list of calls and events") from error

    def callers_of(self, callee: str, rpc: str, *, with_token: bool) -> frozenset[str]:
        """The services that may call `rpc` of `callee`, carrying a person's token or on their own."""
        return frozenset(
            caller
            for caller, names in self.calls.get(callee, {}).items()
            if rpc in names or (with_token and ANY in names)
        )
