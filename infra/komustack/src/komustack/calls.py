"""`infra/calls.yaml`: the one list who may call whom and who may hear whom."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from komustack.say import Problem


@dataclass(frozen=True)
class Calls:
    calls: dict[str, dict[str, list[str]]]
    """Callee → caller → names of RPCs; `*` is every RPC that carries a person's token."""
    events: dict[str, list[str]]
    """Producer → those who hear its stream."""

    def callees_of(self, caller: str) -> list[str]:
        return sorted(callee for callee, callers in self.calls.items() if caller in callers)

    @property
    def services(self) -> list[str]:
        """Every callee: these are the audiences of tokens."""
        return sorted(self.calls)

    @property
    def callers(self) -> list[str]:
        return sorted({caller for callers in self.calls.values() for caller in callers})

    def heard_by(self, consumer: str) -> list[str]:
        return sorted(producer for producer, consumers in self.events.items() if consumer in consumers)


def read_calls(path: Path) -> Calls:
    try:
        document = yaml.safe_load(path.read_text())
        return Calls(
            calls={callee: dict(callers or {}) for callee, callers in document["calls"].items()},
            events={producer: list(consumers or []) for producer, consumers in document["events"].items()},
        )
    except (OSError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise Problem(
            f"呼び出しの一覧 {path} を読めません({error})。git の内容に戻してください。",
            f"The list of calls {path} cannot be read: restore it from git.",
        ) from error
