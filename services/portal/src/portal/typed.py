"""Numbers out of forms and addresses, bounded before they reach a contract that could not hold them."""

from typing import Annotated

from fastapi import Form, Path

_LARGEST_VERSION = 2**31 - 1

Version = Annotated[int, Form(ge=0, le=_LARGEST_VERSION)]
"""The version a form was filled on."""
SchoolYear = Annotated[int, Path(ge=1900, le=2199)]
"""学年度, by the year it begins in."""


def version_of(text: object) -> int:
    """A version as a form carries it; 0, which is nobody's, where it carries none."""
    written = str(text)
    return min(int(written), _LARGEST_VERSION) if written.isdecimal() and len(written) < 20 else 0
