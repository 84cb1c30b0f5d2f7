"""What changed between two whole packages of one profile: rows that are new or differ, and rows that are gone."""

from collections.abc import Iterator, Sequence
from typing import IO

from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.package import Package, open_package
from dataexchange.domain.oneroster.profile_columns import MANIFEST_FILES
from dataexchange.domain.oneroster.table import TableReader
from dataexchange.domain.oneroster.writer import PackageWriter, lines

Row = Sequence[str]
_ROWS_PER_WRITE = 2_000


def write_delta(writer: PackageWriter, before: IO[bytes], after: IO[bytes], at: str) -> None:
    """Write every change as OneRoster 1.2 delta rows, told as of `at` (an instant as the binding writes it).

    Only a number per row is held, one table at a time. Raises: ValueError for what is no package of ours.
    """
    old, new = _opened(before), _opened(after)
    for name in MANIFEST_FILES:
        if name not in old.members and name not in new.members:
            continue
        with writer.open_table(name) as put:
            part: list[Row] = []
            for row in _changes(name, old, new, at):
                part.append(row)
                if len(part) == _ROWS_PER_WRITE:
                    put(lines(part), len(part))
                    part = []
            if part:
                put(lines(part), len(part))


def _opened(stream: IO[bytes]) -> Package:
    stream.seek(0)
    package = open_package(stream, stream.seek(0, 2), Findings())
    if package is None:
        raise ValueError("not a package that was written here")
    return package


def _changes(name: str, old: Package, new: Package, at: str) -> Iterator[Row]:
    said = {row[0]: hash(tuple(row)) for row in _rows(old, name)}
    for row in _rows(new, name):
        if said.pop(row[0], None) != hash(tuple(row)):
            yield (row[0], "active", at, *row[3:])
    if said:
        yield from ((row[0], "tobedeleted", at, *row[3:]) for row in _rows(old, name) if row[0] in said)


def _rows(package: Package, name: str) -> Iterator[Row]:
    if name not in package.members:
        return
    reader = TableReader(f"{name}.csv", package.blocks(name), Findings())
    reader.header()
    for block in reader.blocks():
        yield from block.rows
