"""Explore: photos of this server, and beside them those of others."""

from __future__ import annotations

import re

from node.database import Writer
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from tests.support.posting import picture, receive_post, rita
from tests.support.visitors import Visitor
from tests.web.pages.conftest import Publish


async def test_each_tab_shows_the_photos_of_its_servers_alone(
    node: Node, alice: Account, anybody: Visitor, publish: Publish
) -> None:
    def other(tx: Writer) -> Post:
        return receive_post(tx, rita(tx), photos=[picture("sea", width=600, height=400)])

    here, there = await publish(alice, "Here"), await node.db.write(other)
    shown = {}
    for path in ("/explore", "/explore/network"):
        page = await anybody.get(path)
        shown[path] = set(re.findall(r'href="/[^"]*/(\d{10,})"', page.text))
        assert re.search(r'href="/explore"[^>]*aria-current="page"', page.text), path

    assert shown == {"/explore": {str(here.id)}, "/explore/network": {str(there.id)}}
