"""Fixtures of the journeys: a running stack and a browser."""

from tests.support.browser import browse, chromium, playwright_driver
from tests.support.stack import collector, stack, stack_parts

__all__ = ["browse", "chromium", "collector", "playwright_driver", "stack", "stack_parts"]
