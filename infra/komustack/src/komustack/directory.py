"""The trust directory shared by the stacks of one machine: who may send packages to whom.

In production an operator outside the deployments runs it. Here `.komu/directory` plays that operator: every stack writes its
own entry and its CA, and the signed file is made by the product's own command."""

import fcntl
import json
import os
import subprocess
import sys

from komustack import services
from komustack.calls import Calls
from komustack.say import say
from komustack.stack import Stack


def publish(stack: Stack, calls: Calls) -> None:
    """Adds or renews this stack's entry, then has the directory signed."""
    folder = stack.directory
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = _read(stack)
        entries[stack.name] = services.organisation(stack) | {"base_url": stack.exchange_url, "ca": stack.ca_file.read_text()}
        _write(stack, entries)
        _sign(stack, calls)


def withdraw(stack: Stack) -> None:
    folder = stack.directory
    if not (folder / "organisations.json").exists():
        return
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = _read(stack)
        if entries.pop(stack.name, None) is not None:
            _write(stack, entries)


def _read(stack: Stack) -> dict[str, dict[str, object]]:
    path = stack.directory / "organisations.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _write(stack: Stack, entries: dict[str, dict[str, object]]) -> None:
    for name, text in (
        ("organisations.json", json.dumps(entries, ensure_ascii=False, indent=1)),
        ("cas.pem", "".join(str(entry["ca"]) for entry in entries.values())),
    ):
        draft = stack.directory / f"{name}.{os.getpid()}"
        draft.write_text(text)
        os.replace(draft, stack.directory / name)


def _sign(stack: Stack, calls: Calls) -> None:
    if not services.exists("dataexchange"):
        return
    done = subprocess.run(
        [sys.executable, "-m", "dataexchange", "directory", "build", "--folder", str(stack.directory)],
        env={**os.environ, **services.migration_environment(stack, "dataexchange", calls)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        say("信頼ディレクトリの署名を省きました", f"the trust directory was not signed ({' '.join(last)})")
