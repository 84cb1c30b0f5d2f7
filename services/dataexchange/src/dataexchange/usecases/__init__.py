"""First this, then that: one function, one transaction."""
