"""学校補足CSV: where a school stands (所在地). OneRoster orgs cannot say it; 指導要録 様式1 and certificates ask it.

A format of our own, one row per school that the register knows. The name is there so that a mistaken code is noticed:
the register takes the row only when code and name mean the same school.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from jpschool.codes import why_not_school_code

from dataexchange.domain.oneroster import own_csv
from dataexchange.domain.oneroster.cells import duplicates
from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.table import TableReader, Unreadable

FILE = "学校補足.csv"
HEADER = ("学校コード", "学校名", "所在地")


@dataclass(frozen=True, slots=True)
class SchoolSupplementRow:
    """One school. `code` is the 学校コード, `name` as the register has it."""

    code: str
    name: str
    address: str


def check_school_supplement(stream: IO[bytes]) -> tuple[Findings, int]:
    """Findings and the number of rows. Never raises for what the file contains."""
    findings = Findings()
    rows = 0
    seen: dict[str, int] = {}
    reader = TableReader(FILE, own_csv.blocks(stream), findings, tolerant=True)
    try:
        if not own_csv.has_header(reader, HEADER, FILE, findings):
            return findings, 0
        for block in reader.blocks():
            rows += len(block.rows)
            for number, value, first in duplicates([row[0] for row in block.rows], block.first_row, seen):
                reason = f"学校コードが{first}行目と重なっています。"
                findings.error("supplement.duplicate", FILE, reason, row=number, column=HEADER[0], value=value)
            for number, row in enumerate(block.rows, block.first_row):
                _check_row(row, number, findings)
        if rows == 0:
            findings.error("file.empty", FILE, "データ行がありません。")
    except Unreadable:
        pass  # told where it happened
    return findings, rows


def school_supplement_rows(stream: IO[bytes]) -> Iterator[SchoolSupplementRow]:
    """The rows of a file whose check was clean."""
    reader = TableReader(FILE, own_csv.blocks(stream), Findings(), tolerant=True)
    reader.header()
    for block in reader.blocks():
        for row in block.rows:
            yield SchoolSupplementRow(*row)


def write_school_supplement(rows: Iterable[SchoolSupplementRow]) -> Iterator[bytes]:
    """The file, line by line."""
    yield own_csv.BOM + own_csv.line(HEADER)
    for row in rows:
        yield own_csv.line((row.code, row.name, row.address))


def _check_row(row: Sequence[str], number: int, findings: Findings) -> None:
    for column, value in zip(HEADER, row, strict=True):
        if not value.strip():
            findings.error("value.missing", FILE, f"{column}を書いてください。", row=number, column=column, value=value)
        elif (wrong := own_csv.why_not_text(value)) is not None:
            findings.error(wrong[0], FILE, wrong[1], row=number, column=column, value=value)
    if row[0] and (why := why_not_school_code(row[0])) is not None:
        findings.error("school_code.form", FILE, why, row=number, column=HEADER[0], value=row[0])
