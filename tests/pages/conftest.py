"""Visitors of a node: some signed in, with photos to look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node import photos, posts, sessions, users
from node.accounts import Account
from node.database import Writer
from node.drafts import Draft
from node.node import Node
from node.posts import Post
from tests.support.visitors import Visitor
from web.app import App, create_app
from web.session import COOKIE

SignedIn = Callable[..., Awaitable[Visitor]]
Publish = Callable[..., Awaitable[Post]]
PASSWORD = "a picture a day"


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


@pytest.fixture
def anybody(app: App) -> Visitor:
    return Visitor(app)


def _session(tx: Writer, who: Account, role: str) -> str:
    if users.by_account(tx, who) is None:
        users.create(tx, who, email=f"{who.name}@tintype.test", password_hash="-", role=role)
    return sessions.start(tx, who, "A test browser")


@pytest.fixture
def signed_in(node: Node, app: App) -> SignedIn:
    """`await signed_in(alice)`: her browser, with Home open."""

    async def sign_in(who: Account, role: str = "user") -> Visitor:
        visitor = Visitor(app)
        visitor.cookies[COOKIE] = await node.db.write(_session, who, role)
        await visitor.get("/")
        return visitor

    return sign_in


@pytest.fixture
def publish(node: Node, photo: Callable[..., bytes]) -> Publish:
    """`await publish(alice, "Morning", shots=1)`: a post with so many photos."""

    async def publish(
        who: Account, caption: str = "", shots: int = 1, alt: str = "A lake", **draft: Any
    ) -> Post:
        ids = [
            (await photos.upload(node, who, photo(90, 60, "JPEG", seed=n), alt=alt)).id for n in range(shots)
        ]
        return await node.db.write(posts.publish, who, Draft(caption=caption, photo_ids=ids, **draft))

    return publish
