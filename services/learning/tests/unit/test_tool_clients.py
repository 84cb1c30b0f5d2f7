"""Keys and secrets of tool clients."""

from uuid import UUID, uuid4

import pytest
from learning.domain.tool_clients import hash_of, is_secret, key_of, read_key

CLIENT = UUID("01975c1e-0000-7000-8000-000000000063")


def test_a_key_names_board_and_client():
    assert read_key(key_of("aozora", CLIENT)) == ("aozora", CLIENT)


@pytest.mark.parametrize(
    "key", ["", "aozora", f"aozora.{CLIENT}", f"Aozora.{CLIENT.hex}", f"a.b.{CLIENT.hex}", f"aozora.{CLIENT.hex}\n"]
)
def test_anything_else_is_no_key(key: str):
    assert read_key(key) is None


def test_only_the_secret_opens():
    stored = hash_of("correct")
    assert is_secret("correct", stored)
    assert not is_secret(str(uuid4()), stored)
