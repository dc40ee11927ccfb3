"""Cookies are read in one way, however they are written and spread over headers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_cookie

from web.request import cookies, session
from web.request.cookies import parse_cookies, read_cookies
from web.request.session import SESSION_COOKIE


@pytest.mark.parametrize(
    "values",
    [
        ["a[b]=1; {}=T"],
        ['x={{"a":1}}; {}=T'],
        ['x="a; {}=T'],
        ["a b=1; {}=T"],
        ["{0}=T; {0}=U"],
        ["path=/; expires=1; {}=T"],
        ["x=ä; {}=T"],
        ["x=1", "{}=T"],
        ["{}=T", "{}=U"],
        ['{}="T"'],
        [";;=;{}=T;"],
        ["{}=T;" + "x=1;" * 5000],
        ["x{0}=U; {0}=T"],
        ["x={0}=U; {0}=T"],
        ["{0}x=U; \t{0} = T"],
    ],
    ids=lambda values: values[0][:20],
)
def test_a_cookie_beside_odd_ones_is_found(values: list[str]) -> None:
    values = [value.format(SESSION_COOKIE) for value in values]
    assert parse_cookies(values)[SESSION_COOKIE] == "T"
    scope = {"headers": [(b"cookie", value.encode("latin-1")) for value in values]}
    assert read_cookies(scope)[SESSION_COOKIE] == "T"


def test_every_cookie_of_ours_is_one_that_is_read() -> None:
    names = [value for name, value in vars(session).items() if name.endswith("_COOKIE")]

    found = parse_cookies(["other=1; " + "; ".join(f"{name}=v" for name in names)])

    assert len(names) > 4
    assert dict(found) == dict.fromkeys(names, "v")


@pytest.mark.parametrize(
    "sent",
    [
        ";".join(f"{n:x}=" for n in range(3000)),
        "a=;" * 5000,
        "tintype_session=;" * 900,
        "xtintype_session=;" * 900,
        'a="' + "\\101" * 3900 + '"',
        ";" * 16_000,
    ],
    ids=lambda sent: sent[:12],
)
def test_of_a_large_header_only_what_is_named_as_ours_is_parsed(
    sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def parse(text: str) -> Any:
        parsed.append(text)
        return parse_cookie(text)

    monkeypatch.setattr(cookies, "parse_cookie", parse)

    read_cookies({"headers": [(b"cookie", sent.encode())]})

    assert sum(map(len, parsed)) <= cookies.MAX_READ * len("tintype_session=;")


def test_a_request_without_cookies_has_none() -> None:
    assert read_cookies({"headers": [(b"host", b"tintype.test")]}) == {}


@given(st.lists(st.binary(max_size=60) | st.just(b"; tintype_visit=x"), max_size=6))
def test_any_bytes_are_read_without_an_error(values: list[bytes]) -> None:
    texts = [value.decode("latin-1") for value in values]

    found = parse_cookies(texts)

    assert all(isinstance(value, str) for value in found.values())
    if all(32 < ord(character) < 128 and character != '"' for text in texts for character in text):
        ours = {name: value for name, value in parse_cookie(";".join(texts)).items() if "tintype" in name}
        assert dict(found) == ours
