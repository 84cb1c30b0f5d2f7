"""Every command that the pages for people name, and how it is tried: run here, run by another test, or why not.

`tests/guards/test_docs.py` holds the three lists against the pages; `tests/stack/test_newcomer.py` runs the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md", ROOT / "README.ja.md", *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("services/*/README.md")), *sorted(ROOT.glob("libs/*/README.md")), ROOT / "infra/nats/README.md",
]  # fmt: skip
FENCED = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"(?:make [a-z]|python3? -m |npm |pytest |kubectl |helm |openssl |curl |psql )")


def code_of(page: str) -> list[str]:
    """Lines of shell blocks, without comments, what is set in by four blanks, and everything in backquotes."""
    blocks = [line.split(" #")[0] for block in FENCED.findall(page) for line in block.splitlines()]
    plain = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    return blocks + re.findall(r"^    (\S.*)$", plain, re.MULTILINE) + INLINE.findall(plain)


def commands_of(page: str) -> set[str]:
    """The commands among them, one by one."""
    parts = [part.strip() for line in code_of(page) for part in line.split("&&")]
    return {part for part in parts if _COMMAND.match(part)}


@dataclass(frozen=True, slots=True)
class Run:
    """What is run for it where the page has a placeholder, and what it then says; `code`: how it ends, if it ends."""

    says: str
    instead: str = ""
    code: int = 0
    endless: bool = False


TENANT = "aozora"
_BUILD = "python -m dataexchange directory build"
NOBODY = "0190a0a0-dead-4000-8000-00000000beef"
# In this order, in a fresh clone whose stack is up. {home} is a folder of the test, {dsn} roster's database.
RUN: dict[str, Run] = {
    "make status": Run("RUNNING"),
    "make info": Run('"portal"'),
    "make code USER=aozora.es.teacher1": Run(""),
    "make logs SERVICE=roster": Run("is serving", endless=True),
    "make restart SERVICE=roster": Run(""),
    "make second-factor USER=aozora.es.teacher9": Run("otpauth://"),
    "make run SERVICE=roster DO='dead-letters list'": Run("0 dead letters"),
    "make run SERVICE=attendance DO='dead-letters list'": Run("class_roster_changed"),
    "make run SERVICE=attendance DO='dead-letters redeliver --tenant aozora --all'": Run("had had its effect before"),
    "make run SERVICE=attendance DO='dead-letters discard --tenant aozora --reason 理由 番号'": Run(
        "ありません", f"make run SERVICE=attendance DO='dead-letters discard --tenant aozora --reason 理由 {NOBODY}'", 2
    ),
    "python -m attendance dead-letters list": Run(
        "0 dead letters", "make run SERVICE=attendance DO='dead-letters list'"
    ),
    "python -m attendance rebuild-projections TENANT": Run(
        "", f"make run SERVICE=attendance DO='rebuild-projections {TENANT}'"
    ),
    "python -m grades rebuild-projections BOARD…": Run(
        "classes read", f"make run SERVICE=grades DO='rebuild-projections {TENANT}'"
    ),
    "python -m learning rebuild-projections BOARD…": Run(
        "classes read", f"make run SERVICE=learning DO='rebuild-projections {TENANT}'"
    ),
    "python -m servicekit.audit verify --dsn …": Run("whole", "python -m servicekit.audit verify --dsn {dsn}"),
    "python -m servicekit.audit verify --dsn URL [--tenant T]": Run(
        "whole", f"python -m servicekit.audit verify --dsn {{dsn}} --tenant {TENANT}"
    ),
    "python -m dataexchange directory keygen FOLDER": Run("", "python -m dataexchange directory keygen {home}"),
    "python -m dataexchange keys generate ORGANISATION --private P.json --public P.jwks.json": Run(
        "", "python -m dataexchange keys generate board:139990 --private {home}/P.json --public {home}/P.jwks.json"
    ),
    f"{_BUILD} organisations.json --operator operator.private.json --out directory.json": Run(
        "",
        f"{_BUILD} {{home}}/organisations.json --operator {{home}}/operator.private.json --out {{home}}/directory.json",
    ),
    "python -m dataexchange directory show directory.json": Run(
        "board:139990", "python -m dataexchange directory show {home}/directory.json"
    ),
    "python -m reports schemas": Run("json"),
    "python -m services.reports.tests.look graduation_certificate": Run(
        "enrolment_certificate_1.png", "python -m services.reports.tests.look enrolment_certificate --to {home}"
    ),
    "python -m tests.support.lti_tool": Run(
        "計算ドリル", "python -m tests.support.lti_tool --stack newcomer", endless=True
    ),
    "make proto": Run(""),
    "python -m tests.support.baseline": Run(""),
}  # fmt: skip
_NEWCOMER = "tests/stack/test_newcomer.py"
_VERIFY = "services/dataexchange/tests/unit/test_verify_command.py"
_UP = f"{_NEWCOMER}::test_a_fresh_clone_is_up_with_one_command"
_BESIDE = f"{_NEWCOMER}::test_two_stacks_stand_side_by_side_and_know_each_other"
# Run by this test, as file::name.
ELSEWHERE: dict[str, str] = {
    'curl --cacert ca.pem -u "$ID:$SECRET" -d grant_type=client_credentials "$BASE/oauth/token"':
        "tests/e2e/test_partners.py::test_a_partner_is_let_in_and_shut_out",
    'curl --cacert ca.pem -H "Authorization: Bearer $TOKEN" '
    '"$BASE/ims/oneroster/rostering/v1p2/users?limit=100&filter=dateLastModified>\'2026-04-01\'"':
        "services/dataexchange/tests/service/test_oneroster_rest.py::test_filters",
    "python -m dataexchange rebuild --tenant T":
        "services/dataexchange/tests/service/test_oneroster_projection.py::test_a_board_as_oneroster_objects",
    "python -m dataexchange partner --tenant T --id UUID --secret-file F --name … --purpose …":
        "tests/e2e/test_oneroster_contract.py::test_whatever_is_sent_is_answered_as_announced",
    "make up": _UP,
    "npm ci": _UP,
    "npm run build": _UP,
    "make down": f"{_NEWCOMER}::test_down_keeps_the_data_and_a_start_of_what_runs_starts_nothing",
    "make reset": f"{_NEWCOMER}::test_reset_forgets_the_data",
    "make up STACK=second": _BESIDE,
    "make up STACK=trial PORT=8400": f"{_NEWCOMER}::test_a_taken_port_is_named_with_its_holder_and_the_way_out",
    "make up ONLY=parts": _BESIDE,
    **dict.fromkeys(
        (
            f"python -m {service} {word}" for service in ("roster", "grades", "reports", "dataexchange")
            for word in ("serve", "migrate")
        ),
        _UP,
    ),
    "python -m dataexchange check-package FILE [--profile KEY] [--csv]": (
        "services/dataexchange/tests/unit/test_profiles.py::test_the_command_tells_every_finding_and_its_remedy"
    ),
    "python -m dataexchange verify FILE --directory directory.json": f"{_VERIFY}::test_a_good_package",
    "python -m dataexchange verify package.zip --directory directory.json --at 2026-11-21T03:00:00Z": (
        f"{_VERIFY}::test_a_good_package"
    ),
    "python -m dataexchange verify package.jwe --directory directory.json --keys receiver.private.json": (
        f"{_VERIFY}::test_a_sealed_package_is_opened_with_the_receivers_keys_only"
    ),
    "python -m dataexchange verify receipts.txt --directory directory.json --language en --json": (
        f"{_VERIFY}::test_receipts"
    ),
}  # fmt: skip
# Not run by a test, and why.
NOT_RUN: dict[str, str] = {
    "make test": "it is what runs the tests",
    "pytest services/roster": "a part of make test",
    "make up ONLY=roster,portal": "would take another start of a minute; ONLY is tried with parts",
    "python -m services.reports.tests.look": "every form instead of one; the one is run",
    "python -m <service> dead-letters list | redeliver | discard": "a pattern; each act is run",
}
