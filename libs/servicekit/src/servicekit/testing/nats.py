"""A real NATS server with JetStream for tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path

from servicekit.testing.postgres import free_port


class NatsServer:
    """`nats-server` of the wheel on a free port, its store in a temporary folder; no TLS, this machine only."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="komu-nats-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it takes connections. Raises RuntimeError when it does not within 10 s."""
        program = Path(sysconfig.get_path("scripts")) / "nats-server"
        self._process = subprocess.Popen(
            [
                "setpriv", "--pdeathsig", "KILL", str(program),
                "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self._home),
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("nats-server does not start")

    def stop(self) -> None:
        """Stops it; the store stays until `remove`."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)
