"""The router: literals before placeholders, whole paths only, and MethodNotAllowed for a wrong method."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import MethodNotAllowed

from activitypub.server.routing import MatchRule, RouteMatch, Router

ROUTER: Router[str] = Router(
    [
        MatchRule("/users/<name>", endpoint="person"),
        MatchRule("/@<name:name>", endpoint="page"),
        MatchRule("/p/<name>/<digits:id>", endpoint="post"),
        MatchRule("/things/clear", methods=["POST"], endpoint="clear"),
        MatchRule("/things/<id>", methods=["GET"], endpoint="thing"),
    ]
)


@pytest.mark.parametrize(
    ("path", "endpoint", "args"),
    [
        ("/users/alice", "person", {"name": "alice"}),
        ("/users/a b@c", "person", {"name": "a b@c"}),
        ("/@alice", "page", {"name": "alice"}),
        ("/p/alice/0123", "post", {"name": "alice", "id": "0123"}),
    ],
)
def test_a_path_leads_to_its_endpoint(path: str, endpoint: str, args: dict[str, str]) -> None:
    assert ROUTER.find("GET", path) == RouteMatch(endpoint, args)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/users/",
        "/users/alice/",
        "//users/alice",
        "/users//alice",
        "/@alice@far.example",
        "/p/alice/x",
        f"/p/alice/{'1' * 19}",
        "/p/alice/١٢",
    ],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert ROUTER.find("GET", path) is None


def test_a_literal_goes_before_a_placeholder_if_the_method_allows() -> None:
    assert ROUTER.find("POST", "/things/clear") == RouteMatch("clear", {})
    assert ROUTER.find("GET", "/things/clear") == RouteMatch("thing", {"id": "clear"})
    assert ROUTER.find("HEAD", "/things/1") == RouteMatch("thing", {"id": "1"})


def test_a_wrong_method_differs_from_a_wrong_path() -> None:
    with pytest.raises(MethodNotAllowed):
        ROUTER.find("DELETE", "/things/1")


def test_a_match_is_the_same_the_second_time_and_so_is_a_wrong_method() -> None:
    for _ in range(2):
        assert ROUTER.find("POST", "/things/clear") == RouteMatch("clear", {})
        assert ROUTER.find("GET", "/things/clear") == RouteMatch("thing", {"id": "clear"})
        with pytest.raises(MethodNotAllowed):
            ROUTER.find("PUT", "/things/clear")
        assert ROUTER.find("POST", "/things/clear/") is None


def test_matches_with_placeholders_are_not_cached() -> None:
    router: Router[str] = Router(
        [MatchRule("/users/<name>", endpoint="person"), MatchRule("/inbox", endpoint="inbox")]
    )
    for number in range(20):
        router.find("GET", f"/users/{number}")
    router.find("GET", "/inbox")

    assert len(router._without_args) == 1
