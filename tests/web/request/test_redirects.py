"""Redirects lead to paths of this node and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.request.conftest import MakeRequest
from web.request import redirects

ORIGIN = "https://tintype.test"


@pytest.mark.parametrize("path", ["/", "/@alice", "/posts/1?page=2#comments", "/search?q=https://a.example/"])
def test_a_path_of_this_node_is_kept(path: str) -> None:
    assert redirects.safe_path(path, "/default") == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "posts",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\/evil.example/",
        "/%2fevil.example",
        "/%5Cevil.example",
        "/a\\b",
        "/a b",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: x=1",
        "/é",
        "javascript:alert(1)",
        "/" + "a" * 5000,
    ],
)
def test_what_a_browser_may_take_for_another_site_is_replaced(path: str) -> None:
    assert redirects.safe_path(path) == "/"
    assert redirects.safe_path(path, "/default") == "/default"


@given(st.text() | st.text(alphabet="/\\%2f5c?#:@.a\t\n "))
def test_no_text_leads_off_this_node(text: str) -> None:
    for wanted in (text, "/" + text, "//" + text, "/\\" + text):
        path = redirects.safe_path(wanted)
        assert urlsplit(urljoin(ORIGIN, path)).netloc == "tintype.test"
        assert path.startswith("/")
        assert not path.startswith(("//", "/\\"))
        assert not re.search(r"[\s\\\x00-\x1f]", path)


@pytest.mark.parametrize(
    ("referer", "expected"),
    [
        ("https://tintype.test/@alice?page=2#posts", "/@alice?page=2"),
        ("https://tintype.test", "/default"),
        ("https://tintype.test//evil.example", "/default"),
        ("https://evil.example/@alice", "/default"),
        ("https://tintype.test@evil.example/", "/default"),
        ("http://[tintype.test/@alice", "/default"),
        ("", "/default"),
    ],
)
async def test_the_referring_path_is_one_of_this_node(
    make_request: MakeRequest, referer: str, expected: str
) -> None:
    async with make_request(headers={"Referer": referer}):
        assert redirects.referring_path("/default") == expected


@pytest.mark.parametrize(
    ("path", "fragment", "location"),
    [
        ("/posts/1", "", "/posts/1"),
        ("/posts/1", "comments", "/posts/1#comments"),
        ("/posts/1#likes", "comments", "/posts/1#comments"),
        ("//evil.example", "comments", "/#comments"),
    ],
)
async def test_a_form_is_followed_by_a_get_of_a_local_page(
    make_request: MakeRequest, path: str, fragment: str, location: str
) -> None:
    async with make_request("POST"):
        response = redirects.see_other(path, fragment=fragment)

    assert (response.status_code, response.headers["Location"]) == (303, location)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", True),
        ("text/html, application/json;q=0.9", True),
        ("text/html", False),
        ("", False),
    ],
)
async def test_a_script_says_that_it_accepts_json(
    make_request: MakeRequest, accept: str, expected: bool
) -> None:
    async with make_request(headers={"Accept": accept}):
        assert redirects.wants_json() is expected
