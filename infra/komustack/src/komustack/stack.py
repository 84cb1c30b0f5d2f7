"""A stack: its name, its folder and its ports, kept on disk so that the second start finds the same addresses."""

import contextlib
import fcntl
import json
import os
import random
import re
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from komustack.say import Problem

ROOT = Path(__file__).resolve().parents[4]
"""The checkout."""

SERVICES = ("roster", "attendance", "grades", "reports", "dataexchange", "learning", "portal")
RESERVED = {"parts", "directory"}
GIVEN_PARTS = ("KOMU_POSTGRES_URL", "KOMU_NATS_URL", "KOMU_IDENTITY_URL")
_PORTS_PER_STACK = 60
_KNOWN_BASES = {"main": 8000, "second": 8200}
_OFFSETS = {
    "portal": 0,
    "keycloak": 1,
    "keycloak_management": 2,
    "postgres": 3,
    "nats": 4,
    "exchange": 5,
    "learning": 6,
    **{f"{name}_grpc": 10 + index for index, name in enumerate(SERVICES)},
    **{f"{name}_health": 30 + index for index, name in enumerate(SERVICES)},
}


@dataclass(frozen=True)
class Stack:
    """One deployment on this machine. Everything it writes is below `home`; downloads are shared in `parts`."""

    name: str
    komu: Path
    base_port: int

    @property
    def home(self) -> Path:
        return self.komu / self.name

    @property
    def parts(self) -> Path:
        return Path(os.environ.get("KOMU_PARTS") or self.komu / "parts")

    @property
    def directory(self) -> Path:
        """Shared between the stacks of one `.komu`: the trust directory and the CAs for calls between deployments."""
        return self.komu / "directory"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def certs(self) -> Path:
        return self.home / "certs"

    @property
    def ca_file(self) -> Path:
        return self.certs / "ca.pem"

    @property
    def exchange_ca_file(self) -> Path:
        """Whom to believe when calling another stack of this machine."""
        return self.directory / "exchange-ca.pem"

    def cert(self, identity: str) -> Path:
        return self.certs / f"{identity}.crt"

    def key(self, identity: str) -> Path:
        return self.certs / f"{identity}.key"

    def port(self, what: str) -> int:
        return self.base_port + _OFFSETS[what]

    @property
    def ports(self) -> dict[str, int]:
        return {what: self.port(what) for what in _OFFSETS}

    @property
    def realm(self) -> str:
        """Cookies know no ports: two stacks on `localhost` need two realm names (they stand in the cookie path)."""
        return "komu" if self.name == "main" else f"komu-{self.name}"

    @property
    def learning_url(self) -> str:
        return f"http://localhost:{self.port('learning')}"

    @property
    def lti_tool_url(self) -> str:
        """Where the demo's learning tool would be: nothing of ours runs there (`python -m tests.support.lti_tool`)."""
        return f"http://localhost:{self.base_port + 7}"

    @property
    def learning_demo(self) -> Path:
        """Keys and secrets of the demo's learning tools: `clients.json`, `lti.json`."""
        return self.home / "learning-demo"

    @property
    def portal_url(self) -> str:
        return f"http://localhost:{self.port('portal')}"

    @property
    def identity_url(self) -> str:
        return os.environ.get("KOMU_IDENTITY_URL") or f"http://localhost:{self.port('keycloak')}"

    @property
    def issuer(self) -> str:
        return f"{self.identity_url}/realms/{self.realm}"

    @property
    def exchange_url(self) -> str:
        return f"https://localhost:{self.port('exchange')}"

    @property
    def nats_url(self) -> str:
        return os.environ.get("KOMU_NATS_URL") or f"tls://127.0.0.1:{self.port('nats')}"

    @property
    def calls_file(self) -> Path:
        return Path(os.environ.get("KOMU_CALLS_FILE") or ROOT / "infra" / "calls.yaml")

    def prepare_folders(self) -> None:
        for folder in (self.home, self.logs, self.run, self.certs, self.parts, self.directory):
            folder.mkdir(parents=True, exist_ok=True)

    # -- secrets: made once per machine and stack, never in the repository --

    def secret(self, name: str, *, size: int = 24) -> str:
        """The secret of that name, made at the first asking (`size` random bytes, URL-safe text)."""
        path = self.home / "secrets" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, secrets.token_urlsafe(size))
        return path.read_text()


