"""The items of the public ActivityPub collections of an account, a post or a hashtag. Reads only.

Whoever requests them, only public and unlisted items are listed: a page of a collection may be kept by
caches and copied by crawlers. All are paged by id, newest first.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.database import Reader
from node.models import visibility
from node.models.account import Account
from node.models.post import Post
from node.paging import Page


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


_POSTS = f"""SELECT p.id, p.id AS post_id, NULL AS boost_uri, p.uri AS boosted_uri,
                    '' AS boosted_author_uri, p.visibility, p.published_at AS created_at
             FROM posts p
             WHERE p.account_id = :account AND p.visibility IN ('public', 'unlisted')
               AND {visibility.visible_to("p")}"""  # noqa: S608
_BOOSTS = f"""SELECT b.id, b.post_id, b.uri, p.uri, a.uri, b.visibility, b.created_at
              FROM boosts b JOIN posts p ON p.id = b.post_id JOIN accounts a ON a.id = p.account_id
              WHERE b.account_id = :account AND b.visibility IN ('public', 'unlisted')
                AND p.visibility IN ('public', 'unlisted') AND {visibility.visible_to("p")}"""  # noqa: S608


def outbox(tx: Reader, account: Account, page: Page) -> list[OutboxItem]:
    """Returns what an account published and boosted."""
    rows = tx.all(
        f"""SELECT id, post_id, boost_uri, boosted_uri, boosted_author_uri, visibility, created_at
            FROM ({_POSTS} UNION ALL {_BOOSTS}) items
            WHERE id > 0 {page.clause("id")}""",  # noqa: S608
        account=account.id,
        viewer=0,
        **page.values,
    )
    return [OutboxItem(**dict(row)) for row in page.newest_first(rows)]


def outbox_total(tx: Reader, account: Account) -> int:
    return int(
        tx.value(
            f"SELECT COUNT(*) FROM ({_POSTS} UNION ALL {_BOOSTS}) items",  # noqa: S608
            account=account.id,
            viewer=0,
        )
    )


_REPLIES = f"""FROM posts p WHERE p.parent_id = :post AND p.visibility IN ('public', 'unlisted')
                 AND {visibility.visible_to("p")}"""


def replies_total(tx: Reader, post: Post) -> int:
    return int(tx.value(f"SELECT COUNT(*) {_REPLIES}", post=post.id, viewer=0))


def replies(tx: Reader, post: Post, page: Page) -> list[tuple[int, str]]:
    """Returns (id, uri) of the replies to a post."""
    rows = tx.all(
        f"SELECT p.id, p.uri {_REPLIES} {page.clause('p.id')}",
        post=post.id,
        viewer=0,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.newest_first(rows)]


_THREAD = f"""FROM posts p WHERE p.root_id = :root AND p.visibility IN ('public', 'unlisted')
                AND {visibility.visible_to("p")}"""


def thread(tx: Reader, root: Post, page: Page) -> list[tuple[int, str]]:
    """Returns (id, uri) of all posts of a conversation that anybody may read, its root included."""
    rows = tx.all(
        f"SELECT p.id, p.uri {_THREAD} {page.clause('p.id')}",
        root=root.id,
        viewer=0,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.newest_first(rows)]


def thread_total(tx: Reader, root: Post) -> int:
    return int(tx.value(f"SELECT COUNT(*) {_THREAD}", root=root.id, viewer=0))


def likes(tx: Reader, post: Post, page: Page) -> list[tuple[int, str]]:
    """Returns (id, uri) of the likes of a post."""
    rows = tx.all(
        f"""SELECT l.id, l.uri FROM likes l
            WHERE l.post_id = :post AND {visibility.is_active("l.account_id")} {page.clause("l.id")}""",  # noqa: S608
        post=post.id,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.newest_first(rows)]


def shares(tx: Reader, post: Post, page: Page) -> list[tuple[int, str]]:
    """Returns (id, uri) of the public and unlisted boosts of a post."""
    rows = tx.all(
        f"""SELECT b.id, b.uri FROM boosts b
            WHERE b.post_id = :post AND b.visibility IN ('public', 'unlisted')
              AND {visibility.is_active("b.account_id")} {page.clause("b.id")}""",  # noqa: S608
        post=post.id,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.newest_first(rows)]


_HASHTAG = """FROM post_hashtags t JOIN posts p ON p.id = t.post_id JOIN accounts a ON a.id = p.account_id
    WHERE t.hashtag_id = (SELECT h.id FROM hashtags h WHERE h.name = :name) AND p.is_local
      AND p.visibility = 'public' AND p.deleted_at IS NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL"""


def hashtag_total(tx: Reader, name: str) -> int:
    """Returns the number of public local posts with a hashtag."""
    return int(tx.value(f"SELECT COUNT(*) {_HASHTAG}", name=name))


def hashtag(tx: Reader, name: str, page: Page) -> list[tuple[int, str]]:
    """Returns (id, uri) of the public local posts with a hashtag, newest first."""
    rows = tx.all(f"SELECT p.id, p.uri {_HASHTAG} {page.clause('p.id')}", name=name, **page.values)
    return [(row["id"], row["uri"]) for row in page.newest_first(rows)]
