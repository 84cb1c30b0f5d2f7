"""`python -m dataexchange check FILE`: what the import would say of a package, without a service or a database."""

import argparse
import sys
from pathlib import Path

from dataexchange.domain.oneroster.findings import Findings, Severity
from dataexchange.domain.oneroster.imports import Kind, Upload
from dataexchange.domain.oneroster.own_csv import BOM
from dataexchange.domain.oneroster.school_supplement import HEADER as SCHOOL_HEADER
from dataexchange.usecases.imports import UploadedFile

_WORDS = {Severity.ERROR: "誤り", Severity.NOTE: "注意"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="OneRoster ZIP, or 学籍補足 or 学校補足 with the ending .csv")


def run(arguments: argparse.Namespace) -> int:
    """0 when it could be imported, 1 when not, 2 when there is no such file. One line per finding."""
    path: Path = arguments.file
    if not path.is_file():
        print(f"{path} というファイルがありません。", file=sys.stderr)
        return 2
    with path.open("rb") as stream:
        kind = _kind(path, stream.read(200))
        outcome = UploadedFile(Upload(kind, path.name, "", path.stat().st_size), stream).check()
    _print(outcome.findings)
    rows = "、".join(f"{name} {count}行" for name, count in outcome.rows_by_file.items())
    print(f"{outcome.profile}: {rows or '読めた表はありません'}")
    return 0 if outcome.findings.clean else 1


def _kind(path: Path, beginning: bytes) -> Kind:
    if path.suffix.lower() != ".csv":
        return Kind.ONEROSTER
    first_column = beginning.removeprefix(BOM).lstrip(b'"')
    of_schools = first_column.startswith(SCHOOL_HEADER[0].encode())
    return Kind.SCHOOL_SUPPLEMENT if of_schools else Kind.SUPPLEMENT


def _print(findings: Findings) -> None:
    for one in findings:
        place = f"{one.file or '(ZIP)'}{f' {one.row}行' if one.row else ''}{f' {one.column}' if one.column else ''}"
        value = f"「{one.value}」" if one.value else ""
        print(f"{_WORDS[one.severity]} {place}{value}: {one.reason} [{one.code}]")
    print(f"誤り {findings.errors_total}件、注意 {findings.notes_total}件")
