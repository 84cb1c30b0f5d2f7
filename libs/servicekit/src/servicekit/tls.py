"""Certificates of this process: read from files, read again when the files change."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from servicekit.settings import ServiceSettings

_LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Material:
    """PEM bytes of one moment."""

    cert: bytes
    key: bytes
    ca: bytes


class TlsFiles:
    """The three files and what they held last. `generation` grows with every change."""

    def __init__(self, cert: Path, key: Path, ca: Path) -> None:
        self._paths = (cert, key, ca)
        self._looked_at = 0.0
        self._seen: tuple[tuple[int, int], ...] = ()
        self.generation = 0
        self.material = Material(b"", b"", b"")
        self.refresh(force=True)

    @staticmethod
    def of(settings: ServiceSettings) -> TlsFiles:
        """Raises ValueError when the settings name no certificate: no service talks without one."""
        if settings.tls_cert is None or settings.tls_key is None or settings.tls_ca is None:
            raise ValueError("KOMU_TLS_CERT, KOMU_TLS_KEY and KOMU_TLS_CA are needed")
        return TlsFiles(settings.tls_cert, settings.tls_key, settings.tls_ca)

    def refresh(self, *, force: bool = False) -> bool:
        """Looks at most once a second. True when there is new material."""
        now = time.monotonic()
        if not force and now - self._looked_at < _LOOK_EVERY_S:
            return False
        self._looked_at = now
        try:
            seen = tuple((stat.st_mtime_ns, stat.st_ino) for stat in (path.stat() for path in self._paths))
            if seen == self._seen:
                return False
            cert, key, ca = (path.read_bytes() for path in self._paths)
        except OSError:
            if self.generation == 0:
                raise
            return False  # being replaced right now: the next look will see it whole
        self._seen = seen
        self.material = Material(cert, key, ca)
        self.generation += 1
        return True

    def client_context(self) -> ssl.SSLContext:
        """For NATS and HTTPS clients that show this certificate."""
        context = ssl.create_default_context(cafile=str(self._paths[2]))
        context.load_cert_chain(self._paths[0], self._paths[1])
        return context

    def public_context(self) -> ssl.SSLContext:
        """For the issuer and other HTTPS servers: public authorities and this deployment's own."""
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=str(self._paths[2]))
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Puts the newest certificate into a context that is already in use; new connections show it."""
        context.load_cert_chain(self._paths[0], self._paths[1])
        context.load_verify_locations(cafile=str(self._paths[2]))


def issuer_context(settings: ServiceSettings) -> ssl.SSLContext | bool:
    """How to trust the issuer of tokens: the deployment's own authority beside the public ones."""
    return TlsFiles.of(settings).public_context() if settings.tls_ca is not None else True
