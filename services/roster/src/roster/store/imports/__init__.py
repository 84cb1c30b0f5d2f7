"""Imports: staged rows, what they would change, and the set-based statements that change it."""
