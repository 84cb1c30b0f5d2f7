"""Fixtures of the local stack's own tests: a running stack, and its parts alone."""

from tests.support.stack import stack, stack_parts

__all__ = ["stack", "stack_parts"]
