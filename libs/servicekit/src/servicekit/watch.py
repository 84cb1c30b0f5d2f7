"""The socket of one connection, watched from its first exchange on.

An exchange runs in the socket's callbacks; the task that waits for it is woken once, with the answer. To have the loop
watch anew for each exchange costs a fifth of a read (uvloop makes a handle each time).
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from psycopg import waiting


class Watch:
    """What the loop calls when the server speaks. Must be `away` before the socket is closed or watched by others."""

    __slots__ = ("_answer", "_gen", "_loop", "_socket", "_writing")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = -1
        self._gen: Generator[Any, Any, Any] | None = None
        self._answer: asyncio.Future[Any]
        self._writing = False

    def run(self, gen: Generator[Any, Any, Any], socket: int, wanted: int) -> asyncio.Future[Any]:
        """The value `gen` ends with, or its error. `gen` was begun and waits for `wanted` of `psycopg.waiting`."""
        if self._loop is None:
            self._loop, self._socket = asyncio.get_running_loop(), socket
            self._loop.add_reader(socket, self._step, waiting.READY_R)
        self._gen, self._answer = gen, self._loop.create_future()
        if wanted & waiting.WAIT_W:
            self._write(True)
        return self._answer

    def _step(self, ready: int) -> None:
        if self._gen is None:  # nobody asked: the server says goodbye, which `Connection.is_silent` finds
            self.away()
            return
        answer = self._answer
        try:
            wanted = self._gen.send(ready)
        except StopIteration as ended:
            self._gen = None
            self._write(False)
            if not answer.done():
                answer.set_result(ended.value)
        except Exception as error:
            self.away()  # the socket may be closed
            if not answer.done():
                answer.set_exception(error)
        else:
            self._write(bool(wanted & waiting.WAIT_W))

    def _write(self, wanted: bool) -> None:
        if wanted is self._writing or self._loop is None:
            return
        self._writing = wanted
        if wanted:
            self._loop.add_writer(self._socket, self._step, waiting.READY_W)
        else:
            self._loop.remove_writer(self._socket)

    def away(self) -> None:
        """Watches no longer; what was running stays where it is."""
        self._gen = None
        self._write(False)
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop = None
