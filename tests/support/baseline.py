"""Writes the contract that later changes of v1 are compared with: `python -m tests.support.baseline` at a release."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.guards.test_contracts import ROOT, compile_protos


def main() -> None:
    """Replaces tests/contract/v1.binpb; `--help` replaces nothing."""
    argparse.ArgumentParser(prog="baseline", description="Replaces tests/contract/v1.binpb.").parse_args()
    with tempfile.TemporaryDirectory() as folder:
        described = compile_protos(Path(folder))
    target = ROOT / "tests" / "contract" / "v1.binpb"
    target.write_bytes(described.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
