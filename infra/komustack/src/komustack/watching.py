"""Looking at a stack: `make info`, `make status`, `make logs`, `make code`."""

import json
import os
import time
from pathlib import Path

import pyotp

from komustack import demo
from komustack.info import information
from komustack.say import Problem, result
from komustack.stack import Stack, open_stack
from komustack.supervise import Supervisor, leftovers


def running_stack(name: str) -> Stack:
    stack = open_stack(name)
    if not Supervisor(stack).is_up():
        raise Problem(
            f"スタック「{name}」は動いていません。make up STACK={name} で起動してください。",
            f"Stack {name} is not running: start it with make up STACK={name}.",
        )
    return stack


def info(name: str) -> None:
    result(json.dumps(information(running_stack(name)), ensure_ascii=False, indent=2))


def status(name: str) -> None:
    """One line per process: state, since when, memory."""
    stack = running_stack(name)
    total = 0
    for program, state in Supervisor(stack).states().items():
        memory = sum(map(_pss_kib, _families({int(state["pid"])}))) if state["pid"] else 0
        total += memory
        result(f"{program:14} {state['statename']:9} {state['description']:32} {memory // 1024:5} MiB")
    result(f"{'':14} {'':9} {'合計 / total':30} {total // 1024:5} MiB")


def memory_mib(name: str) -> int:
    """Proportional memory of every process of the stack, in MiB."""
    stack = running_stack(name)
    return sum(_pss_kib(pid) for pid in _families(set(leftovers(stack)))) // 1024


def _families(roots: set[int]) -> set[int]:
    """Processes with all their descendants (PostgreSQL has one per connection, and they wear no mark)."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = set(roots)
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _pss_kib(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0


def logs(name: str, service: str | None) -> None:
    """Follows the logs of one program, or of all."""
    stack = open_stack(name)
    files = sorted(stack.logs.glob(f"{service}.log" if service else "*.log"))
    if not files:
        raise Problem(
            f"記録がありません({stack.logs})。make status で名前を確かめてください。",
            f"There is no such log in {stack.logs}: see the names with make status.",
        )
    os.execvp("tail", ["tail", "-n", "40", "-F", *map(str, files)])  # noqa: S606 - no shell is wanted


def code(name: str, username: str) -> None:
    """The one-time code of a demo account now, and how long it is valid."""
    stack = open_stack(name)
    people = {person.username: person for person in demo.accounts(name)}
    if username not in people:
        raise Problem(
            f"利用者「{username}」はデモにいません。make info STACK={name} の accounts から選んでください。",
            f"There is no demo account {username!r}: choose one from accounts in make info STACK={name}.",
        )
    if not people[username].second_factor and not (stack.home / "secrets" / f"otp-{username}").exists():
        raise Problem(
            f"「{username}」は二つ目の要素を持たない利用者です(断られることを試すためのものです)。",
            f"{username} has no second factor: the account is there to try the refusal.",
        )
    otp = pyotp.TOTP(demo.otp_secret_base32(stack, username))
    result(f"{otp.now()}   (あと {otp.interval - int(time.time()) % otp.interval} 秒 / seconds left)")
