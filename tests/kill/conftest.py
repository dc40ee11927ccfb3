"""A node that is served by processes of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.config import Config, FederationOptions, MediaOptions, NodeOptions, ServerOptions
from tests.support.databases import Databases
from tests.support.ports import free_port


@pytest.fixture
def options(databases: Databases, tmp_path: Path) -> Config:
    port = free_port()
    options = Config(
        node=NodeOptions(domain=f"localhost:{port}", secret="a secret that only the tests know"),
        server=ServerOptions(bind=(f"127.0.0.1:{port}",), scheme="http"),
        media=MediaOptions(url=f"file:{tmp_path / 'media'}"),
        federation=FederationOptions(allow_private_addresses=True, allow_http=True),
    )
    return databases.fresh(options)
