"""Mentions: the accounts a post is addressed to. Owns `mentions`.

A mentioned account may see the post, whatever its visibility. Silent mentions are addressed without being named in
the caption, as the author of a comment's parent always is. `private_by` is the author of a followers-only or direct
post, for the lists of what an account may see only because it is mentioned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.accounts import accounts
from node.database import Reader, Writer
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post


@dataclass(frozen=True, slots=True)
class Mention:
    """An account a post is addressed to."""

    account: Account
    is_silent: bool


def by_posts(tx: Reader, post_ids: Sequence[int]) -> dict[int, list[Mention]]:
    """Returns the mentions by post id, in two queries however many posts there are."""
    rows = tx.all(
        """SELECT post_id, account_id, is_silent FROM mentions
           WHERE post_id IN (:ids) ORDER BY post_id, account_id""",
        ids=post_ids,
    )
    people = accounts.by_ids(tx, {row["account_id"] for row in rows})
    found: dict[int, list[Mention]] = {}
    for row in rows:
        mention = Mention(people[row["account_id"]], bool(row["is_silent"]))
        found.setdefault(row["post_id"], []).append(mention)
    return found


def account_ids_by_posts(tx: Reader, post_ids: Sequence[int]) -> dict[int, list[int]]:
    """Returns the ids of accounts named in posts (not the silent ones) by post id, in one query."""
    found: dict[int, list[int]] = {}
    for row in tx.all(
        """SELECT post_id, account_id FROM mentions
           WHERE post_id IN (:ids) AND NOT is_silent ORDER BY post_id, account_id""",
        ids=post_ids,
    ):
        found.setdefault(row["post_id"], []).append(row["account_id"])
    return found


def by_post(tx: Reader, post: Post) -> list[Mention]:
    return by_posts(tx, [post.id]).get(post.id, [])


def replace(tx: Writer, post: Post, named: Iterable[Account], silent: Iterable[Account]) -> None:
    """Addresses a post to these accounts alone. Its author is left out; named wins over silent."""
    rows = {person.id: True for person in silent} | {person.id: False for person in named}
    rows.pop(post.account_id, None)
    if post.edited_at is not None:
        delete_by_post(tx, post)
    tx.many(
        """INSERT INTO mentions (post_id, account_id, is_silent, private_by)
           VALUES (:post, :account, :is_silent, :private_by)
           ON CONFLICT DO NOTHING""",
        [
            {
                "post": post.id,
                "account": id_,
                "is_silent": is_silent,
                "private_by": None if post.is_open else post.account_id,
            }
            for id_, is_silent in rows.items()
        ],
    )


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the mentions in a post."""
    tx.run("DELETE FROM mentions WHERE post_id = :post", post=post.id)
