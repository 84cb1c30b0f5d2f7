"""What a page repeats for every row with only the row's id changed: rendered once, then filled in.

    {% macro choices(row_id, marked) %}…name="mark-{{ row_id }}"…{% endmacro %}
    {% set choices = stencil(choices) %}
    … {{ choices(pupil.id, row.symbol) }} …     {# renders once for every different `marked` #}
"""

from collections.abc import Callable, Hashable

from markupsafe import Markup, escape

_SLOT = "\0"
"""Stands for the id while the stencil is cut; PostgreSQL keeps no such character, so no text of ours contains it."""


def stencil(macro: Callable[..., Markup]) -> Callable[..., Markup]:
    """`macro` with the same arguments, the first being the id; the others are what rows may have in common."""
    cut: dict[tuple[Hashable, ...], list[str]] = {}

    def filled_in(row_id: str, *others: Hashable) -> Markup:
        parts = cut.get(others)
        if parts is None:
            parts = cut[others] = str(macro(_SLOT, *others)).split(_SLOT)
        return Markup(str(escape(row_id)).join(parts))  # noqa: S704 - both sides were escaped when rendered

    return filled_in
