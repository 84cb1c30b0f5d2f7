"""What a client sent is not as the standard wants it."""

from __future__ import annotations


class Wrong(Exception):
    """`status`: of HTTP; `message`: says where (JSON path or parameter) and why, for the tool's developers."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
