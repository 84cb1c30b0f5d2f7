"""Signed documents have one spelling: RFC 8785."""

import pytest
import rfc8785
from dataexchange.domain import jose
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(PLAIN)
def test_our_documents_are_spelt_as_the_rfc_says(value):
    assert jose.canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [{"a": 1.5}, [2**53], {"名": 1}, {"a": [{"b": 0.1}]}, float("nan")])
def test_what_it_does_not_cover_is_refused(value):
    with pytest.raises(ValueError, match=r"only|ASCII"):
        jose.canonical(value)
