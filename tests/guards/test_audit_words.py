"""What a service writes into its log has words on 操作の記録."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from portal.audit_words import action_words

ROOT = Path(__file__).resolve().parents[2]


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)


def _actions() -> set[str]:
    """Every action that stands in the code as a text; those put together at run time have tests of their own."""
    return {
        action
        for path in ROOT.glob("services/*/src/**/*.py")
        if ".audit(" in (source := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "audit"
        for action in _texts(node.args[0])
    }


@pytest.mark.parametrize("action", sorted(_actions()))
def test_an_action_has_words(action: str):
    assert action_words(action) != action
