"""The dispatch in front of everything: which part of the node a path belongs to."""

from __future__ import annotations

import pytest

from activitypub.server.routes import FederationApp
from node.node import Node


@pytest.mark.parametrize("path", ["/api/v1/instance", "/api/", "/media/aa/bb/c.jpg", "/static/css/main.css"])
def test_no_federation_endpoint_lies_below_the_paths_of_other_parts(node: Node, path: str) -> None:
    """`App` gives these to the client API and the files before it asks the federation."""
    federation = FederationApp(node)

    for method in ("GET", "POST"):
        assert federation.find({"method": method, "path": path, "headers": []}) is None
