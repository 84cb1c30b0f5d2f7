"""The xAPI record store over HTTP: 1.0.3 and 2.0 (IEEE 9274.1.1-2023), by the version a request asks for."""

from learning.http_api.xapi.store import RecordStore

__all__ = ["RecordStore"]
