"""Right → coarse roles. The finer decision is in policy."""

RIGHTS = {
    "audit.read": frozenset({"principal", "board_admin"}),
    "learning.clients": frozenset({"board_admin"}),
    "learning.lti_tools": frozenset({"board_admin"}),
    "learning.lti_scores": frozenset({"teacher", "vice_principal", "principal"}),
    "learning.lti_open": frozenset({"teacher", "vice_principal", "principal", "student"}),
    "learning.codes": frozenset({"board_admin", "principal", "vice_principal", "teacher", "office"}),
    "learning.study": frozenset({"principal", "vice_principal", "teacher"}),
    "learning.mexcbt": frozenset({"board_admin", "principal", "vice_principal", "office"}),
    "learning.mexcbt.apply": frozenset({"board_admin"}),
    "learning.mexcbt.confirm": frozenset({"principal", "vice_principal", "office"}),
}
