"""OneRoster 1.2 REST as partners see it: plain ASGI, because an answer is bytes that stand ready."""

from dataexchange.rest_api.app import RestApp
from dataexchange.rest_api.token import PATH as TOKEN_PATH

__all__ = ["TOKEN_PATH", "RestApp"]
