"""What a tool or a browser is told when a message is not taken: an OAuth error code and a sentence."""

from __future__ import annotations


class LtiRefusal(Exception):
    """`error` is the code of RFC 6749 (5.2) or OpenID Connect Core (3.1.2.6); `status` the HTTP status."""

    def __init__(self, error: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.status = status


def invalid_request(message: str) -> LtiRefusal:
    """The message itself is wrong or was used before."""
    return LtiRefusal("invalid_request", message)


def invalid_client(message: str) -> LtiRefusal:
    """Nobody we know, or not proven to be (RFC 6749 5.2: 401)."""
    return LtiRefusal("invalid_client", message, 401)


def invalid_token(message: str) -> LtiRefusal:
    """A service was called without a token that opens it (RFC 6750 3.1)."""
    return LtiRefusal("invalid_token", message, 401)


def not_here(message: str) -> LtiRefusal:
    """Not there, or not this tool's: its existence is not told."""
    return LtiRefusal("not_found", message, 404)
