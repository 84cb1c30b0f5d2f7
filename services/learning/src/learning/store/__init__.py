"""Tables and queries of learning. Returns domain values, takes sets, never decides."""
