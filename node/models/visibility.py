"""Who may see what: the one answer, as SQL and as functions made of it.

Every page, timeline, document, media URL and deed asks here. The rules:

* nobody sees a deleted post, or one by somebody suspended or deleted;
* nobody sees a post by somebody they have blocked, or who has blocked them;
* `public` and `unlisted` are for everyone, also for nobody in particular (viewer 0);
* `followers` is for the author, accepted followers and those it mentions;
* `direct` is for the author and those it mentions.

A follow that is still pending gives nothing. A mute hides somebody from feeds and lists, but not from a
direct look, so it is a fragment of its own; so is the limit on a server, which only its followers look past.

The fragments use the value `:viewer`, which `eyes` makes of an account, unless both accounts are given as
expressions. Each asks about one row at a time along an index: a page is twenty rows, and a planner that turns
the question into a join may read the whole of a table to answer it. A test compares them with the rules above,
written once more in plain Python, over random worlds.
"""

from __future__ import annotations

from typing import Literal

from node.database import Reader, Row
from node.models import audience
from node.models.account import Account
from node.models.post import Post

Access = Literal["public", "private"]


def eyes(viewer: Account | None) -> int:
    """The value of `:viewer`. Somebody suspended or deleted sees no more than a stranger."""
    return 0 if viewer is None or viewer.is_gone else viewer.id


def no_block(account: str) -> str:
    """SQL: there is no block between `:viewer` and the account whose id the expression is."""
    return no_block_between(":viewer", account)


def no_block_between(one: str, other: str) -> str:
    """SQL: neither of the accounts whose ids the expressions are has blocked the other."""
    return f"""NOT (EXISTS (SELECT 1 FROM blocks vb WHERE vb.account_id = {one} AND vb.target_id = {other})
        OR EXISTS (SELECT 1 FROM blocks vb WHERE vb.account_id = {other} AND vb.target_id = {one}))"""  # noqa: S608


def no_mute(account: str) -> str:
    """SQL: `:viewer` has not muted that account. For feeds and lists only."""
    return f"""(SELECT COUNT(*) FROM mutes vm
        WHERE vm.account_id = :viewer AND vm.target_id = {account}) = 0"""  # noqa: S608


def no_mute_of_notifications(who: str, account: str) -> str:
    """SQL: the first account has not muted the other so that it hears of nothing they do."""
    return f"""NOT EXISTS (SELECT 1 FROM mutes vm
        WHERE vm.account_id = {who} AND vm.target_id = {account} AND vm.hides_notifications)"""  # noqa: S608


def present(account: str) -> str:
    """SQL: that account is neither suspended nor deleted."""
    return f"""(SELECT va.suspended_at IS NULL AND va.deleted_at IS NULL
        FROM accounts va WHERE va.id = {account})"""  # noqa: S608


def prominent(account: str) -> str:
    """SQL: the row of `accounts` known by this alias is present, and not of a server only followers hear of."""
    return f"(NOT {account}.is_limited AND {account}.suspended_at IS NULL AND {account}.deleted_at IS NULL)"


def no_limit(account: str) -> str:
    """SQL: that account's server is not limited, or `:viewer` follows them all the same. For lists only."""
    return f"""(NOT EXISTS (SELECT 1 FROM accounts vl WHERE vl.id = {account} AND vl.is_limited)
        OR {_follows(account)})"""  # noqa: S608


def _follows(account: str) -> str:
    return f"""EXISTS (SELECT 1 FROM follows vf WHERE vf.follower_id = :viewer
        AND vf.followed_id = {account} AND vf.state = 'accepted')"""  # noqa: S608


def _present_to_viewer(account: str) -> str:
    """SQL: as `present`; and who is not signed in sees nothing of people whose server asks for that."""
    return f"""(SELECT va.suspended_at IS NULL AND va.deleted_at IS NULL AND (:viewer <> 0 OR NOT va.hides_from_web)
        FROM accounts va WHERE va.id = {account})"""  # noqa: S608


