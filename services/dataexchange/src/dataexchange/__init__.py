"""dataexchange: OneRoster in and out, transfer packages, the trust directory, receipts."""
