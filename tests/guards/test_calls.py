"""infra/calls.yaml is the one list of who may call whom: the code calls exactly what stands there."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CALLS: dict[str, dict[str, list[str]]] = yaml.safe_load((ROOT / "infra" / "calls.yaml").read_text("utf-8"))["calls"]
CONTRACTS = {
    folder.name: sorted(path.stem for path in folder.glob("v1/*.proto") if path.stem != "events")
    for folder in (ROOT / "proto" / "komu").iterdir()
    if folder.name != "common"
}


@cache
def methods(service: str) -> frozenset[str]:
    """Every RPC of a service."""
    return frozenset(
        method.name
        for contract in CONTRACTS[service]
        for described in import_module(f"komu.{service}.v1.{contract}_pb2").DESCRIPTOR.services_by_name.values()
        for method in described.methods
    )


def called(caller: str, source: str) -> dict[str, set[str]]:
    """Attribute calls in `source` that name an RPC of another service."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)):
            continue
        for callee in CONTRACTS:
            if callee != caller and node.attr in methods(callee) - methods_shared(caller, callee):
                found.setdefault(callee, set()).add(node.attr)
    return found


@cache
def methods_shared(caller: str, callee: str) -> frozenset[str]:
    """Names that also exist on the caller itself or on a third service cannot be told apart by name (GetJob …)."""
    others = [methods(service) for service in CONTRACTS if service != callee]
    return frozenset().union(*others)


@pytest.mark.parametrize("caller", sorted(CONTRACTS))
def test_services_call_only_what_is_listed_and_nothing_is_listed_in_vain(caller: str):
    used: dict[str, set[str]] = {}
    for path in (ROOT / "services" / caller / "src").rglob("*.py"):
        for callee, names in called(caller, path.read_text("utf-8")).items():
            used.setdefault(callee, set()).update(names)
    for callee in CONTRACTS:
        listed = set(CALLS.get(callee, {}).get(caller, [])) - methods_shared(caller, callee)
        assert used.get(callee, set()) == listed, f"{caller} → {callee}"


def test_every_listed_name_is_an_rpc():
    for callee, callers in CALLS.items():
        for caller, names in callers.items():
            assert names == ["*"] or set(names) <= methods(callee), f"{caller} → {callee}"


def test_the_guard_sees_an_unlisted_call():
    assert called("attendance", "stub.AssignHomeroomTeacher(request)") == {"roster": {"AssignHomeroomTeacher"}}