def visible_to(post: str) -> str:
    """SQL: `:viewer` may see the row of `posts` known by this alias."""
    return f"""({post}.deleted_at IS NULL
        AND {_present_to_viewer(f"{post}.account_id")}
        AND {no_block(f"{post}.account_id")}
        AND ({post}.visibility IN ('public', 'unlisted')
            OR {post}.account_id = :viewer
            OR ({post}.visibility = 'followers' AND {_follows(f"{post}.account_id")})
            OR EXISTS (SELECT 1 FROM mentions vn WHERE vn.post_id = {post}.id AND vn.account_id = :viewer)))"""  # noqa: S608


def boost_visible_to(boost: str) -> str:
    """SQL: `:viewer` may know of the row of `boosts` known by this alias. Its post is asked about apart."""
    return f"""({present(f"{boost}.account_id")}
        AND {no_block(f"{boost}.account_id")}
        AND ({boost}.visibility IN ('public', 'unlisted')
            OR {boost}.account_id = :viewer
            OR {_follows(f"{boost}.account_id")}))"""


def _shows_media(account: str) -> str:
    """SQL: pictures of that account's server are shown here."""
    return f"""NOT EXISTS (SELECT 1 FROM accounts vm WHERE vm.id = {account} AND vm.is_without_media)"""  # noqa: S608


def may_see(tx: Reader, viewer: Account | None, post: Post) -> bool:
    """Whether this person (None: anybody at all) may see the post as it stands in the tables now."""
    return bool(
        tx.value(
            f"SELECT 1 FROM posts p WHERE p.id = :id AND {visible_to('p')}",  # noqa: S608
            id=post.id,
            viewer=eyes(viewer),
        )
    )


def may_see_file(tx: Reader, viewer_id: int, key: str) -> Access | None:
    """Whether a file may be given to a viewer (0: anybody): 'public' may be kept by shared caches.

    The same bytes can belong to several photos; one that may be seen is enough. A photo that is in no
    post yet is its owner's alone. An original is nobody's: it is in no table this looks at.
    """
    if tx.value(
        f"""SELECT 1 FROM avatar_files f
            WHERE f.file = :key AND {present("f.account_id")} AND {_shows_media("f.account_id")} LIMIT 1""",  # noqa: S608
        key=key,
    ):
        return "public"
    return _best(
        tx.all(
            f"""SELECT p.visibility FROM photo_files f
                JOIN photos ph ON ph.id = f.photo_id JOIN posts p ON p.id = ph.post_id
                WHERE f.file = :key AND {visible_to("p")} AND {_shows_media("p.account_id")}
                UNION SELECT 'loose' FROM photo_files f JOIN photos ph ON ph.id = f.photo_id
                WHERE f.file = :key AND ph.post_id IS NULL AND ph.account_id = :viewer AND :viewer <> 0""",  # noqa: S608
            key=key,
            viewer=viewer_id,
        )
    )


def may_see_photo(tx: Reader, viewer_id: int, photo_id: int) -> Access | None:
    """As `may_see_file`, for a photo by its id."""
    return _best(
        tx.all(
            f"""SELECT p.visibility FROM photos ph JOIN posts p ON p.id = ph.post_id
                WHERE ph.id = :photo AND {visible_to("p")} AND {_shows_media("p.account_id")}
                UNION SELECT 'loose' FROM photos ph
                WHERE ph.id = :photo AND ph.post_id IS NULL AND ph.account_id = :viewer AND :viewer <> 0""",  # noqa: S608
            photo=photo_id,
            viewer=viewer_id,
        )
    )


def is_shown(tx: Reader, key: str) -> bool:
    """Whether a photo's file may be given to who was told its capability: its owner is still welcome here.

    That they may see it was settled when they were told.
    """
    return bool(
        tx.value(
            f"""SELECT 1 FROM photo_files f JOIN photos ph ON ph.id = f.photo_id
                WHERE f.file = :key AND {present("ph.account_id")} AND {_shows_media("ph.account_id")}
                LIMIT 1""",  # noqa: S608
            key=key,
        )
    )


def _best(rows: list[Row]) -> Access | None:
    found = {row["visibility"] for row in rows}
    if found & set(audience.OPEN):
        return "public"
    return "private" if found else None
