"""One CSV table as a stream of blocks of rows: decoded, split and measured, never held whole."""

import codecs
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import NoReturn

from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.package import PackageDamaged

ROWS_PER_BLOCK = 2_000
MAX_LINE_CHARS = 1_000_000
_BOM = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GUESSES = (("cp932", "Shift_JIS"), ("euc_jp", "EUC-JP"))

# The module's only global setting, raised once: the default (128 KiB) is a limit of csv, ours is MAX_LINE_CHARS.
csv.field_size_limit(MAX_LINE_CHARS)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one table; `first_row` is the row number of the first one (2 = right below the header)."""

    first_row: int
    rows: list[list[str]]
    text: str  # every value of the block joined, for questions about characters


class Unreadable(Exception):
    """The rest of the table cannot be read; the finding has been made."""


class TableReader:
    """Reads one table. `header` first, then `blocks`; says what is wrong with the bytes as it goes.

    Notes once per file: BOM, LF line ends, values without quotes (RFC 4180 readers agree on what they mean).
    Errors: not UTF-8, damaged data, a row with another number of values, broken quoting, no header.
    """

    def __init__(self, file: str, content: Iterable[bytes], findings: Findings, *, tolerant: bool = False) -> None:
        """`tolerant` leaves the notes out: for formats that allow what the profile advises against."""
        self.file = file
        self.width = 0
        self._content = content
        self._findings = findings
        self._tolerant = tolerant
        self._told: set[str] = set()
        self._chars_read = 0
        self._chars_if_quoted = 0
        self._rows = csv.reader(self._lines(), strict=True)

    def header(self) -> tuple[str, ...]:
        """The first row. Raises: Unreadable."""
        rows, broken = self._take(1)
        if broken:
            raise Unreadable
        if not rows or not rows[0]:
            self._findings.error("file.no_header", self.file, "ヘッダー行がありません（ファイルが空です）。")
            raise Unreadable
        self.width = len(rows[0])
        self._see_quotes("".join(rows[0]), 1)
        return tuple(rows[0])

    def blocks(self) -> Iterator[Block]:
        """Rows after the header, each exactly as wide as it. Raises: Unreadable, after the last whole block."""
        number = 2
        while True:
            rows, broken = self._take(ROWS_PER_BLOCK)
            if rows:
                text = "".join(chain.from_iterable(rows))
                self._see_quotes(text, len(rows))
                if set(map(len, rows)) == {self.width}:
                    yield Block(number, rows, text)
                else:
                    self._chars_if_quoted = -1  # rows of several widths: not to be told by counting
                    yield from self._whole_rows(rows, number)
            number += len(rows)
            if broken:
                raise Unreadable
            if len(rows) < ROWS_PER_BLOCK:
                break
        if self._chars_if_quoted > self._chars_read:
            self._note_once(
                "file.quotes", '「"」で囲まれていない値があります。読みますが、送るときは全部の値を囲んでください。'
            )

    def _take(self, count: int) -> tuple[list[list[str]], bool]:
        """Up to `count` rows, and whether the table broke after them."""
        rows: list[list[str]] = []
        try:
            rows.extend(islice(self._rows, count))
        except csv.Error as error:
            self._findings.error(
                "csv.broken",
                self.file,
                'CSVとして読めません（「"」の数が合わない、値の中の「"」が二重でない、1行が長すぎる、など）。',
                row=self._rows.line_num,
                value=str(error),
            )
            return rows, True
        except Unreadable:
            return rows, True
        return rows, False

    def _whole_rows(self, rows: list[list[str]], first: int) -> Iterator[Block]:
        run: list[list[str]] = []
        for number, row in enumerate(rows, first):
            if len(row) == self.width:
                run.append(row)
                continue
            if run:
                yield Block(number - len(run), run, "".join(chain.from_iterable(run)))
                run = []
            if row:
                self._findings.error(
                    "csv.columns",
                    self.file,
                    f"値の数が列の数と合いません（{len(row)}個、正しくは{self.width}個）。",
                    row=number,
                    value=",".join(row),
                )
            else:
                self._findings.error("csv.blank_line", self.file, "空の行があります。", row=number)
        if run:
            yield Block(first + len(rows) - len(run), run, "".join(chain.from_iterable(run)))

    def _see_quotes(self, text: str, rows: int) -> None:
        # A row of n quoted values is 2n quotes and n-1 commas longer than its values, plus one quote per quote inside.
        if self._chars_if_quoted >= 0:
            breaks_inside = text.count("\n") + text.count("\r")
            self._chars_if_quoted += len(text) - breaks_inside + text.count('"') + rows * (3 * self.width - 1)

    def _note_once(self, code: str, reason: str) -> None:
        if not self._tolerant and code not in self._told:
            self._told.add(code)
            self._findings.note(code, self.file, reason)

    def _lines(self) -> Iterator[str]:
        """Decoded lines with their line ends, which csv needs to tell a break inside a value."""
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        rest = ""
        first = True
        try:
            for chunk in self._content:
                if first:
                    first = False
                    if chunk.startswith(_UTF16_MARKS):
                        self._wrong_encoding(chunk, 0, "UTF-16")
                    if chunk.startswith(_BOM):
                        self._note_once("file.bom", "先頭にBOMがあります。読みますが、送るときは付けないでください。")
                        chunk = chunk[len(_BOM) :]
                text = self._decoded(decoder, chunk)
                line_feeds, returns = text.count("\n"), text.count("\r")
                self._chars_read += len(text) - line_feeds - returns
                if line_feeds != returns and "\n" in text.replace("\r\n", ""):
                    self._note_once("file.line_end", "行末がLFです。読みますが、送るときはCRLFにしてください。")
                # splitlines also breaks at rare separators; inside quotes csv puts the pieces together again.
                lines = (rest + text).splitlines(keepends=True)
                rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
                if len(rest) > MAX_LINE_CHARS:
                    raise csv.Error("line too long")
                yield from lines
            self._decoded(decoder, b"", final=True)
        except PackageDamaged as damage:
            self._findings.error("zip.damaged", self.file, str(damage), row=self._rows.line_num)
            raise Unreadable from damage
        if rest:
            yield rest

    def _decoded(self, decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> str:
        try:
            return decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            data = error.object
            guess = next((name for codec, name in _GUESSES if _decodes(data, codec)), "")
            self._wrong_encoding(data, error.start, guess)

    def _wrong_encoding(self, data: bytes, place: int, guess: str) -> NoReturn:
        told = f"UTF-8ではありません（{guess}のようです）。" if guess else "UTF-8として読めないバイトがあります。"
        self._findings.error(
            "file.encoding",
            self.file,
            f"{told}UTF-8（BOMなし）で書き出してください。",
            row=self._rows.line_num + data.count(b"\n", 0, place) + 1,
            value=data[place : place + 8].hex(" "),
        )
        raise Unreadable


def _decodes(data: bytes, codec: str) -> bool:
    # The block may end inside a character: an incremental decoder forgives that, the guess needs no more.
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(data)
    except UnicodeDecodeError:
        return False
    return True
