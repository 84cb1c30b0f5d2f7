"""`make check`: what can be told without starting anything. Runs all checks, then says which failed."""

import subprocess
import sys
import time
from pathlib import Path

from komustack.stack import ROOT

_BIN = Path(sys.executable).parent


def checks() -> dict[str, list[str]]:
    sources = [str(path.relative_to(ROOT)) for path in sorted([*ROOT.glob("libs/*/src"), *ROOT.glob("services/*/src")])]
    return {
        "ruff": [str(_BIN / "ruff"), "check", "."],
        "proto": [sys.executable, "-m", "komustack.proto", "--check"],
        "imports": [str(_BIN / "lint-imports"), "--no-cache"],
        "mypy": [str(_BIN / "mypy"), *sources, "infra/komustack/src"],
    }


def main() -> int:
    failed = []
    for name, command in checks().items():
        began = time.monotonic()
        print(f"$ {' '.join([Path(command[0]).name, *command[1:]])}", flush=True)
        if subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode:
            failed.append(name)
        print(f"  {name}: {'✗' if name in failed else '✓'} {time.monotonic() - began:.1f} s", flush=True)
    if failed:
        print(f"✗ {'・'.join(failed)} に直すところがあります / to be put right: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
