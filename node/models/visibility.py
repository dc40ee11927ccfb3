"""The visibility rules of posts, as SQL fragments and as functions made of them.

Every page, timeline, document, media URL and action uses these and no others. The rules:

* nobody sees a deleted post, or one by somebody suspended or deleted;
* nobody sees a post by somebody they have blocked, or who has blocked them;
* `public` and `unlisted` are for everyone, anonymous viewers (0) included;
* `followers` is for the author, accepted followers and those it mentions;
* `direct` is for the author and those it mentions.

A follow that is still pending gives no access. A mute hides an account from feeds and lists but not from a
direct request, so it is a fragment of its own; so is the limit on a server, which does not apply to followers.

The fragments use the value `:viewer`, which `viewer_value` makes of an account, unless both accounts are given as
expressions. Each is a subquery that checks one row along an index: a page is twenty rows, and a planner that turns
it into a join may read a whole table. A test compares them with the rules above, written once more in plain
Python, over random data.
"""

from __future__ import annotations

from typing import Literal

from node.database import Reader, Row
from node.models import audience
from node.models.account import Account
from node.models.post import Post

Access = Literal["public", "private"]


def viewer_value(viewer: Account | None) -> int:
    """Returns the value of `:viewer`: 0 for anonymous,
    and for a suspended or deleted account, which sees no more."""
    return 0 if viewer is None or viewer.is_inactive else viewer.id


def no_block(account: str) -> str:
    """Returns the SQL condition that there is no block between `:viewer` and the account
    whose id the expression is."""
    return no_block_between(":viewer", account)


def no_block_by(account: str) -> str:
    """Returns the SQL condition that the account whose id the expression is has not blocked `:viewer`."""
    return f"""(SELECT COUNT(*) FROM blocks vb
        WHERE vb.account_id = {account} AND vb.target_id = :viewer) = 0"""  # noqa: S608


def no_block_between(one: str, other: str) -> str:
    """Returns the SQL condition that neither of the accounts whose ids the expressions are
    has blocked the other."""
    return f"""NOT (EXISTS (SELECT 1 FROM blocks vb WHERE vb.account_id = {one} AND vb.target_id = {other})
        OR EXISTS (SELECT 1 FROM blocks vb WHERE vb.account_id = {other} AND vb.target_id = {one}))"""  # noqa: S608


def no_mute(account: str) -> str:
    """Returns the SQL condition that `:viewer` has not muted that account. For feeds and lists only."""
    return f"""(SELECT COUNT(*) FROM mutes vm
        WHERE vm.account_id = :viewer AND vm.target_id = {account}) = 0"""  # noqa: S608


def no_mute_of_notifications(recipient: str, account: str) -> str:
    """Returns the SQL condition that the recipient has not muted the notifications of the account."""
    return f"""NOT EXISTS (SELECT 1 FROM mutes vm
        WHERE vm.account_id = {recipient} AND vm.target_id = {account} AND vm.hides_notifications)"""  # noqa: S608


def is_active(account: str) -> str:
    """Returns the SQL condition that the account is neither suspended nor deleted."""
    return f"""(SELECT va.suspended_at IS NULL AND va.deleted_at IS NULL
        FROM accounts va WHERE va.id = {account})"""  # noqa: S608


def is_active_and_unlimited(account: str) -> str:
    """Returns the SQL condition that the row of `accounts` with this alias is active,
    and its server is not limited."""
    return f"(NOT {account}.is_limited AND {account}.suspended_at IS NULL AND {account}.deleted_at IS NULL)"


def no_limit(account: str) -> str:
    """Returns the SQL condition that the account's server is not limited, or `:viewer` follows the account.

    For lists only.
    """
    return f"""(NOT EXISTS (SELECT 1 FROM accounts vl WHERE vl.id = {account} AND vl.is_limited)
        OR {_follows(account)})"""  # noqa: S608


def _follows(account: str) -> str:
    return f"""EXISTS (SELECT 1 FROM follows vf WHERE vf.follower_id = :viewer
        AND vf.followed_id = {account} AND vf.state = 'accepted')"""  # noqa: S608


def _is_active_for_viewer(account: str) -> str:
    """Returns the SQL condition `is_active`,
    and that an anonymous viewer sees nothing of accounts that hide from the web."""
    return f"""(SELECT va.suspended_at IS NULL AND va.deleted_at IS NULL AND (:viewer <> 0 OR NOT va.hides_from_web)
        FROM accounts va WHERE va.id = {account})"""  # noqa: S608


def visible_to(post: str, viewer: str = ":viewer") -> str:
    """Returns the SQL condition that `:viewer`, or the account whose id the expression is, may see the row of `posts`
    with this alias. With an expression it is for an account that is active."""
    return _visible_to(post).replace(":viewer", viewer)


