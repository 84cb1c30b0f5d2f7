"""The trust directory shared by the stacks of one machine: who may send packages to whom, and with which keys.

In production an operator outside the deployments signs it. Here `.komu/directory` plays that operator: every stack
lists its boards with their public keys and its exchange address; the product's own commands make keys and sign."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from komustack import demo, services
from komustack.say import Problem
from komustack.stack import Stack


def publish(stack: Stack) -> None:
    """Adds or renews this stack's boards, then has the directory signed. Quick when nothing changed."""
    if not services.exists("dataexchange"):
        return
    folder = stack.directory
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    (folder / "stacks").mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "operator.private.json").exists():
            _dataexchange("directory", "keygen", str(folder))
        _write(folder / "stacks" / f"{stack.name}.json", _boards(stack))
        (folder / "stacks" / f"{stack.name}.json").touch()
        _sign(folder)


def withdraw(stack: Stack) -> None:
    """The stack's data is forgotten, and its keys with it: it leaves the directory."""
    folder = stack.directory
    entry = folder / "stacks" / f"{stack.name}.json"
    if not entry.exists():
        return
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entry.unlink()
        for board in demo.boards_of(stack.name):
            _public_key(folder, stack, board).unlink(missing_ok=True)
        _sign(folder)


def _boards(stack: Stack) -> list[dict[str, Any]]:
    listed = []
    for board in demo.boards_of(stack.name):
        public = _public_key(stack.directory, stack, board)
        private = services.signing_key(stack, board)
        if not (public.exists() and private.exists()):
            _dataexchange("keys", "generate", board.organisation, "--private", str(private), "--public", str(public))
        listed.append(
            {
                "id": board.organisation,
                "kind": "board",
                "name": board.name,
                "base_url": stack.exchange_url,
                "jwks_file": str(public.relative_to(stack.directory)),
                "schools": [{"code": school.code, "name": school.name} for school in board.schools],
            }
        )
    return listed


def _public_key(folder: Path, stack: Stack, board: demo.Board) -> Path:
    return folder / "keys" / f"{stack.name}-{board.tenant}.json"


def _sign(folder: Path) -> None:
    """One entry per organisation: where two stacks play the same board, others reach `main`, else the latest start."""
    entries: dict[str, Any] = {}
    for file in sorted(
        (folder / "stacks").glob("*.json"), key=lambda file: (file.stem != "main", -file.stat().st_mtime)
    ):
        for board in json.loads(file.read_text()):
            entries.setdefault(board["id"], board)
    _write(folder / "organisations.json", list(entries.values()))
    operator, signed = str(folder / "operator.private.json"), str(folder / "directory.json")
    _dataexchange("directory", "build", str(folder / "organisations.json"), "--operator", operator, "--out", signed)


def _dataexchange(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dataexchange", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        last = " ".join((done.stderr or done.stdout).strip().splitlines()[-1:])
        raise Problem(
            f"信頼ディレクトリを作れません({last})。.komu/directory を消してから make up を実行してください。",
            f"The trust directory could not be made ({last}): remove .komu/directory and run make up again.",
        )


def _write(path: Path, value: Any) -> None:
    """Whole or not at all, and only when something changed."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    os.replace(draft, path)
