"""`python -m dataexchange verify FILE --directory DIRECTORY`: anyone can check, without network or database.

FILE is an opened package (ZIP), a sealed one (JWE; with `--keys` it is opened as well) or a list of receipts (one JWS
per line, or the JSON the exchange answers). One finding per line; exit status 0 only if everything holds,
1 if something is refused, 3 if nothing is refused but something could not be looked at, 2 for wrong use.
"""

import argparse
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataexchange.domain import directory as directories
from dataexchange.domain import instants, jose, keys, receipts
from dataexchange.domain.directory import Directory
from dataexchange.domain.package import opening
from dataexchange.domain.package.manifest import PACKAGE_CTY, PACKAGE_TYP
from dataexchange.domain.package.opening import CHECKS, Examination, Finding, Opened
from dataexchange.domain.refusals import Code, Refusal

OPERATOR_FILE = "operator.public.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="package (ZIP), sealed package (JWE) or receipts")
    parser.add_argument("--directory", type=Path, required=True, help="the signed directory")
    parser.add_argument(
        "--operator", type=Path, help=f"pinned operator key (JWK); else {OPERATOR_FILE} beside the directory"
    )
    parser.add_argument("--keys", type=Path, help="private keys of the receiver, to open a sealed package")
    parser.add_argument("--receipts", type=Path, help="receipts of the package, checked as a chain")
    parser.add_argument("--at", help="the instant to check for, e.g. when it was received: 2026-11-21T00:00:00Z")
    parser.add_argument("--language", choices=("ja", "en"), default="ja")
    parser.add_argument("--json", action="store_true", help="findings as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; the exit status as the module says."""
    try:
        at = instants.from_text(arguments.at) if arguments.at else datetime.now(UTC)
    except ValueError:
        print("--at: 2026-11-21T00:00:00Z", file=sys.stderr)
        return 2
    try:
        data = arguments.file.read_bytes()
        directory_bytes = arguments.directory.read_bytes()
        operator = _operator(arguments)
        own = keys.load(json.loads(arguments.keys.read_bytes())) if arguments.keys else None
        chain = arguments.receipts.read_bytes() if arguments.receipts else None
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    exam = Examination()
    opened = None
    directory = _directory(directory_bytes, operator, at, exam)
    if directory is not None:
        opened = _file(data, directory, own, at, exam)
        if chain is not None:
            sha256 = hashlib.sha256(data).hexdigest() if _looks_sealed(data) else None
            _receipts(chain, directory, at, exam, opened, sha256)
    return _report(exam.findings, opened, at, as_json=arguments.json, language=arguments.language)


def _operator(arguments: argparse.Namespace) -> dict[str, Any] | None:
    path = arguments.operator or arguments.directory.parent / OPERATOR_FILE
    if arguments.operator is None and not path.exists():
        return None
    value: dict[str, Any] = json.loads(path.read_bytes())
    return value


def _directory(raw: bytes, operator: dict[str, Any] | None, at: datetime, exam: Examination) -> Directory | None:
    if operator is None:
        exam.refuse("directory", Refusal(Code.DIRECTORY_UNTRUSTED, f"--operator / {OPERATOR_FILE}"))
        return None
    try:
        directory = directories.read(raw, operator)
        fault = directory.fault(at)
        if fault is not None:
            raise fault
    except Refusal as refusal:
        exam.refuse("directory", refusal)
        return None
    exam.holds("directory", f"{directory.content.sequence}")
    return directory


def _looks_sealed(data: bytes) -> bool:
    return not data.startswith(b"PK") and data.count(b".") == 4


def _looks_like_receipts(data: bytes) -> bool:
    text = data.lstrip()
    return text.startswith((b"[", b"{")) or (text.startswith(b"ey") and not _looks_sealed(data))


def _file(
    data: bytes, directory: Directory, own: keys.OwnKeys | None, at: datetime, exam: Examination
) -> Opened | None:
    if _looks_sealed(data):
        try:
            looked = jose.look_at_sealed(data.strip(), typ=PACKAGE_TYP, cty=PACKAGE_CTY)
            exam.holds("seal", looked.kid)
            owner, _ = directory.reliable_key(looked.kid, "enc", at)
            exam.holds("receiver", owner.id)
            if own is None:
                exam.unchecked("opened", "--keys")
                return None
            data = opening.open_sealed(data.strip(), own.opening, directory, at, own.organisation)
            exam.holds("opened", looked.kid)
        except Refusal as refusal:
            exam.refuse("seal", refusal)
            return None
    elif _looks_like_receipts(data):
        _receipts(data, directory, at, exam, None, None)
        return None
    opened, found = opening.examine(data, directory, at, receiver=own.organisation if own else None)
    exam.findings += found.findings
    return opened


def _receipts(
    data: bytes, directory: Directory, at: datetime, exam: Examination, opened: Opened | None, sha256: str | None
) -> None:
    try:
        text = data.decode("ascii").strip()
        value = json.loads(text) if text.startswith(("[", "{")) else text.split()
        lines = value["receipts"] if isinstance(value, dict) else value
        lines = [line["jws"] if isinstance(line, dict) else line for line in lines]
        if not lines:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        exam.refuse("receipt", Refusal(Code.RECEIPT_INVALID, "JSON"))
        return
    good: list[receipts.Receipt] = []
    for line in lines:
        try:
            receipt = receipts.read(str(line), directory, at)
            good.append(receipt)
            exam.holds("receipt", f"{receipt.statement.kind} {receipt.statement.at} {receipt.statement.organisation}")
        except Refusal as refusal:
            exam.refuse("receipt", refusal)
    try:
        receipts.check_chain(good)
        if opened is not None and any(r.statement.package_id != opened.manifest.package_id for r in good):
            raise Refusal(Code.RECEIPT_OTHER_PACKAGE)
        if sha256 is not None and any(r.statement.package_sha256 != sha256 for r in good):
            raise Refusal(Code.RECEIPT_OTHER_PACKAGE, "sha256")
        if good:
            exam.holds("chain", str(len(good)))
    except Refusal as refusal:
        exam.refuse("chain", refusal)


def _report(findings: list[Finding], opened: Opened | None, at: datetime, *, as_json: bool, language: str) -> int:
    refused = any(finding.refusal is not None for finding in findings)
    unchecked = any(finding.unchecked for finding in findings)
    status = 1 if refused or not findings else 3 if unchecked else 0
    if as_json:
        document = {
            "good": status == 0,
            "at": instants.to_text(at),
            "package_id": opened.manifest.package_id if opened else None,
            "findings": [_as_json(finding) for finding in findings],
        }
        print(json.dumps(document, ensure_ascii=False, indent=1))
        return status
    for finding in findings:
        print(_line(finding, language))
    verdict = {
        "ja": {0: "すべて確かめられました。", 1: "受け入れられません。", 3: "確かめられない項目があります。"},
        "en": {0: "Everything holds.", 1: "Not acceptable.", 3: "Something could not be checked."},
    }
    print(verdict[language][status])
    return status


def _as_json(finding: Finding) -> dict[str, Any]:
    refusal = finding.refusal
    return {
        "check": finding.check,
        "result": "refused" if refusal else "unchecked" if finding.unchecked else "holds",
        "subject": finding.subject,
        "code": str(refusal.code) if refusal else None,
        "detail": refusal.detail if refusal else finding.unchecked or None,
        "ja": refusal.say("ja") if refusal else None,
        "en": refusal.say("en") if refusal else None,
    }


def _line(finding: Finding, language: str) -> str:
    name = CHECKS[finding.check][0 if language == "ja" else 1]
    subject = f" [{finding.subject}]" if finding.subject else ""
    if finding.refusal is not None:
        return f"✗ {name}{subject}: {finding.refusal.say(language)} <{finding.refusal.code}>"
    if finding.unchecked:
        words = "確かめていません" if language == "ja" else "not checked"
        return f"? {name}{subject}: {words} ({finding.unchecked})"
    return f"✓ {name}{subject}"
