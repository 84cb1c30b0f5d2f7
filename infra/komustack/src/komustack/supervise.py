"""The parts and services as children of one supervisord: crashed ones come back, `make down` ends exactly these.

Why supervisor and not honcho: docs/adr/0003-supervisor.md."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from komustack.say import Problem, say
from komustack.stack import Stack

MARK = "KOMU_STACK_HOME"
"""Stands in the environment of every program of a stack: that is how leftovers of a broken start are recognised."""


@dataclass(frozen=True)
class Program:
    """One process; `user` is the numeric user and group it must run as, if any."""

    name: str
    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None
    stop_signal: str = "TERM"
    stop_wait_s: int = 15


def write_configuration(stack: Stack, programs: Iterable[Program]) -> None:
    """The supervisor's file and one specification per program. A changed specification gets a new file name: that is
    how the supervisor sees the change."""
    specs = stack.run / "programs"
    specs.mkdir(parents=True, exist_ok=True)
    sections = [
        "[supervisord]",
        f"logfile={stack.logs}/supervisord.log",
        f"pidfile={stack.run}/supervisord.pid",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        "minfds=4096",
        *(["user=root"] if os.getuid() == 0 else []),
        "[unix_http_server]",
        f"file={_socket(stack)}",
        "chmod=0700",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    wanted = set()
    for program in programs:
        spec = json.dumps(
            {
                "argv": program.argv,
                "env": {"LANG": "C.UTF-8", **program.env, MARK: str(stack.home)},
                "cwd": str(stack.home),
                "uid": program.user[0] if program.user else None,
                "gid": program.user[1] if program.user else None,
            },
            ensure_ascii=False,
            indent=1,
        )
        path = specs / f"{program.name}-{hashlib.sha256(spec.encode()).hexdigest()[:12]}.json"
        wanted.add(path)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(spec)
        launcher = Path(__file__).with_name("launch.py")
        sections += [
            f"[program:{program.name}]",
            f"command={sys.executable} -S -E {launcher} {path}".replace("%", "%%"),
            "autostart=false",
            "autorestart=true",
            "startsecs=1",
            "startretries=30",
            f"stopsignal={program.stop_signal}",
            f"stopwaitsecs={program.stop_wait_s}",
            "killasgroup=true",
            f"stdout_logfile={stack.logs}/{program.name}.log",
            "redirect_stderr=true",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=1",
        ]
    for stale in set(specs.glob("*.json")) - wanted:
        stale.unlink()
    (stack.run / "supervisord.conf").write_text("\n".join(sections) + "\n")


def _socket(stack: Stack) -> Path:
    """A Unix socket path has at most 107 bytes: deep folders get one in the temporary folder."""
    path = stack.run / "supervisor.sock"
    if len(bytes(path)) < 100:
        return path
    digest = hashlib.sha256(bytes(path)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"komu-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "s.sock"


class _Transport(SupervisorTransport):  # type: ignore[misc]
    def __init__(self, stack: Stack) -> None:
        super().__init__(None, None, f"unix://{_socket(stack)}")


class _Calls:
    """The supervisor's XML-RPC, one connection a call: none is left open."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(self._stack)) as proxy:
                return getattr(proxy.supervisor, name)(*arguments)

        return call


