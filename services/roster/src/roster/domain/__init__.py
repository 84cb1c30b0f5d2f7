"""Rules and values of the register. Pure."""
