"""`make test`: every test of the tree, quick ones first, each part of the tree in a pytest of its own.

A service's fixtures (its database, its running server) live as long as a pytest process: parts must not share one.
Parts without a stack run two side by side; what needs whole stacks comes last and alone. Closes with the sum."""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from komustack.stack import ROOT

_SIDE_BY_SIDE = 2


@dataclass(frozen=True)
class Outcome:
    """What one pytest process said."""

    part: str
    code: int
    passed: int
    failed: int
    skipped: int
    seconds: float
    output: str


def parts() -> tuple[list[str], list[str]]:
    """(parts of their own, parts with whole stacks), as paths from the root of the tree."""
    folders = [*sorted(ROOT.glob("libs/*/tests")), *sorted(ROOT.glob("services/*/tests"))]
    quick = ["tests/guards", "infra", *(str(folder.relative_to(ROOT)) for folder in folders)]
    return [part for part in quick if (ROOT / part).exists()], ["tests/faults", "tests/stack", "tests/e2e"]


def run(part: str) -> Outcome:
    """One pytest over `part`; its output is shown when it has ended."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="komu-suite-") as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", "--durations=3", part],
            cwd=ROOT,
            env=os.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        count = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        if report.exists():
            root = ElementTree.parse(report).getroot()  # noqa: S314  pytest wrote it a moment ago
            for suite in root.iter("testsuite"):
                count = {name: count[name] + int(suite.get(name, 0)) for name in count}
    failed = count["failures"] + count["errors"]
    passed = max(count["tests"] - failed - count["skipped"], 0)
    outcome = Outcome(
        part, done.returncode, passed, failed, count["skipped"], time.monotonic() - began, done.stdout
    )
    print(f"$ pytest {part}\n{outcome.output.rstrip()}\n  {part}: {outcome.seconds:.0f} s\n", flush=True)
    return outcome


def main(asked: Sequence[str] = ()) -> int:
    """Runs the parts (or only those `asked` for). Ends with 0 only if every process did."""
    quick, whole = parts()
    if asked:
        quick, whole = [], list(asked)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        outcomes = list(pool.map(run, quick))
    outcomes += [run(part) for part in whole]
    broken = [outcome.part for outcome in outcomes if outcome.code]
    if broken:
        print(f"✗ {'・'.join(broken)} に失敗があります / failures in: {', '.join(broken)}")
    total = {name: sum(getattr(outcome, name) for outcome in outcomes) for name in ("passed", "failed", "skipped")}
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
