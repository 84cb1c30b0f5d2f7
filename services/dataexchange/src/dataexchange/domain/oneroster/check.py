"""Check a whole package: every problem listed, nothing written.

Tables are read in an order in which every reference can be looked up, one block of rows at a time.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import IO

from dataexchange.domain.oneroster import rules
from dataexchange.domain.oneroster.cells import check_characters, check_columns, duplicates
from dataexchange.domain.oneroster.facts import Facts
from dataexchange.domain.oneroster.findings import SHOWN_AT_MOST, Findings
from dataexchange.domain.oneroster.manifest import read_manifest, refuse_delta
from dataexchange.domain.oneroster.package import Package, open_package
from dataexchange.domain.oneroster.profile import (
    READ_ORDER,
    REGISTER_FILES,
    V6,
    Column,
    Profile,
    columns_for_header,
    with_delta_head,
)
from dataexchange.domain.oneroster.table import Block, TableReader, Unreadable
from dataexchange.domain.oneroster.whole import check_needs_of_register, check_whole

# sourcedId of demographics repeats the user's; everywhere else it is the row's own and unique in its file.
_FORWARD = {("orgs", "parentSourcedId"), ("users", "agentSourcedIds"), ("academicSessions", "parentSourcedId")}
_CHARACTERS = frozenset({"text.half_width_kana", "text.variation_selector", "text.outside_jis_x_0213"})
_READ_AGAIN = ("users", "enrollments")
CELLS_KEPT_AT_MOST = 1_000_000  # a board of 20,000 children; some 100 MiB at most
_FILE_NAME = re.compile(r"RO_[0-9]{8}_[0-9A-Za-z]+\.zip")


class Purpose(StrEnum):
    """What a package is checked for."""

    IMPORT = "import"  # everything the register needs, whatever the profile asks; other files are not looked at
    CONFORMANCE = "conformance"  # what its profile asks, in all files
    PROVISION = "provision"  # the same before a package of ours leaves, and that every character may


@dataclass(slots=True)
class Checked:
    """The outcome: findings, the profile recognised, rows by file, and the facts the row reader needs."""

    findings: Findings
    profile: Profile = V6
    rows_by_file: dict[str, int] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    places: dict[str, rules.Places] = field(default_factory=dict)
    purpose: Purpose = Purpose.IMPORT
    kept: dict[str, list[Block]] = field(default_factory=dict)
    _cells_kept: int = 0

    def keep(self, name: str, block: Block) -> None:
        """For the reader of rows, while it is little; of more nothing is kept, and the file is read once more."""
        self._cells_kept += block.size * len(block.columns)
        if self._cells_kept <= CELLS_KEPT_AT_MOST:
            self.kept.setdefault(name, []).append(block)
        else:
            self.kept.clear()

    @property
    def school_year(self) -> int:
        """The latest school year the package is about; 0 when it names none."""
        return max((session.school_year for session in self.facts.sessions.values()), default=0)

    def widened(self, name: str, block: Block) -> Block:
        """With a blank column at the end, where `places` puts the columns that this profile does not have."""
        if max(self.places[name].values()) < len(block.columns):
            return block
        return Block(block.first_row, columns=[*block.columns, [""] * block.size])


def check_package(
    stream: IO[bytes],
    size: int,
    file_name: str = "",
    *,
    purpose: Purpose = Purpose.IMPORT,
    chosen: Profile | None = None,
    limit: int = SHOWN_AT_MOST,
) -> Checked:
    """Check the ZIP in `stream` (seekable, `size` bytes). Never raises for what the file contains.

    `chosen`: the profile it must follow; else the one that manifest and columns say. `limit`: findings kept.
    """
    checked = Checked(Findings(limit), purpose=purpose)
    if file_name and _FILE_NAME.fullmatch(file_name) is None:
        checked.findings.note(
            "zip.name",
            "",
            "ファイル名は「RO_年月日_コード.zip」（例 RO_20260401_B112345678901.zip）が決まりです。",
            value=file_name,
        )
    package = open_package(stream, size, checked.findings)
    if package is None:
        return checked
    if not package.members:
        checked.findings.error("zip.no_tables", "", "ZIPの直下にOneRosterのCSVがありません。")
        return checked
    manifest = read_manifest(package, checked.findings, chosen)
    profile = checked.profile = manifest.profile
    checked.facts.whole_years, checked.facts.delta = profile.whole_years, manifest.delta
    read = REGISTER_FILES
    if purpose is Purpose.IMPORT:
        refuse_delta(manifest, checked.findings)
    else:
        asked = _CHARACTERS if purpose is Purpose.PROVISION else frozenset()
        read, checked.findings.not_asked = frozenset(READ_ORDER), profile.not_asked - asked
    for name in READ_ORDER:
        if name in manifest.present and name in read:
            _check_table(package, name, checked)
    for name in manifest.present:
        if name not in read:
            checked.findings.note("file.not_read", f"{name}.csv", "名簿の取込では使わないファイルです。読みません。")
    check_whole(checked.facts, checked.findings)
    if purpose is Purpose.IMPORT:
        check_needs_of_register(checked.facts, checked.findings)
    return checked


def _check_table(package: Package, name: str, checked: Checked) -> None:
    file = f"{name}.csv"
    findings, facts = checked.findings, checked.facts
    facts.ids.setdefault(name, {})
    reader = TableReader(file, package.blocks(name), findings)
    rows = 0
    try:
        header = reader.header()
        columns = _columns(name, header, checked)
        if columns is None:
            facts.incomplete.add(name)
            return
        places = checked.places[name] = _places(name, columns, len(header))
        if name in facts.delta:
            columns = with_delta_head(columns)
        rule = rules.RULES.get(name)
        known = partial(_known, name, facts)
        for block in reader.blocks():
            rows += block.size
            check_characters(file, header, block, findings)
            check_columns(file, columns, block, known, findings)
            for number, value, first in duplicates(block.columns[0], block.first_row, facts.ids[name]):
                findings.error(
                    "guid.duplicate",
                    file,
                    f"sourcedIdが{first}行目と重なっています。",
                    row=number,
                    column="sourcedId",
                    value=value,
                )
            if rule is not None:
                block = checked.widened(name, block)
                rule(block, places, facts, findings)
            if name in _READ_AGAIN and checked.purpose is Purpose.IMPORT:
                checked.keep(name, block)
        if rows == 0:
            findings.error("file.empty", file, "データ行がありません。空のファイルは入れず、manifestをabsentにします。")
    except Unreadable:
        facts.incomplete.add(name)  # told where it happened; what was read so far was checked
    finally:
        checked.rows_by_file[name] = rows
        facts.forget_after(name)


def _columns(name: str, header: tuple[str, ...], checked: Checked) -> tuple[Column, ...] | None:
    file, findings = f"{name}.csv", checked.findings
    found = columns_for_header(checked.profile, name, header)
    if found is not None:
        profile, columns = found
        if profile.header(name) != checked.profile.header(name):
            reason = f"列の書き方が{checked.profile.label}と違います（{profile.label}の書き方です）。"
            say = findings.note if checked.purpose is Purpose.IMPORT else findings.error
            say("header.other_version", file, reason, row=1)
        if len(header) > len(columns):
            findings.note(
                "header.extension",
                file,
                "拡張列があります。読みません。",
                row=1,
                value=",".join(header[len(columns) :]),
            )
        return columns
    expected = checked.profile.header(name)
    missing = [one for one in expected if one not in header]
    unknown = [one for one in header if one not in expected and not one.startswith("metadata.")]
    wrong = next(
        (place for place, one in enumerate(expected) if place >= len(header) or header[place] != one), len(expected)
    )
    told = []
    if missing:
        told.append(f"足りない列: {'、'.join(missing)}")
    if unknown:
        told.append(f"知らない列: {'、'.join(unknown)}")
    if not missing and not unknown:
        told.append(f"{wrong + 1}列目は「{expected[wrong] if wrong < len(expected) else ''}」のはずです")
    findings.error(
        "header.order",
        file,
        f"ヘッダーの列か順序が違います（{'。'.join(told)}）。正しい順序: {','.join(expected)}",
        row=1,
        column=expected[wrong] if wrong < len(expected) else "",
        value=header[wrong] if wrong < len(header) else "",
    )
    return None


def _places(name: str, columns: tuple[Column, ...], width: int) -> rules.Places:
    """Places by the V6 name of each column: V5 spells two of them with a capital. What is not there: `width`."""
    places = dict.fromkeys(V6.header(name), width) | {column.name: place for place, column in enumerate(columns)}
    for old, new in (
        ("metadata.jp.ShussekiNo", "metadata.jp.shussekiNo"),
        ("metadata.jp.PublicFlg", "metadata.jp.publicFlg"),
    ):
        if old in places:
            places[new] = places.pop(old)
    return places


def _known(name: str, facts: Facts, column: Column) -> dict[str, int] | None:
    if not column.refers_to or (name, column.name) in _FORWARD or column.refers_to in facts.incomplete:
        return None
    ids = facts.ids.get(column.refers_to)
    if facts.delta and (ids is None or column.refers_to in facts.delta):
        return None  # the receiver has the rest
    if ids is None:
        # The file it points into did not come: told once there; an optional file that is absent has no rows.
        return {} if column.refers_to == "userProfiles" else None
    return ids
