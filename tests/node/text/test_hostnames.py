"""Host names: one spelling for every server, and no spelling that is a way around a rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.text import hostnames

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABEL, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("far.example", "far.example"),
        (" FAR.Example. ", "far.example"),
        ("far.example:8443", "far.example"),
        ("*.far.example", "far.example"),
        (".far.example", "far.example"),
        ("Löud.Example", "xn--lud-sna.example"),
        ("l\u006f\u0308ud.example", "xn--lud-sna.example"),
        ("ｆａｒ.example", "far.example"),
        ("[2001:DB8::1]:443", "[2001:db8::1]"),
        ("192.0.2.1", "192.0.2.1"),
        ("localhost", "localhost"),
    ],
)
def test_every_spelling_of_a_host_has_one_normal_form(written: str, name: str) -> None:
    assert hostnames.normalize(written) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "..",
        "a..b",
        "-a.example",
        "a b",
        "a/b",
        "user@a.example",
        "a.example:port",
        "a.example:²",
        "[not an address]",
        "x" * 254,
        "a.example?",
        "\u200b.example",
        "http://a.example",
    ],
)
def test_a_text_that_is_no_host_has_no_normal_form(text: str) -> None:
    assert hostnames.normalize(text) == ""


@given(st.text(max_size=40) | NAMES)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    name = hostnames.normalize(text)

    assert hostnames.normalize(name) == name


@pytest.mark.parametrize(
    ("uri", "host", "netloc"),
    [
        ("https://Far.Example:8443/users/rita", "far.example", "far.example:8443"),
        ("https://[2001:DB8::1]:8443/x", "[2001:db8::1]", "[2001:db8::1]:8443"),
        ("https://löud.example/", "xn--lud-sna.example", "löud.example"),
        ("acct:rita@far.example", "", ""),
        ("https://[bad", "", ""),
        ("", "", ""),
    ],
)
def test_the_host_of_a_uri_is_normalized_and_its_netloc_kept(uri: str, host: str, netloc: str) -> None:
    assert (hostnames.from_uri(uri), hostnames.netloc(uri)) == (host, netloc)


@pytest.mark.parametrize(
    ("name", "domains"),
    [("a.b.example", ["a.b.example", "b.example", "example"]), ("[::1]", ["[::1]"]), ("", [])],
)
def test_parent_domains_come_nearest_first(name: str, domains: list[str]) -> None:
    assert hostnames.with_parent_domains(name) == domains


@given(NAMES, NAMES)
def test_a_rule_covers_a_name_if_and_only_if_it_is_one_of_its_domains(rule: str, name: str) -> None:
    assert hostnames.covers(rule, name) == (rule in hostnames.with_parent_domains(name))
    assert hostnames.covers(rule, f"{name}.{rule}")
    assert not hostnames.covers(rule, "x" + rule)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("xn--lud-sna.example", "löud.example"),
        ("far.example", "far.example"),
        ("xn--\x00.example", "xn--\x00.example"),
    ],
)
def test_punycode_is_decoded_for_display_where_it_can_be(name: str, shown: str) -> None:
    assert hostnames.to_unicode(name) == shown
