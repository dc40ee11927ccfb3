"""Which remote accounts get an activity: their inboxes, by their relation to an account or a post. Reads
only.

`activitypub.delivery.audience` combines these sets, chooses between shared and personal inboxes and leaves
out blocked servers. The rule guarded here: never a local, deleted or suspended account, and across a block
only a deletion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from node.database import Reader, Row
from node.models import visibility
from node.models.post import Post
from node.models.visibility import no_block_between


@dataclass(frozen=True, slots=True)
class RecipientInbox:
    """The inbox of a remote account; `shared_inbox` is that of its server, or ''."""

    inbox: str
    shared_inbox: str

    @property
    def preferred(self) -> str:
        """The shared inbox where there is one: one request for all accounts of the server."""
        return self.shared_inbox or self.inbox


_IS_DELIVERABLE_SQL = "NOT a.is_local AND a.deleted_at IS NULL AND a.suspended_at IS NULL AND a.inbox <> ''"

_INTERESTED_SQL = """a.id IN (
    SELECT account_id FROM likes WHERE post_id = :post
    UNION SELECT account_id FROM boosts WHERE post_id = :post
    UNION SELECT account_id FROM posts WHERE parent_id = :post)"""
"""SQL: the account `a` has liked, boosted or replied to `:post`."""


def followers(tx: Reader, account_id: int) -> list[RecipientInbox]:
    """Returns the inboxes of remote accepted followers, each shared inbox once."""
    return _inboxes(
        tx.all(
            f"""SELECT MIN(a.inbox) AS inbox, a.shared_inbox
                FROM follows f JOIN accounts a ON a.id = f.follower_id
                WHERE f.followed_id = :account AND f.state = 'accepted' AND {_IS_DELIVERABLE_SQL}
                GROUP BY CASE WHEN a.shared_inbox <> '' THEN a.shared_inbox ELSE a.inbox END, a.shared_inbox""",  # noqa: S608
            account=account_id,
        )
    )


def accounts(tx: Reader, ids: Iterable[int]) -> list[RecipientInbox]:
    """Returns the inboxes of these accounts, as far as they are remote."""
    return _inboxes(
        tx.all(
            f"SELECT a.inbox, a.shared_inbox FROM accounts a WHERE a.id IN (:ids) AND {_IS_DELIVERABLE_SQL}",  # noqa: S608
            ids=list(ids),
        )
    )


def mentioned(tx: Reader, post_id: int, author_id: int) -> list[RecipientInbox]:
    """Returns the inboxes of accounts that a post mentions, unless one has blocked the other."""
    return _inboxes(
        tx.all(
            f"""SELECT a.inbox, a.shared_inbox FROM mentions m JOIN accounts a ON a.id = m.account_id
                WHERE m.post_id = :post AND {_IS_DELIVERABLE_SQL}
                  AND {no_block_between(":author", "a.id")}""",  # noqa: S608
            post=post_id,
            author=author_id,
        )
    )


def interested(tx: Reader, post_id: int, author_id: int) -> list[RecipientInbox]:
    """Returns the inboxes of accounts that liked, boosted or replied to a post, and so should get its edits.

    Not across a block with its author.
    """
    return _inboxes(
        tx.all(
            f"""SELECT DISTINCT a.inbox, a.shared_inbox FROM accounts a
                WHERE {_IS_DELIVERABLE_SQL} AND {_INTERESTED_SQL}
                  AND {no_block_between(":author", "a.id")}""",  # noqa: S608
            post=post_id,
            author=author_id,
        )
    )


def interested_ids(tx: Reader, post_id: int) -> list[int]:
    """Returns the ids of remote accounts that liked, boosted or replied to a post, to be notified of its deletion.

    Across a block with its author too, since a deletion is sent across one; `accounts` leaves out whoever can
    get nothing when it is sent.
    """
    rows = tx.all(
        f"SELECT a.id FROM accounts a WHERE NOT a.is_local AND {_INTERESTED_SQL}",  # noqa: S608
        post=post_id,
    )
    return [row["id"] for row in rows]


def thread_authors(tx: Reader, post: Post) -> list[RecipientInbox]:
    """Returns the inboxes of the authors of all posts above a reply (50 levels),
    so each sees the whole thread."""
    return _inboxes(
        tx.all(
            f"""WITH RECURSIVE above (id, parent_id, account_id, depth) AS (
                    SELECT p.id, p.parent_id, p.account_id, 0 FROM posts p WHERE p.id = :parent
                    UNION ALL
                    SELECT p.id, p.parent_id, p.account_id, above.depth + 1
                    FROM posts p JOIN above ON p.id = above.parent_id WHERE above.depth < 50)
                SELECT DISTINCT a.inbox, a.shared_inbox
                FROM above JOIN accounts a ON a.id = above.account_id
                WHERE {_IS_DELIVERABLE_SQL} AND {no_block_between(":author", "a.id")}""",  # noqa: S608
            parent=post.parent_id or 0,
            author=post.account_id,
        )
    )


def previous_recipients(tx: Reader, post_id: int) -> list[RecipientInbox]:
    """Returns every inbox that was ever sent an activity about a post:
    all of them should get its deletion."""
    rows = tx.all(
        """SELECT DISTINCT d.inbox, '' AS shared_inbox
           FROM outbox o JOIN deliveries d ON d.outbox_id = o.id WHERE o.post_id = :post""",
        post=post_id,
    )
    return _inboxes(rows)


def has_reader_on_server(tx: Reader, post: Post, host: str) -> bool:
    """Returns whether an account of another server, by the host of its id, may see a post: it may fetch that, then."""
    return _has_reader(tx, "posts p WHERE p.id = :post", host, post=post.id)


def has_reader_of_file(tx: Reader, key: str, host: str) -> bool:
    """Returns whether an account of another server may see a post with a photo file.

    By the host of its id, which is that of its inbox as well.
    """
    return _has_reader(tx, visibility.POSTS_WITH_FILE_SQL, host, key=key)


def _has_reader(tx: Reader, posts_sql: str, host: str, **values: Any) -> bool:
    """Returns whether there is an account that may see one of some posts: it is mentioned, or follows the author.

    All of them on that server are asked: who may see a direct post need not be among the first of many followers.
    """
    # SQLite goes from the posts to their readers: a CROSS JOIN is done in its order, and a host that is no plain column
    # is not looked up. Otherwise it would begin with every account, or follow, of that server.
    may_see = f"""NOT a.is_local AND a.suspended_at IS NULL AND a.deleted_at IS NULL
        AND COALESCE(a.host, '') = :host AND {visibility.visible_to("p", "a.id")}"""
    sql = f"""WITH p AS MATERIALIZED (SELECT p.* FROM {posts_sql})
        SELECT 1 WHERE EXISTS (SELECT 1 FROM p JOIN mentions m ON m.post_id = p.id
                JOIN accounts a ON a.id = m.account_id WHERE {may_see})
            OR EXISTS (SELECT 1 FROM p CROSS JOIN follows f JOIN accounts a ON a.id = f.follower_id
                WHERE f.followed_id = p.account_id AND f.host = :host AND f.host <> '' AND f.state = 'accepted'
                    AND p.visibility <> 'direct' AND {may_see})"""  # noqa: S608
    return tx.value(sql, host=host, **values) is not None


FOLLOWED_LOCALLY_SQL = """SELECT 1 FROM follows f JOIN accounts a ON a.id = f.follower_id
    WHERE f.followed_id = :who AND f.state = 'accepted' AND a.is_local LIMIT 1"""
"""SQL: a row, if a local account follows `:who` and was accepted."""


def is_followed_locally(tx: Reader, account_id: int) -> bool:
    """Returns whether a local account follows this one and was accepted."""
    return tx.value(FOLLOWED_LOCALLY_SQL, who=account_id) is not None


def _inboxes(rows: list[Row]) -> list[RecipientInbox]:
    return [RecipientInbox(row["inbox"], row["shared_inbox"]) for row in rows]


def local_reader(tx: Reader, author_id: int, addressed: Iterable[str]) -> int | None:
    """Returns the id of a local account that may read what an author sent to these URIs, or None.

    One of those addressed, else a follower.
    """
    local_prefix = tx.site.uri("/users/")
    found = tx.value(
        """SELECT id FROM accounts WHERE uri IN (:uris) AND is_local AND deleted_at IS NULL
           AND suspended_at IS NULL ORDER BY id LIMIT 1""",
        uris=[uri for uri in addressed if uri.startswith(local_prefix)] or [""],
    )
    if found is None:
        found = tx.value(
            """SELECT a.id FROM follows f JOIN accounts a ON a.id = f.follower_id
               WHERE f.followed_id = :author AND f.state = 'accepted' AND a.is_local
                 AND a.deleted_at IS NULL AND a.suspended_at IS NULL ORDER BY f.id LIMIT 1""",
            author=author_id,
        )
    return None if found is None else int(found)
