"""Fixture of the local stack's own tests: its parts alone."""

from tests.support.stack import stack_parts

__all__ = ["stack_parts"]
