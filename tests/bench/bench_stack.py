"""The whole stack: how long a warm start takes, how much memory it holds when nothing happens.

`python -m tests.bench.bench_stack` prints each number beside its goal."""

import os
import sys
import time
from pathlib import Path

from komustack.watching import memory_mib

from tests.support.stack import folder_for_stacks, komu, started

WARM_START_S = 20.0
MEMORY_MIB = 2_560


def main() -> int:
    with folder_for_stacks() as home:
        with started("bench", home=home):
            komu(home, "down", "--stack", "bench")
        began = time.monotonic()
        with started("bench", home=home):
            took = time.monotonic() - began
            memory = _memory(home)
    print(f"warm make up            {took:6.1f} s    goal {WARM_START_S:.0f} s      ratio {took / WARM_START_S:.2f}")
    print(f"memory of the idle stack {memory:5d} MiB  goal {MEMORY_MIB} MiB  ratio {memory / MEMORY_MIB:.2f}")
    return 0 if took <= WARM_START_S and memory <= MEMORY_MIB else 1


def _memory(home: Path) -> int:
    os.environ["KOMU_HOME"] = str(home)
    return memory_mib("bench")


if __name__ == "__main__":
    sys.exit(main())
