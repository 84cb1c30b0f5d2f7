"""A package taken from a queue: whole tables, and nobody waits for a writer that gave up."""

import io
import zipfile
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from dataexchange.domain.oneroster.profile import V6
from dataexchange.domain.oneroster.writer import PackageWriter, Part


class Disk(io.BytesIO):
    """One that may be full."""

    full = False

    def write(self, data: Any, /) -> int:
        if self.full:
            raise OSError("no space left")
        return super().write(data)


def filled(parts: list[Part]) -> Queue[Part | None]:
    """Given one part at a time, as by somebody who must wait for room."""
    waiting: Queue[Part | None] = Queue(1)
    Thread(target=lambda: [waiting.put(part) for part in [*parts, None]], daemon=True).start()
    return waiting


def test_parts_of_a_table_become_one_file():
    target = io.BytesIO()
    with PackageWriter(target, V6) as writer:
        writer.take(filled([Part("orgs", b"1\r\n2\r\n", 2), Part("orgs", b"3\r\n", 1), Part("classes", b"4\r\n", 1)]))
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ["orgs.csv", "classes.csv", "manifest.csv"]
        assert archive.read("orgs.csv").endswith(b'"\r\n1\r\n2\r\n3\r\n')
    assert writer.rows_by_file == {"orgs": 3, "classes": 1}


def test_where_writing_fails_the_queue_is_emptied_and_the_reason_told():
    waiting = filled([Part("orgs", bytes(range(256)) * 4096, 1)] * 3)
    target = Disk()
    writer = PackageWriter(target, V6)
    target.full = True
    with pytest.raises(OSError, match="no space left"):
        writer.take(waiting)
    assert waiting.empty()
    target.full = False
    writer.finish()
