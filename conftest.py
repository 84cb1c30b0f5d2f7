"""Fixtures that tests anywhere in the tree may use."""

pytest_plugins = ["servicekit.testing"]
