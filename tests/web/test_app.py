"""The dispatch in front of everything: which part of the node a path belongs to."""

from __future__ import annotations

import logging

import pytest

from activitypub.server.routes import FederationApp
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from web.app import create_app


@pytest.mark.parametrize("path", ["/api/v1/instance", "/api/", "/media/aa/bb/c.jpg", "/static/css/main.css"])
def test_no_federation_endpoint_lies_below_the_paths_of_other_parts(node: Node, path: str) -> None:
    """`App` gives these to the client API and the files before it asks the federation."""
    federation = FederationApp(node)

    for method in ("GET", "POST"):
        assert federation.find({"method": method, "path": path, "headers": []}) is None


@pytest.mark.parametrize(
    "target",
    ["", "a", "about", "*", "a:443", "http://", "http:///about", "://", "ftp://a/b", "[", "http:[/a"],
)
async def test_a_target_that_is_no_path_is_400_and_no_traceback(
    node: Node, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(node)
    with caplog.at_level(logging.WARNING):
        for method in ("GET", "POST", "OPTIONS", "CONNECT"):
            assert (await Client(app).call(method, target)).status == 400
    assert caplog.text == ""


@pytest.mark.parametrize("host", ["http://tintype.test", "HTTPS://other.test:81", "http://[x", "http://a@b"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/about", "text/html"),
        ("/api/v1/instance", "application/json"),
        ("/users/alice", "application/activity+json"),
    ],
)
async def test_a_request_for_a_whole_url_gets_what_is_at_its_path(
    node: Node, alice: Account, host: str, path: str, kind: str
) -> None:
    app = create_app(node)

    reply = await Client(app).get(host + path, headers={"accept": kind})

    assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (200, kind)
    assert (await Client(app).get(host, headers={"accept": "text/html"})).status == 200
