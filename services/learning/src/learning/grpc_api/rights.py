"""Right → coarse roles. The finer decision is in policy."""

RIGHTS = {
    "learning.clients": frozenset({"board_admin"}),
    "learning.lti_tools": frozenset({"board_admin"}),
    "learning.lti_open": frozenset({"teacher", "vice_principal", "principal", "student"}),
}
