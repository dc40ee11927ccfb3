"""A node that sends its mail to a server of the test."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest

from node.accounts import accounts
from node.accounts.keys import KeyPair
from node.auth import users
from node.config import Config, MailOptions
from node.database import Writer
from node.node import Node
from tests.support import mail_server as mail_servers
from tests.support.mail_server import MailServer
from tests.support.visitors import Visitor
from web import wiring
from web.app import create_app


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    async with mail_servers.serving() as server:
        yield server


@pytest.fixture
async def node(options: Config, mail_server: MailServer, pairs: dict[str, KeyPair]) -> AsyncIterator[Node]:
    """A node with that mail server, and its sender's address."""
    mail = MailOptions(url=f"smtp://127.0.0.1:{mail_server.port}", sender="photos@tintype.test")
    node = await wiring.open_node(dataclasses.replace(options, mail=mail))

    def has_an_admin(tx: Writer) -> None:
        rosa = accounts.create_local(tx, "rosa", pair=pairs["mallory"])
        users.create(tx, rosa, email="rosa@tintype.test", password_hash="-", role="admin")

    await node.db.write(has_an_admin)
    yield node
    await node.close()


@pytest.fixture
def visitor(node: Node) -> Visitor:
    return Visitor(create_app(node))
