"""Visitors of a node: some signed in, with photos to look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.attachments import photos
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.visitors import Visitor, sign_in
from web.app import App, create_app

SignedIn = Callable[..., Awaitable[Visitor]]
Publish = Callable[..., Awaitable[Post]]
PASSWORD = "a picture a day"


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


@pytest.fixture
def anybody(app: App) -> Visitor:
    return Visitor(app)


@pytest.fixture
def signed_in(node: Node, app: App) -> SignedIn:
    """`await signed_in(alice)`: her browser, with Home open."""

    async def signing_in(who: Account, role: str = "user") -> Visitor:
        return await sign_in(node, who, role, app)

    return signing_in


@pytest.fixture
def publish(node: Node, photo: Callable[..., bytes]) -> Publish:
    """`await publish(alice, "Morning", shots=1)`: a post with so many photos."""

    async def publish(
        who: Account, caption: str = "", shots: int = 1, alt: str = "A lake", **draft: Any
    ) -> Post:
        ids = [
            (await photos.upload(node, who, photo(90, 60, "JPEG", seed=n), alt=alt)).id for n in range(shots)
        ]
        return await node.db.write(publishing.publish, who, Draft(caption=caption, photo_ids=ids, **draft))

    return publish
