"""The app in this process, with limits that a test can reach."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from federation_tests.conftest import evil, fediverse, pair, ports, test_authority
from federation_tests.servers import Server
from node.accounts import keys
from node.models.account import Account
from node.node import Node
from tests.abuse.half_sent import Sender, sign_up
from tests.support.ports import free_port
from web.app import App, create_app

__all__ = ["evil", "fediverse", "pair", "ports", "test_authority"]


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
async def served(
    node: Node, alice: Account, app: App, request: pytest.FixtureRequest
) -> AsyncIterator[Sender]:
    pair = keys.generate()
    token, session = await node.db.write(sign_up, "carol", pair)
    port = free_port()
    server = Server(app, port, None, keep_alive=5, fast=request.param)
    await server.start()
    sender = Sender(port, token, session)
    yield sender
    await sender.leave()
    await server.stop()
