"""The tables of 学習指導要領コード (文部科学省, 82V11・83V11・84V10, CC BY 4.0), as the package carries them.

Reference data of the nation, the same for every board and changed by a release: it needs no table of its own.
Made by `services/learning/tests/make_curriculum_codes.py`.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from learning.domain.curriculum_codes import Passage, Table


@cache
def table() -> Table:
    """Read once in a process."""
    packed = files("learning").joinpath("data", "curriculum_codes.tsv.gz").read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    return Table(Passage(*line.split("\t")) for line in lines)
