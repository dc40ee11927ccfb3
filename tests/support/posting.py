"""Posts for tests: by our people and by others."""

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


def publish(tx: Writer, who: Account, caption: str = "Morning", **draft: Any) -> Post:
    return publishing.publish(tx, who, Draft(caption=caption, **draft))


def said(author: Account, **changes: Any) -> RemotePost:
    """A post by someone elsewhere, as their server would describe it: an hour old."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "uri": f"{author.uri}/posts/{number}",
        "author": author,
        "visibility": "public",
        "published_at": now_ms() - HOUR,
        "html": "<p>Evening</p>",
    }
    return RemotePost(**(values | changes))


def arrives(tx: Writer, author: Account, **changes: Any) -> Post:
    """A remote post that is taken in."""
    post = remote_posts.receive(tx, said(author, **changes))
    assert post is not None
    return post


def picture(name: str = "a", **changes: Any) -> RemotePhoto:
    return RemotePhoto(
        url=f"https://far.example/{name}.jpg", mime="image/jpeg", alt=f"photo {name}", **changes
    )


def follow(tx: Writer, follower: Account, followed: Account) -> None:
    """Follow and be accepted."""
    made = follows.follow(tx, follower, followed)
    if not made.is_accepted:
        follows.accept(tx, made)


def rita(tx: Writer) -> Account:
    return remote(tx)
