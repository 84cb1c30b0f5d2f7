"""`python -m learning demo --stack-info FILE --out FOLDER`: what learning has in a local stack for partners to try.

It has no door of its own: it signs in as the boards' administrators, as a browser does, and calls the RPCs of the
pages. FOLDER gets `clients.json` (keys and secrets of the record store's clients), `lti.json` (what platform and
learning tool have to know of each other) and the tool's private key. What is there is left alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

import grpc
from servicekit.errors import KomuError
from servicekit.signing_in import SignInFailed

from learning.demo import lti, record_store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack-info", "--info", dest="info", type=Path, required=True, help="the JSON of `make info`")
    parser.add_argument("--out", type=Path, required=True, help="folder for keys and secrets")


def run(arguments: argparse.Namespace) -> int:
    """0 when everything is registered; 1 with a sentence when it is not."""
    info = json.loads(arguments.info.read_text())
    arguments.out.mkdir(parents=True, exist_ok=True, mode=0o700)
    clients = arguments.out / "clients.json"
    try:
        if not clients.exists():  # secrets are shown once
            record_store.keep(clients, asyncio.run(record_store.register(info)))
        asyncio.run(lti.register(info, arguments.out))
    except (KomuError, SignInFailed, grpc.RpcError, TimeoutError) as error:
        print(f"見本の学習ツールを登録できませんでした: {error!r}", file=sys.stderr)
        return 1
    return 0
