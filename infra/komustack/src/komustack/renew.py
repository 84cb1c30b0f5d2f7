"""Keeps certificates young while the stack runs, and tells those who hold them in memory."""

import sys
import time

import psycopg

from komustack import ca, nats, postgres
from komustack.stack import Stack

_EVERY_S = 10


def renew_for_ever(stack: Stack) -> None:
    """Looks often: a machine that slept past the end of its certificates is well seconds after waking."""
    while True:
        renewed = ca.ensure_certificates(stack)
        if renewed:
            print(f"renewed {' '.join(renewed)}", flush=True)
            _tell(stack)
        time.sleep(_EVERY_S)


def _tell(stack: Stack) -> None:
    """Services watch their files; PostgreSQL keeps a copy and is told; NATS is told."""
    try:
        if not postgres.is_external():
            postgres.refresh_certificates(stack)
            postgres.reload(stack)
        if not nats.is_external():
            nats.reload(stack)
    except (OSError, psycopg.Error) as error:
        print(f"telling failed, they read them at their next start: {error}", file=sys.stderr, flush=True)
