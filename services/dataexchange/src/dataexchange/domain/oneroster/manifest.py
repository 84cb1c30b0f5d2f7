"""manifest.csv: which files come how, and which profile they claim."""

from dataclasses import dataclass

from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.package import Package
from dataexchange.domain.oneroster.profile import (
    MANIFEST_FILES,
    PROFILES,
    REQUIRED_FILES,
    V6,
    Profile,
    candidates,
    recognised,
)
from dataexchange.domain.oneroster.table import TableReader, Unreadable

FILE = "manifest.csv"
HEADER = ("propertyName", "value")
MODES = ("absent", "bulk", "delta")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the manifest says: the profile (V6 where it names none), the tables that come, those of them as delta."""

    profile: Profile
    present: tuple[str, ...]
    delta: frozenset[str] = frozenset()


def read_manifest(package: Package, findings: Findings, chosen: Profile | None = None) -> Manifest:
    """Read and judge the manifest and the set of files. A missing or broken one is told and V6 is assumed."""
    properties = _properties(package, findings)
    if properties is None:
        return Manifest(chosen or V6, tuple(name for name in package.members if name != "manifest"))
    _version(properties, findings)
    profile = _profile(properties, package, findings, chosen)
    delta = frozenset(name for name in MANIFEST_FILES if properties.get(f"file.{name}", ("",))[0] == "delta")
    required = () if delta else REQUIRED_FILES
    present = tuple(name for name in MANIFEST_FILES if _comes(name, properties, package, required, findings))
    return Manifest(profile, present, delta)


def refuse_delta(manifest: Manifest, findings: Findings) -> None:
    """Only whole rosters say what is gone."""
    for name in sorted(manifest.delta):
        findings.error(
            "manifest.delta",
            FILE,
            "差分（delta）の名簿は受け付けていません。全件（bulk）で書き出してください。",
            column=f"file.{name}",
            value="delta",
        )


def _properties(package: Package, findings: Findings) -> dict[str, tuple[str, int]] | None:
    if "manifest" not in package.members:
        findings.error("file.missing", FILE, "manifest.csvがありません。")
        _required_present(package, findings)
        return None
    reader = TableReader(FILE, package.blocks("manifest"), findings)
    found: dict[str, tuple[str, int]] = {}
    try:
        header = reader.header()
        if header != HEADER:
            findings.error("header.order", FILE, f"ヘッダーは {','.join(HEADER)} です。", row=1, value=",".join(header))
            return None
        for block in reader.blocks():
            for number, (name, value) in enumerate(block.rows, block.first_row):
                if name in found:
                    findings.error("manifest.repeated", FILE, "同じpropertyNameが2回あります。", row=number, value=name)
                else:
                    found[name] = (value, number)
    except Unreadable:
        return None
    return found


def _required_present(package: Package, findings: Findings) -> None:
    for name in REQUIRED_FILES:
        if name not in package.members:
            findings.error("file.missing", f"{name}.csv", "名簿に必須のファイルがありません。")


def _version(properties: dict[str, tuple[str, int]], findings: Findings) -> None:
    value, row = properties.get("manifest.version", ("", 0))
    if value != "1.0":
        findings.error(
            "manifest.version", FILE, "manifest.versionは 1.0 です。", row=row, column="manifest.version", value=value
        )


def _profile(
    properties: dict[str, tuple[str, int]], package: Package, findings: Findings, chosen: Profile | None
) -> Profile:
    value, row = properties.get("oneroster.version", ("", 0))
    if chosen is not None:
        if value != chosen.oneroster_version:
            reason = f"{chosen.label}のoneroster.versionは {chosen.oneroster_version} です。"
            column = "oneroster.version"
            findings.error("manifest.oneroster_version", FILE, reason, row=row, column=column, value=value)
        return chosen
    named = candidates(value)
    if not named:
        known = "、".join(sorted({one.oneroster_version for one in PROFILES}))
        findings.error(
            "manifest.oneroster_version",
            FILE,
            f"oneroster.versionは {known} のどれかです（V6は 1.2_JP）。",
            row=row,
            column="oneroster.version",
            value=value,
        )
        return V6
    told_apart = len({one.header("users") for one in named}) > 1
    return recognised(named, _users_header(package) if told_apart else None)


def _users_header(package: Package) -> tuple[str, ...] | None:
    """The first row of users.csv; None when it cannot be read, which its own check tells."""
    if "users" not in package.members:
        return None
    try:
        return TableReader("users.csv", package.blocks("users"), Findings()).header()
    except Unreadable:
        return None


def _comes(
    name: str,
    properties: dict[str, tuple[str, int]],
    package: Package,
    required: tuple[str, ...],
    findings: Findings,
) -> bool:
    mode, row = properties.get(f"file.{name}", ("", 0))
    present = name in package.members
    column = f"file.{name}"
    if mode not in MODES:
        reason = (
            "この行がありません。absent・bulk・deltaのどれかを書いてください。"
            if row == 0
            else "absent・bulk・deltaのどれかです。"
        )
        findings.error("manifest.mode", FILE, reason, row=row, column=column, value=mode)
        if name in required and not present:
            findings.error("file.missing", f"{name}.csv", "名簿に必須のファイルがありません。")
        return present
    if name in required and (mode == "absent" or not present):
        reason = "manifestでabsentになっていますが、" if mode == "absent" else ""
        findings.error("file.missing", f"{name}.csv", f"{reason}名簿に必須のファイルがありません。")
        return present
    if mode != "absent" and not present:
        findings.error("file.missing", f"{name}.csv", f"manifestでは{mode}ですが、ファイルがありません。")
    if mode == "absent" and present:
        findings.error(
            "manifest.absent_but_present",
            FILE,
            "manifestではabsentですが、ファイルがあります。",
            row=row,
            column=column,
            value=f"{name}.csv",
        )
    return present
