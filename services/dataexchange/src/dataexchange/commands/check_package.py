"""`python -m dataexchange check-package FILE`: does a OneRoster package follow its profile? Needs no database.

Anybody's package, all 21 files, whichever of the profiles. `check` says instead what the import of Komu would say.
"""

import argparse
import csv
import sys
from itertools import groupby
from pathlib import Path

from dataexchange.domain.oneroster.check import Checked, Purpose, check_package
from dataexchange.domain.oneroster.findings import Findings, Severity
from dataexchange.domain.oneroster.profile import PUBLISHED, profile_named

CSV_HEADER = ("重さ", "ファイル", "行", "列", "値", "理由", "どうするか", "コード")
_WORDS = {Severity.ERROR: "誤り", Severity.NOTE: "注意"}
_KEPT_AT_MOST = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="OneRoster ZIP")
    parser.add_argument(
        "--profile", choices=[one.key for one in PUBLISHED], help="it must follow this one (else: as it says itself)"
    )
    parser.add_argument("--csv", action="store_true", help="findings as CSV instead of lines to read")


def run(arguments: argparse.Namespace) -> int:
    """0 when it follows the profile, 1 when not, 2 when there is no such file."""
    path: Path = arguments.file
    if not path.is_file():
        print(f"{path} というファイルがありません。", file=sys.stderr)
        return 2
    chosen = profile_named(arguments.profile) if arguments.profile else None
    with path.open("rb") as stream:
        checked = check_package(
            stream, path.stat().st_size, path.name, purpose=Purpose.CONFORMANCE, chosen=chosen, limit=_KEPT_AT_MOST
        )
    if arguments.csv:
        _as_csv(checked.findings)
    else:
        _to_read(checked)
    return 0 if checked.findings.clean else 1


def _to_read(checked: Checked) -> None:
    for file, found in groupby(sorted(checked.findings, key=lambda one: one.file), key=lambda one: one.file):
        print(file or "(ZIP)")
        for one in found:
            place = " ".join(filter(None, (f"{one.row}行" if one.row else "", one.column)))
            value = f"「{one.value}」" if one.value else ""
            print(f"  {_WORDS[one.severity]} {place}{value}: {one.reason} → {one.remedy} [{one.code}]")
    rows = "、".join(f"{name} {count}行" for name, count in checked.rows_by_file.items())
    print(f"{checked.profile.label}: {rows or '読めた表はありません'}")
    print(f"誤り {checked.findings.errors_total}件、注意 {checked.findings.notes_total}件")


def _as_csv(findings: Findings) -> None:
    writer = csv.writer(sys.stdout, quoting=csv.QUOTE_ALL)
    writer.writerow(CSV_HEADER)
    for one in findings:
        row = (_WORDS[one.severity], one.file, one.row or "", one.column, one.value, one.reason, one.remedy, one.code)
        writer.writerow(row)
