"""Write a package exactly as a profile asks: every value quoted, CRLF, UTF-8 without BOM, reproducible bytes."""

import io
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby, islice
from queue import Queue
from typing import IO, Any, NamedTuple, Self

from dataexchange.domain.oneroster.profile import MANIFEST_FILES, V6, Profile

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same rows give the same file, so that its hash says whether anything changed
_ROWS_PER_WRITE = 2_000

Row = Sequence[str]


class Part(NamedTuple):
    """Some lines of a table, and how many they are."""

    file: str
    lines: bytes
    rows: int


class PackageWriter:
    """Tables are added one after the other, their rows in the columns of V6; `finish`, or the end of a `with`, writes
    the manifest.

    `rows_by_file` counts what was written.
    """

    def __init__(
        self, target: IO[bytes], profile: Profile, *, system_name: str = "Komu", mode: str = "bulk", level: int = 6
    ) -> None:
        """`mode`: bulk or delta, for the manifest. `level` of compression, 1 (fast) to 9."""
        self.rows_by_file: dict[str, int] = {}
        self._mode = mode
        self._profile = profile
        self._system_name = system_name
        self._archive = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=level)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def table(self, name: str, rows: Iterable[Row]) -> None:
        """One table; no rows, no file (the binding forbids empty ones)."""
        waiting = iter(rows)
        with self.open_table(name) as put:
            while part := list(islice(waiting, _ROWS_PER_WRITE)):
                put(lines(in_columns_of(self._profile, name, part)), len(part))

    @contextmanager
    def open_table(self, name: str) -> Iterator[Callable[[bytes, int], None]]:
        """One table as lines in the profile's own columns: gives what takes them and how many they are."""
        count = 0
        with ExitStack() as opened:
            member: Any = None

            def put(part: bytes, rows: int) -> None:
                nonlocal member, count
                if member is None:
                    member = opened.enter_context(self._open(f"{name}.csv"))
                    member.write(lines([self._profile.header(name)]))
                member.write(part)
                count += rows

            yield put
        if count:
            self.rows_by_file[name] = count

    def take(self, waiting: "Queue[Part | None]") -> None:
        """Tables in parts, those of a file one behind the other, until None comes. For a thread of its own: whoever
        fills the queue never waits for a reader that is gone, for it is emptied even where writing fails.
        """
        parts = iter(waiting.get, None)
        try:
            for name, of_table in groupby(parts, lambda part: part.file):
                with self.open_table(name) as put:
                    for part in of_table:
                        put(part.lines, part.rows)
        finally:
            deque(parts, maxlen=0)

    def finish(self) -> None:
        """Write the manifest and close the package."""
        with self._open("manifest.csv") as member:
            member.write(lines(manifest_rows(self._profile, self.rows_by_file, self._system_name, self._mode)))
        self._archive.close()

    def _open(self, name: str) -> "zipfile.ZipExtFile | io.BufferedIOBase":
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        return self._archive.open(info, "w")  # type: ignore[return-value]


def manifest_rows(profile: Profile, written: Mapping[str, int], system_name: str, mode: str = "bulk") -> list[Row]:
    """propertyName, value: versions, then every file of the binding as it comes (`mode`), or absent."""
    return [
        ("propertyName", "value"),
        ("manifest.version", "1.0"),
        ("oneroster.version", profile.oneroster_version),
        *((f"file.{name}", mode if name in written else "absent") for name in MANIFEST_FILES),
        ("source.systemName", system_name),
        ("source.systemCode", "komu"),
    ]


def package_name(code: str, day: str) -> str:
    """RO_YYYYMMDD_コード.zip; code = 学校コード of one school, else 教育委員会コード. `day` is ISO."""
    return f"RO_{day.replace('-', '')}_{code}.zip"


def in_columns_of(profile: Profile, file: str, rows: Sequence[Row]) -> Sequence[Row]:
    """Rows in the columns of V6, put into those of `profile`: names in its letter case, what V6 lacks left blank."""
    width = len(V6.header(file))
    if set(map(len, rows)) != {width}:
        raise ValueError(f"a row of another length than {width} in {file}")
    if profile.header(file) == V6.header(file):
        return rows
    place_of = {name.lower(): place for place, name in enumerate(V6.header(file))}
    places = [place_of.get(name.lower(), width) for name in profile.header(file)]
    columns = [*zip(*rows, strict=True), ("",) * len(rows)]
    return list(zip(*(columns[place] for place in places), strict=True))


def lines(rows: Sequence[Row]) -> bytes:
    """As every profile wants them: each value quoted, CRLF, UTF-8."""
    if '"' in "".join(map("".join, rows)):
        rows = [[value.replace('"', '""') for value in row] for row in rows]
    return ('"' + '"\r\n"'.join(map('","'.join, rows)) + '"\r\n').encode()
