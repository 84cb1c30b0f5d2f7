"""`python -m servicekit.audit verify --dsn URL [--tenant T]`.

Ends with 0 when every chain holds, 1 with the findings, 2 when it cannot look.
"""

from __future__ import annotations

import argparse
import sys

import psycopg

from servicekit.audit.verify import Head, verify


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m servicekit.audit")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("verify", help="check the hash chain of the audit log")
    check.add_argument("--dsn", required=True, help="address of a service's database (libpq URL)")
    check.add_argument("--tenant", help="one board; needed for a role under row security")
    given = parser.parse_args(argv)

    def tell(head: Head) -> None:
        print(f"{head.tenant}: {head.seq} links, {head.entries} entries, head {head.hash}")

    found = 0
    try:
        for finding in verify(given.dsn, given.tenant, on_head=tell):
            found += 1
            at = f"link {finding.seq}" if finding.seq is not None else "entry"
            print(f"{finding.tenant}: {at} {finding.entry_id}: {finding.what}")
    except psycopg.Error as error:
        print(f"cannot look: {error}", file=sys.stderr)
        return 2
    print("broken" if found else "whole")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
