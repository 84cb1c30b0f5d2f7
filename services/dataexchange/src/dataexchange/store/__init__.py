"""Tables and queries. Returns domain values, takes sets, never decides."""
