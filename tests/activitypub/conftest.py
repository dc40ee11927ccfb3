"""A node whose HTTP client reaches a server of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.node import Node
from tests.support.http_server import Server, opened, serving


@pytest.fixture
async def remote() -> AsyncIterator[Server]:
    """The remote server b.test, over plain HTTP."""
    async with serving() as server:
        yield server


@pytest.fixture
async def connected(node: Node) -> AsyncIterator[Node]:
    """The node, with a guarded client for which every host name is this machine."""
    async with opened(own_host=node.site.domain) as client:
        node.client = client
        yield node
