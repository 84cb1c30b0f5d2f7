"""Tables and queries of attendance. Returns domain values, takes sets, never decides."""
