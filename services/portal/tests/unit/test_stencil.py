"""Stencils: the same markup as the macro itself, rendered once for all rows that share the rest."""

from jinja2 import Environment
from portal.stencil import stencil

MACRO = """{% macro choice(row_id, chosen, label) %}
<label title="{{ label }}"><input name="mark-{{ row_id }}"{% if chosen %} checked{% endif %}>{{ row_id }}</label>
{% endmacro %}"""


def choice(rendered=None):
    environment = Environment(autoescape=True)
    environment.globals["told"] = (rendered if rendered is not None else []).append
    return environment.from_string(MACRO.replace("<label", "{{ told(label) or '' }}<label")).module.choice


def test_a_stencil_gives_what_its_macro_gives():
    macro = choice()
    filled_in = stencil(macro)
    for row_id, chosen, label in (("a", True, "病欠"), ("b", True, "病欠"), ("c", False, "遅"), ("<&>", True, "病欠")):
        assert filled_in(row_id, chosen, label) == macro(row_id, chosen, label)


def test_neither_the_id_nor_the_rest_escapes_escaping():
    assert "<script>" not in stencil(choice())("<script>", False, "<script>")


def test_rows_with_the_same_rest_are_rendered_once():
    rendered: list[str] = []
    filled_in = stencil(choice(rendered))
    for row_id in "abc":
        filled_in(row_id, False, "出席")
        filled_in(row_id, True, "病欠")
    assert rendered == ["出席", "病欠"]
