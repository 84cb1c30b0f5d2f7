"""What a check found, told so that the person who made the file can mend it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from dataexchange.domain.oneroster.remedies import REMEDIES

SHOWN_AT_MOST = 1_000
VALUE_SHOWN = 80


class Severity(StrEnum):
    """`error` stops the import; `note` is only told."""

    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem. `row` counts as a spreadsheet does: 1 = header row, 0 = the file itself."""

    code: str
    severity: Severity
    file: str
    row: int
    column: str
    value: str
    reason: str

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES.get(self.code, "")


@dataclass(slots=True)
class Findings:
    """Every problem is counted; the first `SHOWN_AT_MOST` are kept, errors before notes when they run over."""

    limit: int = SHOWN_AT_MOST
    not_asked: frozenset[str] = frozenset()
    """Codes that the profile at hand does not know: not told."""
    errors_total: int = 0
    notes_total: int = 0
    _errors: list[Finding] = field(default_factory=list)
    _notes: list[Finding] = field(default_factory=list)

    def error(self, code: str, file: str, reason: str, *, row: int = 0, column: str = "", value: str = "") -> None:
        if code in self.not_asked:
            return
        self.errors_total += 1
        if len(self._errors) < self.limit:
            self._errors.append(Finding(code, Severity.ERROR, file, row, column, shown(value), reason))

    def note(self, code: str, file: str, reason: str, *, row: int = 0, column: str = "", value: str = "") -> None:
        if code in self.not_asked:
            return
        self.notes_total += 1
        if len(self._notes) < self.limit:
            self._notes.append(Finding(code, Severity.NOTE, file, row, column, shown(value), reason))

    @property
    def clean(self) -> bool:
        """No errors; notes may stand."""
        return self.errors_total == 0

    def __iter__(self) -> Iterator[Finding]:
        kept = [*self._errors, *self._notes[: max(0, self.limit - len(self._errors))]]
        return iter(sorted(kept, key=lambda one: (one.severity, one.file, one.row)))


def shown(value: str) -> str:
    """A value as a table can show it: controls made visible, long ones cut."""
    visible = "".join(
        one if one.isprintable() or one == "\u3000" else f"\\u{ord(one):04x}" for one in value[: VALUE_SHOWN + 1]
    )
    return visible if len(value) <= VALUE_SHOWN else visible[:VALUE_SHOWN] + "…"
