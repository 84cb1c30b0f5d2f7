"""One CSV table as a stream of blocks of rows: decoded, split and measured, never held whole."""

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NoReturn

from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.package import PackageDamaged

ROWS_PER_BLOCK = 2_000
MAX_LINE_CHARS = 1_000_000
_BOM = b"\xef\xbb\xbf"
_ROW_END = '"\r\n'
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GUESSES = (("cp932", "Shift_JIS"), ("euc_jp", "EUC-JP"))

# The module's only global setting, raised once: the default (128 KiB) is a limit of csv, ours is MAX_LINE_CHARS.
csv.field_size_limit(MAX_LINE_CHARS)

Row = Sequence[str]


class Block:
    """Rows of one table; `first_row` is the row number of the first one (2 = right below the header)."""

    __slots__ = ("_columns", "_distinct", "_rows", "first_row", "size")

    def __init__(
        self, first_row: int, *, rows: Sequence[Row] | None = None, columns: Sequence[Sequence[str]] | None = None
    ) -> None:
        """Given as `rows` or as `columns`; the other view is made when it is asked for."""
        self.first_row = first_row
        self.size = len(rows) if rows is not None else len(columns[0]) if columns else 0
        self._rows = rows
        self._columns = columns
        self._distinct: dict[int, frozenset[str]] = {}

    @property
    def rows(self) -> Sequence[Row]:
        if self._rows is None:
            self._rows = list(zip(*self._columns or (), strict=True))
        return self._rows

    @property
    def columns(self) -> Sequence[Sequence[str]]:
        if self._columns is None:
            self._columns = list(zip(*self._rows or (), strict=True))
        return self._columns

    def distinct(self, column: int) -> frozenset[str]:
        """The values of a column, each once: most questions need to be asked of these only."""
        found = self._distinct.get(column)
        if found is None:
            found = self._distinct[column] = frozenset(self.columns[column])
        return found

    def shared(self, column: int) -> list[str]:
        """A column whose equal values are one string: for what is remembered of many rows and says few things."""
        one = {value: value for value in self.distinct(column)}
        return [one[value] for value in self.columns[column]]


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
        self._texts = self._decoded_texts()
        self._text = ""  # decoded, not yet taken
        self._quick = True
        self._line_feeds = 0
        self._lines_taken = 0  # by csv, after the quick rows
        self._rows = csv.reader(self._lines(), strict=True)

    def header(self) -> tuple[str, ...]:
        """The first row. Raises: Unreadable."""
        self._quick = self._more()
        first = self._whole_lines(self._text.find(_ROW_END))
        cells = quoted_columns(first, (first.count('"') or 2) // 2)
        if cells is not None:
            self._took(first)
            self.width = len(cells)
            return tuple(cell for (cell,) in cells)
        self._go_slowly()
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
        while self._quick:
            text = self._whole_lines(self._text.rfind(_ROW_END))
            if text:
                columns = quoted_columns(text, self.width)
                if columns is None:
                    break
                self._took(text)
                block = Block(number, columns=columns)
                number += block.size
                yield block
            if "\n" in self._text or len(self._text) > MAX_LINE_CHARS or not self._more():
                break
        self._go_slowly()
        while True:
            rows, broken = self._take(ROWS_PER_BLOCK)
            if rows:
                text = "".join(chain.from_iterable(rows))
                self._see_quotes(text, len(rows))
                if set(map(len, rows)) == {self.width}:
                    yield Block(number, rows=rows)
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

    def _whole_lines(self, row_end: int) -> str:
        return self._text[: row_end + len(_ROW_END)] if row_end >= 0 else ""

    def _took(self, text: str) -> None:
        self._text = self._text[len(text) :]

    def _more(self) -> bool:
        """Whether there was more to decode. Raises: Unreadable."""
        more = next(self._texts, None)
        self._text += more or ""
        return more is not None

    def _go_slowly(self) -> None:
        """From here on csv reads: it says what is wrong, and forgives what RFC 4180 allows besides."""
        if self._quick:
            self._lines_taken = self._at_line
            self._quick = False
            self._count(self._text)

    @property
    def _at_line(self) -> int:
        """How many lines were taken so far."""
        return self._line_feeds - self._text.count("\n") if self._quick else self._lines_taken

    def _count(self, text: str) -> None:
        self._chars_read += len(text) - text.count("\n") - text.count("\r")

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
                row=self._at_line,
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
                yield Block(number - len(run), rows=run)
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
            yield Block(first + len(rows) - len(run), rows=run)

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
        while True:
            # splitlines also breaks at rare separators; inside quotes csv puts the pieces together again.
            lines = self._text.splitlines(keepends=True)
            self._text = lines.pop() if lines and not lines[-1].endswith("\n") else ""
            if len(self._text) > MAX_LINE_CHARS:
                raise csv.Error("line too long")
            for line in lines:
                self._lines_taken += 1
                yield line
            if not self._more():
                break
        if self._text:
            self._lines_taken += 1
            yield self._text
            self._text = ""

    def _decoded_texts(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
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
                line_feeds = chunk.count(b"\n")
                if line_feeds != chunk.count(b"\r") and "\n" in text.replace("\r\n", ""):
                    self._note_once("file.line_end", "行末がLFです。読みますが、送るときはCRLFにしてください。")
                self._line_feeds += line_feeds
                if not self._quick:
                    self._count(text)
                yield text
            self._decoded(decoder, b"", final=True)
        except PackageDamaged as damage:
            self._findings.error("zip.damaged", self.file, str(damage), row=self._at_line)
            raise Unreadable from damage

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
            row=self._at_line + data.count(b"\n", 0, place) + 1,
            value=data[place : place + 8].hex(" "),
        )
        raise Unreadable


def quoted_columns(text: str, width: int) -> list[list[str]] | None:
    """The columns of whole rows of `width` quoted values, CRLF behind each, as the profile wants them; else None.

    Cut at every quote, such a text is value, comma, value, comma, … value, CRLF. Nothing else is: then it says what csv
    would say of it.
    """
    cut = text.split('"')
    rows, rest = divmod(len(cut) - 1, 2 * width)
    if rest or not rows or cut[0] or cut[2::2] != ([","] * (width - 1) + ["\r\n"]) * rows:
        return None
    return [cut[start :: 2 * width] for start in range(1, 2 * width, 2)]


def _decodes(data: bytes, codec: str) -> bool:
    # The block may end inside a character: an incremental decoder forgives that, the guess needs no more.
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(data)
    except UnicodeDecodeError:
        return False
    return True
