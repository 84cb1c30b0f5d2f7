"""名簿の取込: a board's administrator uploads, sees what is wrong, sees what would change, applies.

Who may is the right `roster.import` (教育委員会の管理者); the register asks again when rows reach it.
"""

from collections.abc import Iterator
from typing import IO
from uuid import UUID

from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict

from dataexchange.domain.oneroster.check import Checked, check_package
from dataexchange.domain.oneroster.imports import Import, Kind, Outcome, State, Upload
from dataexchange.domain.oneroster.reader import rows_of
from dataexchange.domain.oneroster.rows import RosterRow
from dataexchange.domain.oneroster.school_supplement import (
    SchoolSupplementRow,
    check_school_supplement,
    school_supplement_rows,
)
from dataexchange.domain.oneroster.supplement import SupplementRow, check_supplement, supplement_rows
from dataexchange.store import imports

_STATE_WORDS = {
    State.CHECKING: "確認の途中です",
    State.REFUSED: "誤りがあるため取り込めません",
    State.CHECKED: "名簿への受け渡しが終わっていません。もう一度ファイルを送ってください",
    State.APPLYING: "取り込みの途中です",
    State.APPLIED: "取り込み済みです",
    State.DISCARDED: "取りやめています",
}


class UploadedFile:
    """A file on its way in: checked once, then read again as rows. Pure but for the stream it was given."""

    def __init__(self, upload: Upload, stream: IO[bytes]) -> None:
        self.upload = upload
        self._stream = stream
        self._checked: Checked | None = None

    def check(self) -> Outcome:
        """Reads the whole file; a second or two for 50,000 rows. Call it off the event loop."""
        if self.upload.kind is Kind.SUPPLEMENT:
            findings, rows = check_supplement(self._stream)
            return Outcome(findings, "学籍補足CSV", {"学籍補足": rows}, 0)
        if self.upload.kind is Kind.SCHOOL_SUPPLEMENT:
            findings, rows = check_school_supplement(self._stream)
            return Outcome(findings, "学校補足CSV", {"学校補足": rows}, 0)
        checked = self._checked = check_package(self._stream, self.upload.bytes, self.upload.file_name)
        return Outcome(checked.findings, checked.profile.label, checked.rows_by_file, checked.school_year)

    def rows(self) -> Iterator[RosterRow | SupplementRow | SchoolSupplementRow]:
        """Rows in the register's words; only after a clean check."""
        if self.upload.kind is Kind.SCHOOL_SUPPLEMENT:
            return school_supplement_rows(self._stream)
        if self._checked is None:
            return supplement_rows(self._stream)
        return rows_of(self._stream, self.upload.bytes, self._checked)


async def register(tx: Transaction, actor: Actor, import_id: UUID, upload: Upload) -> Import:
    """A file has come in whole; nothing of it is known yet."""
    await imports.add(tx, import_id, upload, actor.person_id)
    what = {"kind": upload.kind, "sha256": upload.sha256, "bytes": upload.bytes}
    tx.audit("import.uploaded", import_id, after=what, subject_id=board_subject(tx.tenant))
    return await imports.get(tx, import_id)


async def note_checked(tx: Transaction, actor: Actor, import_id: UUID, outcome: Outcome) -> Import:
    """The check has spoken: clean, or refused with everything it found."""
    state = State.CHECKED if outcome.findings.clean else State.REFUSED
    await imports.keep_outcome(tx, import_id, outcome, state)
    what = {"state": state, "errors": outcome.findings.errors_total}
    tx.audit("import.checked", import_id, after=what, subject_id=board_subject(tx.tenant))
    return await imports.get(tx, import_id)


async def note_staged(tx: Transaction, actor: Actor, import_id: UUID) -> Import:
    """The register holds the rows and can say what they would change."""
    await imports.set_state(tx, import_id, State.STAGED)
    return await imports.get(tx, import_id)


async def note_failed(tx: Transaction, actor: Actor, import_id: UUID, why: str) -> Import:
    """The register did not take them, or applying ended without effect."""
    await imports.set_state(tx, import_id, State.FAILED, failure=why)
    tx.audit("import.failed", import_id, after={"failure": why}, subject_id=board_subject(tx.tenant))
    return await imports.get(tx, import_id)


async def look_for_apply(tx: Transaction, actor: Actor, import_id: UUID) -> Import:
    """May it be applied now? Applying or applied: said as it is, so that asking twice is harmless. Raises: Conflict."""
    found = await imports.get(tx, import_id)
    if found.state in (State.APPLYING, State.APPLIED):
        return found
    if not found.state.may_be_applied:
        raise Conflict(f"{_STATE_WORDS[found.state]}。", {"state": found.state.value}, reason="IMPORT_STATE")
    return found


async def note_applying(tx: Transaction, actor: Actor, import_id: UUID, confirm_shrink: bool) -> Import:
    """The register's job is under way."""
    await imports.note_applying(tx, import_id, actor.person_id, confirmed_shrink=confirm_shrink)
    what = {"confirmed_shrink": confirm_shrink}
    tx.audit("import.applying", import_id, after=what, subject_id=board_subject(tx.tenant))
    return await imports.get(tx, import_id)


async def note_applied(tx: Transaction, actor: Actor, import_id: UUID) -> Import:
    """The register says it is done."""
    before = await imports.get(tx, import_id, lock=True)
    if before.state is not State.APPLIED:
        await imports.note_applied(tx, import_id)
        tx.audit("import.applied", import_id, subject_id=board_subject(tx.tenant))
    return await imports.get(tx, import_id)


async def discard(tx: Transaction, actor: Actor, import_id: UUID) -> Import:
    """Not wanted after all; the register forgets the staged rows with its next import. Raises: Conflict."""
    found = await imports.get(tx, import_id, lock=True)
    if not found.state.may_be_discarded:
        raise Conflict(f"{_STATE_WORDS[found.state]}。", {"state": found.state.value}, reason="IMPORT_STATE")
    await imports.set_state(tx, import_id, State.DISCARDED)
    tx.audit("import.discarded", import_id, subject_id=board_subject(tx.tenant))
    return await imports.get(tx, import_id)


async def look(tx: Transaction, actor: Actor, import_id: UUID) -> Import:
    """One import with its findings. Raises: Unseen."""
    return await imports.get(tx, import_id)


async def history(tx: Transaction, actor: Actor, before: UUID | None, limit: int) -> tuple[list[Import], bool]:
    """Newest first, and whether there are older ones."""
    found = await imports.page(tx, before, limit + 1)
    return found[:limit], len(found) > limit
