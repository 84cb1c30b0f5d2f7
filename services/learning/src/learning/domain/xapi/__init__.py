"""The Experience API: what a statement may be (1.0.3 and 2.0, IEEE 9274.1.1-2023). Pure, over plain JSON values."""

from learning.domain.xapi.wrong import Wrong

__all__ = ["Wrong"]
