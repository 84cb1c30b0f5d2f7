"""How every server process runs: on uvloop, and with what it is made of kept out of the collector's rounds."""

from __future__ import annotations

import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs `main` to its end on a loop of its own, as `asyncio.run` does."""
    return uvloop.run(main)


def settled() -> None:
    """Says that start-up is over: modules, tables and templates stay, so the collector need not look at them again."""
    gc.collect()
    gc.freeze()
