"""Tables and queries of the register. Every query runs under row security of one board."""
