"""Pins: the posts that come first on their author's profile. Owns `pins`.

Only one's own posts, only those that anybody may see, only a few. Other servers hear of ours; of theirs is
kept what they say, as far as it is their author's and open.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed
from node.federation import outbox
from node.ids import new_id
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import viewer_value, visible_to
from node.posts import permissions

MAX_PINS = 5
MAX_REMOTE_PINS = 20
"""Others may allow more; what is shown of it is no more than of ours."""


def pin(tx: Writer, who: Account, post: Post, *, is_seen: bool = False) -> None:
    """Let one's own post come first. Doing it twice changes nothing. Raises Invalid and NotAllowed.

    `is_seen`: in this unit of work they have been found to see the post.
    """
    permissions.check_sees(tx, who, post, is_seen=is_seen)
    _check(who, post)
    if is_pinned(tx, post):
        return
    if _count(tx, who) >= MAX_PINS:
        raise Invalid(f"No more than {MAX_PINS} posts can be pinned.", detail=who.uri)
    if _insert(tx, who, post):
        outbox.record(tx, who, "Add", post.uri, post=post)


def unpin(tx: Writer, who: Account, post: Post) -> None:
    """Let a post stand in its own place again."""
    if post.account_id != who.id:
        raise NotAllowed("Only its author can do that.")
    if _remove(tx, post):
        outbox.record(tx, who, "Remove", post.uri, post=post)


def receive_pin(tx: Writer, who: Account, post: Post) -> bool:
    """Somebody elsewhere pinned a post. False if it is not theirs, not open, or one too many."""
    if post.account_id != who.id or not post.is_open or post.deleted_at is not None:
        return False
    return _count(tx, who) < MAX_REMOTE_PINS and _insert(tx, who, post)


def replace_remote_pins(tx: Writer, who: Account, posts: Sequence[Post]) -> None:
    """Their server says that these are pinned, the first one first, and no others."""
    tx.run("DELETE FROM pins WHERE account_id = :who", who=who.id)
    for post in reversed(posts[:MAX_REMOTE_PINS]):
        receive_pin(tx, who, post)


def receive_unpin(tx: Writer, who: Account, post: Post) -> bool:
    """Somebody elsewhere pins a post no longer."""
    return post.account_id == who.id and _remove(tx, post)


def _check(who: Account, post: Post) -> None:
    if post.account_id != who.id:
        raise NotAllowed("Only its author can do that.")
    if not post.is_open:
        raise Invalid("Only public and unlisted posts can be pinned.")


def _insert(tx: Writer, who: Account, post: Post) -> bool:
    return bool(
        tx.run(
            """INSERT INTO pins (id, post_id, account_id) VALUES (:id, :post, :who)
               ON CONFLICT DO NOTHING""",
            id=new_id(),
            post=post.id,
            who=who.id,
        )
    )


def _remove(tx: Writer, post: Post) -> bool:
    return bool(tx.run("DELETE FROM pins WHERE post_id = :post", post=post.id))


def _count(tx: Reader, who: Account) -> int:
    return int(tx.value("SELECT COUNT(*) FROM pins WHERE account_id = :who", who=who.id))


def is_pinned(tx: Reader, post: Post) -> bool:
    return bool(tx.value("SELECT 1 FROM pins WHERE post_id = :post", post=post.id))


def post_ids(tx: Reader, viewer: Account | None, who: Account, *, only_photos: bool = False) -> list[int]:
    """The ids of someone's pinned posts that the viewer may see, the latest pinned first."""
    rows = tx.all(
        f"""SELECT n.post_id FROM pins n JOIN posts p ON p.id = n.post_id
            WHERE n.account_id = :who AND p.visibility IN ('public', 'unlisted')
              {"AND p.photos_count > 0" if only_photos else ""} AND {visible_to("p")}
            ORDER BY n.id DESC LIMIT :most""",  # noqa: S608
        who=who.id,
        viewer=viewer_value(viewer),
        most=MAX_PINS,
    )
    return [row["post_id"] for row in rows]


def post_uris(tx: Reader, who: Account) -> list[str]:
    """The identities of someone's pinned posts, for the collection that other servers read."""
    rows = tx.all(
        f"""SELECT p.uri FROM pins n JOIN posts p ON p.id = n.post_id
            WHERE n.account_id = :who AND p.visibility IN ('public', 'unlisted') AND {visible_to("p")}
            ORDER BY n.id DESC LIMIT :most""",  # noqa: S608
        who=who.id,
        viewer=0,
        most=MAX_PINS,
    )
    return [row["uri"] for row in rows]


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the pin of a post."""
    tx.run("DELETE FROM pins WHERE post_id = :post", post=post.id)
