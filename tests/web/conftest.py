"""Browsers that request files, signed in or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.attachments import photos
from node.attachments.photo_rows import Photo
from node.auth import sessions, users
from node.database import Writer
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.asgi import Client
from web.files.media_files import MediaApp
from web.request.session import SESSION_COOKIE

Publish = Callable[..., Awaitable[Photo]]


def _session(tx: Writer, who: Account) -> str:
    if users.by_account(tx, who) is None:
        users.create(tx, who, email=f"{who.name}@tintype.test", password_hash="-")
    return sessions.start(tx, who, "Test browser")


@pytest.fixture
def files(node: Node) -> Any:
    return MediaApp(node)


@pytest.fixture
def anybody(files: Any) -> Client:
    return Client(files)


@pytest.fixture
def browser(node: Node, files: Any) -> Callable[[Account], Awaitable[Client]]:
    """`await browser(alice)`: somebody signed in."""

    async def make(who: Account) -> Client:
        token = await node.db.write(_session, who)
        return Client(files, {"cookie": f"theme=dark; {SESSION_COOKIE}={token}"})

    return make


@pytest.fixture
def publish(node: Node, photo: Callable[..., bytes]) -> Publish:
    """`await publish(alice, visibility="followers")`: the photo of a new post."""

    async def make(who: Account, **draft: Any) -> Photo:
        made = await photos.upload(node, who, photo(900, 600))
        await node.db.write(publishing.publish, who, Draft(photo_ids=[made.id], **draft))
        return made

    return make
