"""Tables and queries of the LTI platform."""
