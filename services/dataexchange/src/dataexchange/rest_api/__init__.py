"""OneRoster 1.2 REST as partners see it: plain ASGI, because an answer is bytes that stand ready."""

from dataexchange.rest_api.app import RestApp

__all__ = ["RestApp"]
