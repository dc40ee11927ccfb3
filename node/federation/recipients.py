"""Whom a sentence should reach elsewhere, and who elsewhere is told about a post. Reads only.

An inbox is given with the id of its owner, so that the caller can prefer the shared one and knows the host.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, Row, build, columns
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import no_block_between


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where someone elsewhere is written to. `shared` is their server's common inbox, or ''."""

    inbox: str
    shared: str

    @property
    def best(self) -> str:
        """The common inbox, where there is one: one request for all who live there."""
        return self.shared or self.inbox


_HERE = "NOT a.is_local AND a.deleted_at IS NULL AND a.suspended_at IS NULL AND a.inbox <> ''"


def followers(tx: Reader, account_id: int) -> list[Mailbox]:
    """Those of accepted followers elsewhere, each common inbox once."""
    return _mailboxes(
        tx.all(
            f"""SELECT MIN(a.inbox) AS inbox, a.shared_inbox
                FROM follows f JOIN accounts a ON a.id = f.follower_id
                WHERE f.followed_id = :who AND f.state = 'accepted' AND {_HERE}
                GROUP BY CASE WHEN a.shared_inbox <> '' THEN a.shared_inbox ELSE a.inbox END, a.shared_inbox""",  # noqa: S608
            who=account_id,
        )
    )


def people(tx: Reader, ids: Iterable[int]) -> list[Mailbox]:
    """Those of these people, as far as they live elsewhere."""
    return _mailboxes(
        tx.all(
            f"SELECT a.inbox, a.shared_inbox FROM accounts a WHERE a.id IN (:ids) AND {_HERE}",  # noqa: S608
            ids=list(ids),
        )
    )


def mentioned(tx: Reader, post_id: int, author_id: int) -> list[Mailbox]:
    """Those of the people a post is addressed to by name, unless there is a block between them and its author."""
    return _mailboxes(
        tx.all(
            f"""SELECT a.inbox, a.shared_inbox FROM mentions m JOIN accounts a ON a.id = m.account_id
                WHERE m.post_id = :post AND {_HERE}
                  AND {no_block_between(":author", "a.id")}""",  # noqa: S608
            post=post_id,
            author=author_id,
        )
    )


def interested(tx: Reader, post_id: int, author_id: int) -> list[Mailbox]:
    """Those of people who liked, boosted or answered a post: they should hear of an edit.

    Not across a block with its author, as everywhere.
    """
    return _mailboxes(
        tx.all(
            f"""SELECT DISTINCT a.inbox, a.shared_inbox FROM accounts a
                WHERE {_HERE} AND a.id IN (
                    SELECT account_id FROM likes WHERE post_id = :post
                    UNION SELECT account_id FROM boosts WHERE post_id = :post
                    UNION SELECT account_id FROM posts WHERE parent_id = :post)
                  AND {no_block_between(":author", "a.id")}""",  # noqa: S608
            post=post_id,
            author=author_id,
        )
    )


def conversation(tx: Reader, post: Post) -> list[Mailbox]:
    """Those of the authors of everything an open comment hangs below, so that each sees the whole tree."""
    return _mailboxes(
        tx.all(
            f"""WITH RECURSIVE above (id, parent_id, account_id, depth) AS (
                    SELECT p.id, p.parent_id, p.account_id, 0 FROM posts p WHERE p.id = :parent
                    UNION ALL
                    SELECT p.id, p.parent_id, p.account_id, above.depth + 1
                    FROM posts p JOIN above ON p.id = above.parent_id WHERE above.depth < 50)
                SELECT DISTINCT a.inbox, a.shared_inbox
                FROM above JOIN accounts a ON a.id = above.account_id
                WHERE {_HERE} AND {no_block_between(":author", "a.id")}""",  # noqa: S608
            parent=post.parent_id or 0,
            author=post.account_id,
        )
    )


def heard_of(tx: Reader, post_id: int) -> list[Mailbox]:
    """Every inbox that was sent something about a post before: all of them should hear that it is gone."""
    rows = tx.all(
        """SELECT DISTINCT d.inbox, '' AS shared_inbox
           FROM outbox o JOIN deliveries d ON d.outbox_id = o.id WHERE o.post_id = :post""",
        post=post_id,
    )
    return _mailboxes(rows)


def audience_at(tx: Reader, post: Post, base_url: str) -> list[Account]:
    """People of one server (`https://host/`) that a post which is not public may be meant for."""
    rows = tx.all(
        f"""SELECT {columns(Account, "a")} FROM accounts a
            WHERE substr(a.uri, 1, :length) = :base AND NOT a.is_local AND a.id IN (
                SELECT f.follower_id FROM follows f
                WHERE f.followed_id = :author AND f.state = 'accepted'
                UNION SELECT m.account_id FROM mentions m WHERE m.post_id = :post)
            LIMIT 20""",  # noqa: S608
        base=base_url,
        length=len(base_url),
        author=post.account_id,
        post=post.id,
    )
    return [build(Account, row) for row in rows]


FOLLOWED_HERE = """SELECT 1 FROM follows f JOIN accounts a ON a.id = f.follower_id
    WHERE f.followed_id = :who AND f.state = 'accepted' AND a.is_local LIMIT 1"""
"""SQL: a row, if anybody on this node follows `:who` (and they have agreed)."""


def is_followed_here(tx: Reader, account_id: int) -> bool:
    """Whether anybody on this node follows them (and they have agreed)."""
    return tx.value(FOLLOWED_HERE, who=account_id) is not None


def _mailboxes(rows: list[Row]) -> list[Mailbox]:
    return [Mailbox(row["inbox"], row["shared_inbox"]) for row in rows]


def reader_here(tx: Reader, author_id: int, told: Iterable[str]) -> int | None:
    """One of ours who may read what this author says to these addresses: somebody named, else a follower."""
    here = tx.site.uri("/users/")
    found = tx.value(
        """SELECT id FROM accounts WHERE uri IN (:uris) AND is_local AND deleted_at IS NULL
           AND suspended_at IS NULL ORDER BY id LIMIT 1""",
        uris=[uri for uri in told if uri.startswith(here)] or [""],
    )
    if found is None:
        found = tx.value(
            """SELECT a.id FROM follows f JOIN accounts a ON a.id = f.follower_id
               WHERE f.followed_id = :author AND f.state = 'accepted' AND a.is_local
                 AND a.deleted_at IS NULL AND a.suspended_at IS NULL ORDER BY f.id LIMIT 1""",
            author=author_id,
        )
    return None if found is None else int(found)
