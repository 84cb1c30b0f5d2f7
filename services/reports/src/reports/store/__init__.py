"""Tables and queries of reports."""
