"""What the public collections of a person or a post hold, as any stranger may read them. Reads only.

Whoever asks, only public and unlisted things are listed: a page of a collection may be kept by caches and
copied by crawlers. Everything is paged by id, newest first.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.database import Reader
from node.models import visibility
from node.models.account import Account
from node.models.post import Post
from node.paging import Page


@dataclass(frozen=True, slots=True)
class Said:
    """A line of an outbox: a post, or somebody's boost of one."""

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
             WHERE p.account_id = :who AND p.visibility IN ('public', 'unlisted')
               AND {visibility.visible_to("p")}"""  # noqa: S608
_BOOSTS = f"""SELECT b.id, b.post_id, b.uri, p.uri, a.uri, b.visibility, b.created_at
              FROM boosts b JOIN posts p ON p.id = b.post_id JOIN accounts a ON a.id = p.account_id
              WHERE b.account_id = :who AND b.visibility IN ('public', 'unlisted')
                AND p.visibility IN ('public', 'unlisted') AND {visibility.visible_to("p")}"""  # noqa: S608


def outbox(tx: Reader, who: Account, page: Page) -> list[Said]:
    """What someone published and boosted."""
    rows = tx.all(
        f"""SELECT id, post_id, boost_uri, boosted_uri, boosted_author_uri, visibility, created_at
            FROM ({_POSTS} UNION ALL {_BOOSTS}) said
            WHERE id > 0 {page.clause("id")}""",  # noqa: S608
        who=who.id,
        viewer=0,
        **page.values,
    )
    return [Said(**dict(row)) for row in page.ordered(rows)]


def outbox_total(tx: Reader, who: Account) -> int:
    return int(
        tx.value(
            f"SELECT COUNT(*) FROM ({_POSTS} UNION ALL {_BOOSTS}) said",  # noqa: S608
            who=who.id,
            viewer=0,
        )
    )


_REPLIES = f"""FROM posts p WHERE p.parent_id = :post AND p.visibility IN ('public', 'unlisted')
                 AND {visibility.visible_to("p")}"""


def replies_total(tx: Reader, post: Post) -> int:
    return int(tx.value(f"SELECT COUNT(*) {_REPLIES}", post=post.id, viewer=0))


def replies(tx: Reader, post: Post, page: Page) -> list[tuple[int, str]]:
    """(id, uri) of the answers to a post."""
    rows = tx.all(
        f"SELECT p.id, p.uri {_REPLIES} {page.clause('p.id')}",
        post=post.id,
        viewer=0,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.ordered(rows)]


_THREAD = f"""FROM posts p WHERE p.root_id = :root AND p.visibility IN ('public', 'unlisted')
                AND {visibility.visible_to("p")}"""


def thread(tx: Reader, root: Post, page: Page) -> list[tuple[int, str]]:
    """(id, uri) of everything in a conversation that anybody may read, its beginning included."""
    rows = tx.all(
        f"SELECT p.id, p.uri {_THREAD} {page.clause('p.id')}",
        root=root.id,
        viewer=0,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.ordered(rows)]


def thread_total(tx: Reader, root: Post) -> int:
    return int(tx.value(f"SELECT COUNT(*) {_THREAD}", root=root.id, viewer=0))


def likes(tx: Reader, post: Post, page: Page) -> list[tuple[int, str]]:
    """(id, uri) of the likes of a post."""
    rows = tx.all(
        f"""SELECT l.id, l.uri FROM likes l
            WHERE l.post_id = :post AND {visibility.present("l.account_id")} {page.clause("l.id")}""",  # noqa: S608
        post=post.id,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.ordered(rows)]


def shares(tx: Reader, post: Post, page: Page) -> list[tuple[int, str]]:
    """(id, uri) of the boosts of a post that are not for followers alone."""
    rows = tx.all(
        f"""SELECT b.id, b.uri FROM boosts b
            WHERE b.post_id = :post AND b.visibility IN ('public', 'unlisted')
              AND {visibility.present("b.account_id")} {page.clause("b.id")}""",  # noqa: S608
        post=post.id,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.ordered(rows)]


_TAGGED = """FROM post_hashtags t JOIN posts p ON p.id = t.post_id JOIN accounts a ON a.id = p.account_id
    WHERE t.hashtag_id = (SELECT h.id FROM hashtags h WHERE h.name = :name) AND p.is_local
      AND p.visibility = 'public' AND p.deleted_at IS NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL"""


def tagged_total(tx: Reader, name: str) -> int:
    """How many public posts of this node bear a tag."""
    return int(tx.value(f"SELECT COUNT(*) {_TAGGED}", name=name))


def tagged(tx: Reader, name: str, page: Page) -> list[tuple[int, str]]:
    """(id, uri) of the public posts of this node that bear a tag, newest first."""
    rows = tx.all(f"SELECT p.id, p.uri {_TAGGED} {page.clause('p.id')}", name=name, **page.values)
    return [(row["id"], row["uri"]) for row in page.ordered(rows)]
