"""Marks on servicer methods: whom an RPC is for. A method without a mark keeps the server from starting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

MARK = "__komu_rpc__"


@dataclass(frozen=True, slots=True)
class RpcSpec:
    """`right`: what a person needs (None: not for persons). `workloads`: open to services named in calls.yaml."""

    right: str | None = None
    information_class: int = 3
    workloads: bool = False


def _mark(function: Callable[..., Any], **changes: Any) -> Any:
    setattr(function, MARK, replace(getattr(function, MARK, RpcSpec()), **changes))
    return function


def rpc(*, right: str, information_class: int = 3) -> Callable[[Callable[..., Any]], Any]:
    """An RPC for persons: a token of this service's audience, a role that has `right`, and for class I and II the
    second factor given within `servicekit.auth.MAX_AGE_S`."""
    if information_class not in (1, 2, 3, 4):
        raise ValueError("information_class is 1 to 4")
    return lambda function: _mark(function, right=right, information_class=information_class)


def workload_rpc() -> Callable[[Callable[..., Any]], Any]:
    """An RPC for services named (not by `*`) in calls.yaml; tenant in metadata `komu-tenant`. No person, no token.

    Together with `rpc` on one method: a call with a token is the person's, one without is the service's own.
    """
    return lambda function: _mark(function, workloads=True)


def spec_of(function: Any) -> RpcSpec | None:
    """The mark on a servicer method; None if there is none."""
    return getattr(function, MARK, None)
