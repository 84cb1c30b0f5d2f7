"""What the person at the terminal reads: short lines, Japanese first, English after it."""

import sys
import time


class Problem(Exception):
    """Something the person can put right: what is wrong and what to do, one sentence, in both languages."""

    def __init__(self, japanese: str, english: str) -> None:
        super().__init__(f"{japanese}\n  {english}")
        self.japanese = japanese
        self.english = english


_began = time.monotonic()


def say(japanese: str, english: str) -> None:
    """Prints one line of progress with the seconds since the command began. Goes to stderr: stdout is for results."""
    print(f"[{time.monotonic() - _began:5.1f} s] {japanese} / {english}", file=sys.stderr, flush=True)


def result(text: str = "") -> None:
    """Prints what the command was asked for."""
    print(text, flush=True)