class Supervisor:
    """The supervisord of one stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    @property
    def _rpc(self) -> Any:
        return _Calls(self._stack)

    def is_up(self) -> bool:
        if not _socket(self._stack).exists():
            return False
        try:
            return str(self._rpc.getState()["statename"]) == "RUNNING"
        except (OSError, xmlrpc.client.Error):
            return False

    def start(self) -> None:
        subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._stack.run / "supervisord.conf")],
            cwd=self._stack.home,
            env={**os.environ, MARK: str(self._stack.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        _until(self.is_up, 15, "supervisord")

    def take_over(self) -> None:
        """Makes a running supervisor follow the written configuration: what is gone or changed is stopped."""
        ((added, changed, removed),) = self._rpc.reloadConfig()
        for name in (*removed, *changed):
            self._rpc.stopProcessGroup(name)
            self._rpc.removeProcessGroup(name)
        for name in (*added, *changed):
            self._rpc.addProcessGroup(name)

    def states(self) -> dict[str, dict[str, Any]]:
        return {info["name"]: info for info in self._rpc.getAllProcessInfo()}

    def ensure(self, *names: str) -> None:
        states = self.states()
        for name in names:
            if states[name]["statename"] in {"RUNNING", "STARTING"}:
                continue
            try:
                self._rpc.startProcess(name, False)
            except xmlrpc.client.Fault as fault:
                raise Problem(
                    f"{name} を起動できません({fault.faultString})。ファイルの権限を確かめて、実行し直してください。",
                    f"{name} cannot be started ({fault.faultString}): check the files' permissions, then try again.",
                ) from fault

    def stop(self, *names: str) -> None:
        """Asks all of them to end, then waits for all: they end side by side."""
        going = {"RUNNING", "STARTING", "BACKOFF", "STOPPING"}
        states = self.states()
        asked = [name for name in names if states[name]["statename"] in going]
        for name in asked:
            if states[name]["statename"] != "STOPPING":
                self._rpc.stopProcess(name, False)

        def ended() -> bool:
            now = self.states()
            return not any(now[name]["statename"] in going for name in asked)

        _until(ended, 60, "・".join(asked))

    def shutdown(self) -> None:
        pid = int(self._rpc.getPID())
        self._rpc.shutdown()
        _until(lambda: not is_alive(pid), 60, "supervisord")

    def wait_ready(self, name: str, ready: Callable[[], bool], timeout_s: float) -> None:
        """Waits until `ready()`. Raises: Problem with the last lines of the program's log when it gives up first."""
        deadline = time.monotonic() + timeout_s
        pause = 0.05
        starts: set[int] = set()
        while not ready():
            info = self.states()[name]
            starts.add(int(info["start"]))
            gave_up = info["statename"] in {"FATAL", "STOPPED"} or len(starts) > 3
            if gave_up or time.monotonic() > deadline:
                raise _did_not_start(self._stack, name)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)


def _did_not_start(stack: Stack, name: str) -> Problem:
    log = stack.logs / f"{name}.log"
    tail = log.read_text(errors="replace").strip().splitlines()[-12:] if log.exists() else []
    return Problem(
        f"{name} が起動しません。記録 {log} を確かめ、直してから make up "
        "をもう一度実行してください(データを捨ててよければ make reset)。",
        f"{name} did not start. Its last lines ({log}):\n    " + "\n    ".join(tail),
    )


def _until(done: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            raise Problem(
                f"{what} が {timeout_s:.0f} 秒以内に応答しません。make down のあと、もう一度実行してください。",
                f"{what} did not answer within {timeout_s:.0f} s: run make down, then try again.",
            )
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def leftovers(stack: Stack) -> dict[int, str]:
    """Processes that carry the stack's mark: pid → program. Where there is no /proc nothing is found."""
    mark = f"{MARK}={stack.home}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0") and is_alive(int(folder.name)):
                found[int(folder.name)] = (folder / "comm").read_text().strip()
        except (OSError, ValueError):
            continue
    found.pop(os.getpid(), None)
    return found


def end_leftovers(stack: Stack) -> int:
    """Ends what an earlier start of this stack left behind (its supervisor died). Returns how many there were."""
    pids = leftovers(stack)
    if not pids:
        return 0
    say(
        f"前回の起動の残り({len(pids)}個)を片付けています",
        f"ending what an earlier start left behind ({', '.join(sorted(set(pids.values())))})",
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for pid in leftovers(stack):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + 6
        while leftovers(stack) and time.monotonic() < deadline:
            time.sleep(0.1)
        if not leftovers(stack):
            break
    return len(pids)
