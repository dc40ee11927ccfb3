"""Cookies are read in one way, however they are written and spread over headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_cookie

from web.request.cookies import parse_cookies, read_cookies


@pytest.mark.parametrize(
    "values",
    [
        ["a[b]=1; s=T"],
        ['x={"a":1}; s=T'],
        ['x="a; s=T'],
        ["a b=1; s=T"],
        ["s=T; s=U"],
        ["path=/; expires=1; s=T"],
        ["x=ä; s=T"],
        ["x=1", "s=T"],
        ["s=T", "s=U"],
        ['s="T"'],
        [";;=;s=T;"],
        ["s=T;" + "x=1;" * 5000],
    ],
    ids=lambda values: values[0][:20],
)
def test_a_cookie_beside_odd_ones_is_found(values: list[str]) -> None:
    assert parse_cookies(values)["s"] == "T"
    assert read_cookies({"headers": [(b"cookie", value.encode("latin-1")) for value in values]})["s"] == "T"


def test_a_request_without_cookies_has_none() -> None:
    assert read_cookies({"headers": [(b"host", b"tintype.test")]}) == {}


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_bytes_are_read_without_an_error(values: list[bytes]) -> None:
    texts = [value.decode("latin-1") for value in values]

    found = parse_cookies(texts)

    assert all(isinstance(value, str) for value in found.values())
    if all(ord(character) < 128 for text in texts for character in text):
        assert dict(found) == dict(parse_cookie(";".join(texts)))
