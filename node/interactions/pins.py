"""Pins: the posts that come first on their author's profile (`featured`). Owns `pins`.

Only one's own public and unlisted posts, and only a few of them. Local pins are sent to other servers; pins of
remote accounts are kept as their server says, as far as the posts are their own and public or unlisted.
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
"""Other servers may allow more than `MAX_PINS`; no more than that are shown."""


def pin(tx: Writer, account: Account, post: Post, *, visibility_checked: bool = False) -> None:
    """Pins a post of the account's own. Doing it twice changes nothing.

    `visibility_checked`: the caller has checked in this unit of work that the account may see the post. Raises NotFound for
    a post it may not see, NotAllowed for one by another author, Invalid for one that is not public or unlisted, or
    one too many.
    """
    permissions.check_sees(tx, account, post, visibility_checked=visibility_checked)
    _check(account, post)
    if is_pinned(tx, post):
        return
    if _count(tx, account) >= MAX_PINS:
        raise Invalid(f"No more than {MAX_PINS} posts can be pinned.", detail=account.uri)
    if _insert(tx, account, post):
        outbox.record(tx, account, "Add", post.uri, post=post)


def unpin(tx: Writer, account: Account, post: Post) -> None:
    """Unpins a post. Doing it twice changes nothing. Raises NotAllowed for a post by another author."""
    if post.account_id != account.id:
        raise NotAllowed("Only its author can do that.")
    if _remove(tx, post):
        outbox.record(tx, account, "Remove", post.uri, post=post)


def receive_pin(tx: Writer, account: Account, post: Post) -> bool:
    """Records a pin of a remote account. False for a post that is not its own, not public or unlisted, or one too many."""
    if post.account_id != account.id or not post.is_open or post.deleted_at is not None:
        return False
    return _count(tx, account) < MAX_REMOTE_PINS and _insert(tx, account, post)


def replace_remote_pins(tx: Writer, account: Account, posts: Sequence[Post]) -> None:
    """Replaces the pins of a remote account by those its server lists, in that order."""
    tx.run("DELETE FROM pins WHERE account_id = :account", account=account.id)
    for post in reversed(posts[:MAX_REMOTE_PINS]):
        receive_pin(tx, account, post)


def receive_unpin(tx: Writer, account: Account, post: Post) -> bool:
    """Removes a pin of a remote account. Returns whether the post was its own and pinned."""
    return post.account_id == account.id and _remove(tx, post)


def _check(account: Account, post: Post) -> None:
    if post.account_id != account.id:
        raise NotAllowed("Only its author can do that.")
    if not post.is_open:
        raise Invalid("Only public and unlisted posts can be pinned.")


def _insert(tx: Writer, account: Account, post: Post) -> bool:
    return bool(
        tx.run(
            """INSERT INTO pins (id, post_id, account_id) VALUES (:id, :post, :account)
               ON CONFLICT DO NOTHING""",
            id=new_id(),
            post=post.id,
            account=account.id,
        )
    )


def _remove(tx: Writer, post: Post) -> bool:
    return bool(tx.run("DELETE FROM pins WHERE post_id = :post", post=post.id))


def _count(tx: Reader, account: Account) -> int:
    return int(tx.value("SELECT COUNT(*) FROM pins WHERE account_id = :account", account=account.id))


def is_pinned(tx: Reader, post: Post) -> bool:
    return bool(tx.value("SELECT 1 FROM pins WHERE post_id = :post", post=post.id))


def post_ids(tx: Reader, viewer: Account | None, account: Account, *, only_photos: bool = False) -> list[int]:
    """Returns the ids of the pinned posts that the viewer may see, the latest pinned first."""
    rows = tx.all(
        f"""SELECT n.post_id FROM pins n JOIN posts p ON p.id = n.post_id
            WHERE n.account_id = :account AND p.visibility IN ('public', 'unlisted')
              {"AND p.photos_count > 0" if only_photos else ""} AND {visible_to("p")}
            ORDER BY n.id DESC LIMIT :most""",  # noqa: S608
        account=account.id,
        viewer=viewer_value(viewer),
        most=MAX_PINS,
    )
    return [row["post_id"] for row in rows]


def post_uris(tx: Reader, account: Account) -> list[str]:
    """Returns the `uri` of each pinned post that anybody may see, for the collection `featured`."""
    rows = tx.all(
        f"""SELECT p.uri FROM pins n JOIN posts p ON p.id = n.post_id
            WHERE n.account_id = :account AND p.visibility IN ('public', 'unlisted') AND {visible_to("p")}
            ORDER BY n.id DESC LIMIT :most""",  # noqa: S608
        account=account.id,
        viewer=0,
        most=MAX_PINS,
    )
    return [row["uri"] for row in rows]


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the pin of a post."""
    tx.run("DELETE FROM pins WHERE post_id = :post", post=post.id)