def write_private(path: Path, text: str | bytes) -> None:
    """Writes a file that only its owner reads, whole or not at all."""
    raw = text.encode() if isinstance(text, str) else text
    draft = path.with_name(path.name + f".{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
    os.replace(draft, path)


def komu_home() -> Path:
    return Path(os.environ.get("KOMU_HOME") or ROOT / ".komu").resolve()


def open_stack(name: str, base_port: int | None = None) -> Stack:
    """The stack of that name; new ones get a port range. `base_port` moves a stack to other ports.

    Raises: Problem, when the name cannot be used or no range is free."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", name) or name in RESERVED:
        raise Problem(
            f"スタック名「{name}」は使えません。英小文字で始まる30字以内の英小文字・数字・ハイフンにしてください。",
            f"STACK={name} cannot be used: lower-case letters, digits, hyphens, at most 30, and not "
            f"{sorted(RESERVED)}.",
        )
    komu = komu_home()
    remembered = komu / name / "ports.json"
    if base_port is None and remembered.exists():
        return Stack(name, komu, int(json.loads(remembered.read_text())["base"]))
    if base_port is None:
        base_port = _KNOWN_BASES.get(name) or _free_range(komu)
    if not 1024 <= base_port <= 65535 - _PORTS_PER_STACK:
        raise Problem(
            f"ポート番号 {base_port} は使えません。1024 から {65535 - _PORTS_PER_STACK} の間で指定してください。",
            f"PORT={base_port} cannot be used: choose one between 1024 and {65535 - _PORTS_PER_STACK}.",
        )
    return Stack(name, komu, base_port)


def remember_ports(stack: Stack) -> None:
    (stack.home / "ports.json").write_text(json.dumps({"base": stack.base_port, "ports": stack.ports}, indent=1))


def forget_ports(stack: Stack) -> None:
    (stack.home / "ports.json").unlink(missing_ok=True)


def remember_given_parts(stack: Stack) -> None:
    """Addresses of parts in the environment of `make up` hold for every later command, as the ports do."""
    given = {name: os.environ[name] for name in GIVEN_PARTS if name in os.environ}
    if given:
        write_private(stack.home / "secrets" / "given-parts.json", json.dumps(given))


def recall_given_parts(stack: Stack) -> None:
    """Puts them into the environment of this process; what is there already is the newer word."""
    remembered = stack.home / "secrets" / "given-parts.json"
    if remembered.exists():
        for name, address in json.loads(remembered.read_text()).items():
            os.environ.setdefault(name, address)


def _free_range(komu: Path) -> int:
    taken = {int(json.loads(file.read_text())["base"]) for file in komu.glob("*/ports.json")}
    taken |= set(_KNOWN_BASES.values())
    candidates = [base for base in range(10_000, 32_000, 100) if base not in taken]
    random.shuffle(candidates)
    for base in candidates:
        if all(is_free(base + offset) for offset in _OFFSETS.values()):
            return base
    raise Problem(
        "空いているポートの範囲が見つかりません。使っていないプログラムを止めてください。",
        "No free range of ports was found: stop programs that are not needed.",
    )


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def only_one(stack: Stack, command: str) -> Iterator[None]:
    """Holds the stack for one command. The kernel lets go when the command dies, so a crash leaves no stale lock.

    Raises: Problem, when another command holds it."""
    stack.home.mkdir(parents=True, exist_ok=True)
    with (stack.home / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "?"
            raise Problem(
                f"スタック「{stack.name}」は別のコマンド({holder})が操作中です。終わるのを待ってからもう一度実行してください。",
                f"Stack {stack.name} is being worked on by another command ({holder}): wait for it, then try again.",
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"make {command}, pid {os.getpid()}")
        file.flush()
        yield
