"""Posts for tests, by local and by remote accounts."""

from __future__ import annotations

import itertools
from typing import Any

from node.database import Writer
from node.ids import now_ms
from node.interactions import follows
from node.models.account import Account
from node.models.post import Post
from node.models.remote_post import RemotePhoto, RemotePost
from node.posts.drafts import Draft
from node.publishing import publishing, remote_posts
from tests.support.people import remote

_numbers = itertools.count(1)
HOUR = 3_600_000


def publish(tx: Writer, author: Account, caption: str = "Morning", **draft: Any) -> Post:
    return publishing.publish(tx, author, Draft(caption=caption, **draft))


def build_remote_post(author: Account, **changes: Any) -> RemotePost:
    """A remote post as its server would describe it: an hour old."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "uri": f"{author.uri}/posts/{number}",
        "author": author,
        "visibility": "public",
        "published_at": now_ms() - HOUR,
        "html": "<p>Evening</p>",
    }
    return RemotePost(**(values | changes))


def receive_post(tx: Writer, author: Account, **changes: Any) -> Post:
    """Stores a remote post that was received."""
    post = remote_posts.receive_create(tx, build_remote_post(author, **changes))
    assert post is not None
    return post


def picture(name: str = "a", **changes: Any) -> RemotePhoto:
    return RemotePhoto(
        url=f"https://far.example/{name}.jpg", mime="image/jpeg", alt=f"photo {name}", **changes
    )


def follow(tx: Writer, follower: Account, followed: Account) -> None:
    """Follows an account and accepts the request if it is needed."""
    made = follows.follow(tx, follower, followed)
    if not made.is_accepted:
        follows.accept(tx, made)


def rita(tx: Writer) -> Account:
    return remote(tx)
