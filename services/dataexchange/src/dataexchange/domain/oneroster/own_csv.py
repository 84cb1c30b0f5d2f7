"""What our own CSV formats (学籍補足, 学校補足) share: a fixed header, quoted values, characters that may not occur."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from jpschool.kana import has_half_width_kana

from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.table import TableReader

BOM = b"\xef\xbb\xbf"
"""Written in front, so that the spreadsheet at school opens the file rightly."""
_BLOCK = 256 * 1024


def blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream from its beginning, in pieces."""
    stream.seek(0)
    while block := stream.read(_BLOCK):
        yield block


def has_header(reader: TableReader, right: Sequence[str], file: str, findings: Findings) -> bool:
    """Whether the first row is the format's header; tells the first column that is not."""
    header = reader.header()
    if header == tuple(right):
        return True
    wrong = next((at for at, (ours, theirs) in enumerate(zip(right, header, strict=False)) if ours != theirs), -1)
    findings.error(
        "header.order",
        file,
        f"ヘッダーの列か順序が違います。正しい順序: {','.join(right)}",
        row=1,
        column=right[wrong] if wrong >= 0 else "",
        value=header[wrong] if wrong >= 0 else ",".join(header)[:60],
    )
    return False


def why_not_text(value: str) -> tuple[str, str] | None:
    """(code, reason) for a value no column of ours may hold."""
    if has_half_width_kana(value):
        return "text.half_width_kana", "半角カナは使えません。全角カタカナにしてください。"
    if any(character < " " or character == "\x7f" for character in value):
        return "text.control", "改行などの制御文字は使えません。"
    return None


def line(row: Iterable[str]) -> bytes:
    """Every value quoted, CRLF."""
    return ('"' + '","'.join(value.replace('"', '""') for value in row) + '"\r\n').encode()
