"""An export as people follow it: asked for, written, checked by our own checker, offered; and who got it what for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dataexchange.domain.oneroster.findings import Finding
from dataexchange.domain.oneroster.profile import Profile, profile_named

KEPT_PER_RECIPIENT = 3
"""Packages of one recipient, profile and choice of schools that stay: to download, and as the base of a delta."""


class State(StrEnum):
    """Where an export stands."""

    WRITING = "writing"
    READY = "ready"
    REFUSED = "refused"  # our own check found something that must not leave
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. No schools = the whole board; `base`: only what changed since that export."""

    profile: str
    school_ids: tuple[UUID, ...]
    recipient: str
    purpose: str
    base: UUID | None = None
    since: datetime | None = None

    def problems(self) -> list[tuple[str, str]]:
        """(field, what is missing). Purpose and recipient: 個人情報保護法 69条."""
        found = []
        if profile_named(self.profile) is None:
            found.append(("profile", "出力できる形式から選んでください。"))
        if not self.recipient:
            found.append(("recipient", "提供先を書いてください。"))
        if not self.purpose:
            found.append(("purpose", "提供の目的を書いてください（例: 学習eポータルへの名簿連携）。"))
        return found

    def why_not_from(self, base: "Export") -> str:
        """Why this cannot be what changed since `base`; blank = it can."""
        if base.state is not State.READY or not base.kept:
            return "前回の出力の内容が残っていません。全件で出力してください。"
        if (base.wish.profile, set(base.wish.school_ids)) != (self.profile, set(self.school_ids)):
            return "差分は、前回と同じ形式・同じ学校で出力します。前回に合わせるか、全件で出力してください。"
        return ""


@dataclass(frozen=True, slots=True)
class Export:
    """One export with its history."""

    id: UUID
    wish: Wish
    state: State
    job_id: UUID
    requested_by: UUID
    requested_at: datetime
    file_name: str = ""
    sha256: str = ""
    bytes: int = 0
    rows_by_file: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    errors_total: int = 0
    failure: str = ""
    finished_at: datetime | None = None
    kept: bool = False

    @property
    def profile(self) -> Profile:
        found = profile_named(self.wish.profile)
        if found is None:
            raise ValueError(self.wish.profile)
        return found


def year_to_send(years: list[int], today: int) -> int | None:
    """The school year of today, or where there is no roster of it yet, the newest; None when there is none at all."""
    return today if today in years else max(years, default=None)
