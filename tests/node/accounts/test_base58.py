"""base58btc: known vectors, round trips, and texts that are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.accounts import base58


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\x00", "1"),
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (b"\x00\x00(\x7f\xb4\xcd", "11233QC4"),
    ],
)
def test_known_vectors(data: bytes, text: str) -> None:
    assert base58.encode(data) == text
    assert base58.decode(text) == data


@given(st.binary(max_size=200))
def test_decoding_reverses_encoding(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "a b", "é", "1" * 2001])
def test_texts_that_are_no_base58_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not base58"):
        base58.decode(text)