def _visible_to(post: str) -> str:
    return f"""({post}.deleted_at IS NULL
        AND {_is_active_for_viewer(f"{post}.account_id")}
        AND {no_block(f"{post}.account_id")}
        AND ({post}.visibility IN ('public', 'unlisted')
            OR {post}.account_id = :viewer
            OR ({post}.visibility = 'followers' AND {_follows(f"{post}.account_id")})
            OR EXISTS (SELECT 1 FROM mentions vn WHERE vn.post_id = {post}.id AND vn.account_id = :viewer)))"""  # noqa: S608


def boost_visible_to(boost: str) -> str:
    """Returns the SQL condition that `:viewer` may see the row of `boosts` with this alias.

    Its post needs `visible_to` as well.
    """
    return f"""({is_active(f"{boost}.account_id")}
        AND {no_block(f"{boost}.account_id")}
        AND ({boost}.visibility IN ('public', 'unlisted')
            OR {boost}.account_id = :viewer
            OR {_follows(f"{boost}.account_id")}))"""


def _shows_media(account: str) -> str:
    """Returns the SQL condition that this node shows media of the account's server."""
    return f"""NOT EXISTS (SELECT 1 FROM accounts vm WHERE vm.id = {account} AND vm.is_without_media)"""  # noqa: S608


def may_see(tx: Reader, viewer: Account | None, post: Post) -> bool:
    """Returns whether the viewer (None: anonymous) may see the post,
    by the state of the tables, not of `post`."""
    return bool(
        tx.value(
            f"SELECT 1 FROM posts p WHERE p.id = :id AND {visible_to('p')}",  # noqa: S608
            id=post.id,
            viewer=viewer_value(viewer),
        )
    )


def may_see_posts_of(tx: Reader, viewer: Account | None, account: Account) -> bool:
    """Returns whether the viewer may see any post of the account at all: it is active, and no block is between them."""
    return bool(
        tx.value(
            f"SELECT 1 WHERE {_is_active_for_viewer(':account')} AND {no_block(':account')}",
            account=account.id,
            viewer=viewer_value(viewer),
        )
    )


def may_see_file(tx: Reader, viewer_id: int, key: str) -> Access | None:
    """Returns whether a file may be served to a viewer (0: anonymous), None if not;
    shared caches may keep 'public'.

    The same bytes can belong to several photos; one that is visible is enough. Only its owner sees a photo
    that is in no post yet. Nobody may fetch an original: it is in no table that this reads.
    """
    if tx.value(
        f"""SELECT 1 FROM avatar_files f
            WHERE f.file = :key AND {is_active("f.account_id")} AND {_shows_media("f.account_id")} LIMIT 1""",  # noqa: S608
        key=key,
    ):
        return "public"
    return _widest_access(
        tx.all(
            f"""SELECT p.visibility FROM photo_files f
                JOIN photos ph ON ph.id = f.photo_id JOIN posts p ON p.id = ph.post_id
                WHERE f.file = :key AND {visible_to("p")} AND {_shows_media("p.account_id")}
                UNION SELECT 'unattached' FROM photo_files f JOIN photos ph ON ph.id = f.photo_id
                WHERE f.file = :key AND ph.post_id IS NULL AND ph.account_id = :viewer AND :viewer <> 0""",  # noqa: S608
            key=key,
            viewer=viewer_id,
        )
    )


def may_see_photo(tx: Reader, viewer_id: int, photo_id: int) -> Access | None:
    """Returns whether the file of a photo may be served to a viewer, as `may_see_file`, by the photo's id."""
    return _widest_access(
        tx.all(
            f"""SELECT p.visibility FROM photos ph JOIN posts p ON p.id = ph.post_id
                WHERE ph.id = :photo AND {visible_to("p")} AND {_shows_media("p.account_id")}
                UNION SELECT 'unattached' FROM photos ph
                WHERE ph.id = :photo AND ph.post_id IS NULL AND ph.account_id = :viewer AND :viewer <> 0""",  # noqa: S608
            photo=photo_id,
            viewer=viewer_id,
        )
    )


POSTS_WITH_FILE_SQL = f"""posts p WHERE p.id IN (SELECT ph.post_id FROM photo_files f
    JOIN photos ph ON ph.id = f.photo_id WHERE f.file = :key) AND {_shows_media("p.account_id")}"""  # noqa: S608
"""SQL: the posts, as `p`, that have the photo file `:key` and whose author's media this node shows."""


def _widest_access(rows: list[Row]) -> Access | None:
    visibilities = {row["visibility"] for row in rows}
    if visibilities & set(audience.OPEN_VISIBILITIES):
        return "public"
    return "private" if visibilities else None
