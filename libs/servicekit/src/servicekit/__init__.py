"""Plumbing that every service of Komu needs: transactions, outbox, gRPC, identity, audit, jobs, telemetry.

It knows no school word and no service. Import the modules, not this package: `from servicekit.db import Transaction`.
"""
