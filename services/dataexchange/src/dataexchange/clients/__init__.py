"""Asking the other services (gRPC) and other municipalities (HTTP)."""
