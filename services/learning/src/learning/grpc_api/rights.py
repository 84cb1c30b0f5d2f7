"""Right → coarse roles. The finer decision is in policy."""

RIGHTS = {
    "learning.clients": frozenset({"board_admin"}),
}
