"""OneRoster 1.2 REST: what may be asked, in which words it is answered. Pure: no transport, no database."""
