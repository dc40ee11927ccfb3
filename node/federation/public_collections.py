"""The items of the public ActivityPub collections of an account, a post or a hashtag. Reads only.

Whoever requests them, only public and unlisted items are listed: a page of a collection may be kept by
caches and copied by crawlers. All are paged by id, newest first. A total is exact up to `MAX_COUNTED`: counting
walks every row, which a page does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.database import Reader, Row
from node.database.bounded_pages import Walk, clause, merged, read
from node.models import visibility
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.paging import Found, Page


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """An item of an outbox: a post, or a boost of one (then `boost_uri` is set)."""

    id: int
    post_id: int
    boost_uri: str | None
    boosted_uri: str
    boosted_author_uri: str
    visibility: str
    created_at: int


MAX_COUNTED = 200

_POSTS = f"""SELECT p.id, p.id AS post_id, NULL AS boost_uri, p.uri AS boosted_uri,
                    '' AS boosted_author_uri, p.visibility, p.published_at AS created_at
             FROM {{rows}} AND {visibility.visible_to("p")}"""  # noqa: S608
_BOOSTS = f"""SELECT b.id, b.post_id, b.uri AS boost_uri, p.uri AS boosted_uri, a.uri AS boosted_author_uri,
                     b.visibility, b.created_at
              FROM boosts b JOIN posts p ON p.id = b.post_id JOIN accounts a ON a.id = p.account_id
              WHERE b.account_id = :account AND b.visibility IN ('public', 'unlisted')
                AND p.visibility IN ('public', 'unlisted') AND {visibility.visible_to("p")}"""  # noqa: S608
_OUTBOX = [
    *(
        Walk(
            "p.id",
            f"posts p WHERE p.account_id = :account AND p.visibility = '{one}' AND p.deleted_at IS NULL",
        )
        for one in OPEN_VISIBILITIES
    ),
    Walk("b.id", "boosts b WHERE b.account_id = :account"),
]
_OUTBOX_PARTS = [*(_POSTS.format(rows=walk.rows) for walk in _OUTBOX[:-1]), _BOOSTS]


def outbox(tx: Reader, account: Account, page: Page) -> Found[OutboxItem]:
    """Returns what an account published and boosted."""
    parts = [f"{part} {clause(page, walk.key)}" for walk, part in zip(_OUTBOX, _OUTBOX_PARTS, strict=True)]
    found = read(tx, page, _OUTBOX, merged(page, parts), account=account.id, viewer=0)
    return found.replaced_by([OutboxItem(**dict(row)) for row in found])


def outbox_total(tx: Reader, account: Account) -> int:
    """Returns the number of items of an outbox; of a long one, that of the posts on the profile."""
    sql = " UNION ALL ".join(f"SELECT id FROM ({part}) AS part_{n}" for n, part in enumerate(_OUTBOX_PARTS))  # noqa: S608
    total = _count(tx, _OUTBOX, f"FROM ({sql}) AS items", account=account.id, viewer=0)
    return account.posts_count if total is None else total


def _count(tx: Reader, walks: Sequence[Walk], sql: str, **values: object) -> int | None:
    """Returns how many rows a query has, None where more than `MAX_COUNTED` rows had to be looked at for it."""
    looked_at = " UNION ALL ".join(
        f"SELECT 1 FROM (SELECT 1 FROM {walk.rows} LIMIT :most) AS walk_{n}"  # noqa: S608
        for n, walk in enumerate(walks)
    )
    if tx.value(f"SELECT COUNT(*) FROM ({looked_at}) AS walks", **values, most=MAX_COUNTED + 1) > MAX_COUNTED:  # noqa: S608
        return None
    return int(tx.value(f"SELECT COUNT(*) {sql}", **values))


_REPLIES = Walk(
    "p.id",
    "posts p WHERE p.parent_id = :post AND p.deleted_at IS NULL AND p.visibility IN ('public', 'unlisted')",
)


def replies_total(tx: Reader, post: Post) -> int:
    """Returns the number of replies that are listed; of many, how many the post counts."""
    sql = f"FROM {_REPLIES.rows} AND {visibility.visible_to('p')}"
    total = _count(tx, [_REPLIES], sql, post=post.id, viewer=0)
    return post.comments_count if total is None else total


def replies(tx: Reader, post: Post, page: Page) -> Found[tuple[int, str]]:
    """Returns (id, uri) of the replies to a post."""
    sql = f"SELECT p.id, p.uri FROM {_REPLIES.rows} AND {visibility.visible_to('p')} {clause(page, 'p.id')}"  # noqa: S608
    return _uris(read(tx, page, [_REPLIES], sql, post=post.id, viewer=0))


def _uris(found: Found[Row]) -> Found[tuple[int, str]]:
    return found.replaced_by([(row["id"], row["uri"]) for row in found])


_ROOT = Walk("p.id", "posts p WHERE p.id = :root")
_COMMENTS = Walk("p.id", "posts p WHERE p.root_id = :root AND p.parent_uri <> ''")
_THREAD = [
    f"SELECT p.id, p.uri FROM {walk.rows} AND p.visibility IN ('public', 'unlisted') AND {visibility.visible_to('p')}"  # noqa: S608
    for walk in (_ROOT, _COMMENTS)
]


def thread(tx: Reader, root: Post, page: Page) -> Found[tuple[int, str]]:
    """Returns (id, uri) of all posts of a conversation that anybody may read, its root included."""
    parts = [f"{part} {clause(page, 'p.id')}" for part in _THREAD]
    sql = merged(page, parts, "id, uri")
    return _uris(read(tx, page, [_ROOT, _COMMENTS], sql, root=root.id, viewer=0))


def thread_total(tx: Reader, root: Post) -> int | None:
    """Returns the number of posts of a conversation, None for a long one."""
    sql = f"FROM ({' UNION ALL '.join(_THREAD)}) AS items"
    return _count(tx, [_ROOT, _COMMENTS], sql, root=root.id, viewer=0)


def likes(tx: Reader, post: Post, page: Page) -> Found[tuple[int, str]]:
    """Returns (id, uri) of the likes of a post."""
    walk = Walk("l.id", "likes l WHERE l.post_id = :post")
    sql = f"""SELECT l.id, l.uri FROM {walk.rows} AND {visibility.is_active("l.account_id")}
        {clause(page, walk.key)}"""  # noqa: S608
    return _uris(read(tx, page, [walk], sql, post=post.id))


def shares(tx: Reader, post: Post, page: Page) -> Found[tuple[int, str]]:
    """Returns (id, uri) of the public and unlisted boosts of a post."""
    walk = Walk("b.id", "boosts b WHERE b.post_id = :post")
    sql = f"""SELECT b.id, b.uri FROM {walk.rows} AND b.visibility IN ('public', 'unlisted')
        AND {visibility.is_active("b.account_id")} {clause(page, walk.key)}"""  # noqa: S608
    return _uris(read(tx, page, [walk], sql, post=post.id))


_HASHTAG = Walk(
    "t.post_id",
    """post_hashtags t WHERE t.hashtag_id = (SELECT h.id FROM hashtags h WHERE h.name = :name)
         AND t.is_public AND t.is_local""",
)
_HASHTAG_POSTS = f"""{_HASHTAG.rows.replace("WHERE", "JOIN posts p ON p.id = t.post_id WHERE", 1)}
    AND p.visibility = 'public' AND p.deleted_at IS NULL AND {visibility.is_active("p.account_id")}"""


def hashtag_total(tx: Reader, name: str) -> int | None:
    """Returns the number of public local posts with a hashtag, None where they are many."""
    return _count(tx, [_HASHTAG], f"FROM {_HASHTAG_POSTS}", name=name)


def hashtag(tx: Reader, name: str, page: Page) -> Found[tuple[int, str]]:
    """Returns (id, uri) of the public local posts with a hashtag, newest first."""
    sql = f"SELECT p.id, p.uri FROM {_HASHTAG_POSTS} {clause(page, _HASHTAG.key)}"  # noqa: S608
    return _uris(read(tx, page, [_HASHTAG], sql, name=name))
