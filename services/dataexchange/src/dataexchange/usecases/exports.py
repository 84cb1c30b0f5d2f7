"""名簿の提供: the board hands a roster to a 学習eポータル; who got what and why stays on record."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from uuid import UUID

from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Violation
from servicekit.ids import uuid7
from servicekit.json import dumps_text

from dataexchange.domain.oneroster.check import check_package
from dataexchange.domain.oneroster.exporting import OutRegister, Wanted, write_tables
from dataexchange.domain.oneroster.profile import PROFILES
from dataexchange.domain.oneroster.writer import PackageWriter, package_name
from dataexchange.store import imports as store


@dataclass(frozen=True, slots=True)
class Written:
    """A finished package."""

    file_name: str
    sha256: str
    bytes: int
    rows_by_file: dict[str, int]


def check_wanted(wanted: Wanted) -> None:
    """Raises: Invalid, when purpose, recipient or profile are missing."""
    problems = wanted.problems()
    if problems:
        raise Invalid("入力を確かめてください。", [Violation(field, message) for field, message in problems])


def write(register: OutRegister, wanted: Wanted, target: IO[bytes], now: datetime) -> Written:
    """Write the package and let our own checker read it back. Raises: Conflict with the first problem."""
    profile = next(one for one in PROFILES if one.key == wanted.profile)
    writer = PackageWriter(target, profile)
    write_tables(writer, register)
    writer.finish()
    size = target.tell()
    code = register.schools[0].code if wanted.school_id and register.schools else register.code
    name = package_name(code, day_in_jst(now).isoformat())
    checked = check_package(target, size, name)
    if not checked.findings.clean:
        first = next(iter(checked.findings))
        raise Conflict(
            f"名簿に提供できない内容があります（{checked.findings.errors_total}件）。{first.file} {first.column}"
            f"「{first.value}」: {first.reason}",
            reason="EXPORT_NOT_CLEAN",
        )
    return Written(name, _sha256(target), size, writer.rows_by_file)


def _sha256(target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    target.seek(0)
    while block := target.read(256 * 1024):
        digest.update(block)
    return digest.hexdigest()


async def note_export(tx: Transaction, actor: Actor, wanted: Wanted, written: Written) -> UUID:
    """提供の記録, saved before the first byte leaves."""
    export_id = uuid7()
    await store.add_export(
        tx,
        {
            "id": export_id,
            "school": UUID(wanted.school_id) if wanted.school_id else None,
            "profile": wanted.profile,
            "purpose": wanted.purpose,
            "recipient": wanted.recipient,
            "file_name": written.file_name,
            "sha256": written.sha256,
            "bytes": written.bytes,
            "rows": dumps_text(written.rows_by_file),
            "by": actor.person_id,
            "now": tx.now,
        },
    )
    tx.audit(
        "roster.exported",
        export_id,
        after={"recipient": wanted.recipient, "purpose": wanted.purpose, "sha256": written.sha256},
        subject_id=UUID(wanted.school_id) if wanted.school_id else board_subject(tx.tenant),
    )
    return export_id
