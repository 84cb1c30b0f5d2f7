"""Feature pages. Every module or package in here that has a `router` is mounted; nothing else needs to be registered.

A page module may export
    router   fastapi.APIRouter
    NAV      list[NavItem]
    UPLOADS  dict[str, int]: path prefix → largest request body in bytes, where 1 MiB is too small
"""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

from fastapi import APIRouter

from portal.nav import NavItem


@dataclass(frozen=True, slots=True)
class Pages:
    routers: list[APIRouter] = field(default_factory=list)
    nav: list[NavItem] = field(default_factory=list)
    uploads: dict[str, int] = field(default_factory=dict)


def discover() -> Pages:
    """Import every feature and collect what it offers.

    An import error stops the start: a missing page would look like a missing right.
    """
    found = Pages()
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = import_module(f"{__name__}.{info.name}")
        router = getattr(module, "router", None)
        if isinstance(router, APIRouter):
            found.routers.append(router)
        found.nav.extend(getattr(module, "NAV", ()))
        uploads: Mapping[str, int] = getattr(module, "UPLOADS", {})
        found.uploads.update(uploads)
    found.nav.sort(key=lambda item: (item.order, item.label))
    return found
