"""The ZIP around the tables: opened without trusting anything it says about itself."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.profile import MANIFEST_FILES

MIB = 1024 * 1024
MAX_ENTRIES = 64  # the binding allows 22; the rest is room for the litter some systems add
MAX_FILE_BYTES = 512 * MIB
MAX_TOTAL_BYTES = 1024 * MIB
MAX_RATIO = 200  # honest packages reach about 30
RATIO_COUNTS_FROM = 4 * MIB  # a small repetitive file may compress well; it can do no harm
READ_BLOCK = MIB

KNOWN_NAMES = {f"{name}.csv": name for name in ("manifest", *MANIFEST_FILES)}
_KNOWN_LOWER = {name.lower(): name for name in KNOWN_NAMES}
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_ENCRYPTED = 0x1


class PackageDamaged(Exception):
    """A member could not be read to its end; the message says why in Japanese."""


@dataclass(slots=True)
class Package:
    """An opened package: its known tables by name (without `.csv`)."""

    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo] = field(default_factory=dict)

    def blocks(self, name: str) -> Iterator[bytes]:
        """The bytes of a table, in blocks. Raises: PackageDamaged."""
        member = self.members[name]
        read = 0
        try:
            with self.archive.open(member) as stream:
                while block := stream.read(READ_BLOCK):
                    read += len(block)
                    if read > MAX_FILE_BYTES:
                        raise PackageDamaged(f"展開すると{MAX_FILE_BYTES // MIB}MiBを超えます。")
                    yield block
        except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, OSError, RuntimeError) as error:
            # RuntimeError: flags of a member that promise a patch or a password it does not have.
            raise PackageDamaged("圧縮されたデータが壊れています（途中で切れたか、書き換わっています）。") from error
        if read != member.file_size:
            raise PackageDamaged("ZIPに書かれた大きさと中身の大きさが合いません。")


def open_package(stream: IO[bytes], size: int, findings: Findings) -> Package | None:
    """Open `stream` (seekable, `size` bytes) and judge its directory; None when nothing in it can be read."""
    try:
        archive = zipfile.ZipFile(stream)
        entries = archive.infolist()
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError, EOFError):
        _not_a_zip(stream, size, findings)
        return None
    if len(entries) > MAX_ENTRIES:
        findings.error(
            "zip.too_many_entries", "", f"ZIPの中のファイルが多すぎます（{len(entries)}個、上限{MAX_ENTRIES}個）。"
        )
        return None
    if not _sizes_are_sane(entries, size, findings):
        return None
    package = Package(archive)
    for entry in entries:
        _place(entry, package, findings)
    return package


def _not_a_zip(stream: IO[bytes], size: int, findings: Findings) -> None:
    stream.seek(0)
    head = stream.read(4)
    if size == 0:
        findings.error("zip.empty", "", "ファイルが空です。")
    elif head == b"PK\x03\x04":
        findings.error(
            "zip.truncated", "", "ZIPが途中で切れています（末尾の目録がありません）。もう一度書き出して送ってください。"
        )
    else:
        findings.error(
            "zip.not_a_zip", "", "ZIPファイルではありません。OneRosterのCSV一式を1つのZIPにまとめてください。"
        )


def _sizes_are_sane(entries: list[zipfile.ZipInfo], size: int, findings: Findings) -> bool:
    sane = True
    for entry in entries:
        if entry.file_size > MAX_FILE_BYTES:
            findings.error(
                "zip.bomb_size",
                entry.filename,
                f"展開すると{MAX_FILE_BYTES // MIB}MiBを超えるファイルは受け付けません。",
                value=f"{entry.file_size}バイト",
            )
            sane = False
        if entry.file_size > RATIO_COUNTS_FROM and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
            findings.error(
                "zip.bomb_ratio",
                entry.filename,
                f"圧縮率が高すぎます（上限{MAX_RATIO}倍）。ZIP爆弾のおそれがあるため開きません。",
                value=f"{entry.compress_size}→{entry.file_size}バイト",
            )
            sane = False
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        findings.error("zip.bomb_total", "", f"展開した合計が{MAX_TOTAL_BYTES // MIB}MiBを超えます。")
        sane = False
    # Overlapping members name the same bytes again and again; honest ones fit side by side.
    if sum(entry.compress_size for entry in entries) > size:
        findings.error(
            "zip.overlap", "", "ZIPの中のファイルが互いに重なっています。ZIP爆弾のおそれがあるため開きません。"
        )
        sane = False
    return sane


def _place(entry: zipfile.ZipInfo, package: Package, findings: Findings) -> None:
    name = entry.filename
    if any(litter in name for litter in _LITTER):
        findings.note("zip.litter", name, "OSが付け加えたファイルです。読みません。")
        return
    if entry.is_dir() or "/" in name or "\\" in name:
        if entry.is_dir():
            return  # told by the files inside it
        findings.error(
            "zip.nested", name, "CSVはフォルダーに入れず、ZIPの直下に置いてください。", value=name.rsplit("/", 1)[-1]
        )
        return
    if stat.S_ISLNK(entry.external_attr >> 16):
        findings.error("zip.link", name, "リンクは受け付けません。")
        return
    if entry.flag_bits & _ENCRYPTED:
        findings.error("zip.encrypted", name, "パスワード付きのZIPは読めません。パスワードなしで書き出してください。")
        return
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        findings.error("zip.compression", name, "この圧縮方式は使えません（無圧縮かDeflateにしてください）。")
        return
    if name not in KNOWN_NAMES:
        right = _KNOWN_LOWER.get(name.lower())
        if right is not None:
            findings.error(
                "zip.file_name", name, f"ファイル名の大文字・小文字が違います。正しくは「{right}」です。", value=name
            )
        else:
            findings.note("zip.unknown_file", name, "OneRosterのファイルではありません。読みません。")
        return
    if KNOWN_NAMES[name] in package.members:
        findings.error("zip.duplicate_file", name, "同じ名前のファイルが2つあります。")
        return
    package.members[KNOWN_NAMES[name]] = entry
