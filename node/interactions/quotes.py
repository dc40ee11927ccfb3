"""Quotes of posts, with the consent of whoever is quoted. Owns `quotes` and `quote_stamps`.

Somebody elsewhere who wants to quote one of our posts asks; the post's own policy answers, and a yes leaves a
stamp that its author can take back. A quote in somebody else's post is shown as a card only with such a stamp
by the author of what is quoted, and only to whom both posts are for; otherwise it is a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.accounts import accounts
from node.database import Reader, Writer, build, build_all, columns
from node.errors import NotAllowed, NotFound
from node.federation import outbox
from node.ids import new_id, now_ms
from node.models.account import Account
from node.models.audience import OPEN
from node.models.post import Post
from node.notifications import notifications
from node.posts import permissions, posts

MOST_LISTED = 80
MOST_OF_ONE = 10
REQUEST = "#quote-request"
"""The id of a question is that of the post that asks, and this."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A permission: the post `post_id` may be quoted in `quote_uri`, a post by `by_id`."""

    id: int
    post_id: int
    by_id: int
    quote_uri: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What the post `post_id` quotes. `target_id` is there once that is allowed."""

    post_id: int
    target_uri: str
    stamp_uri: str
    target_id: int | None


_STAMP = f"SELECT {columns(Stamp)} FROM quote_stamps"  # noqa: S608
_QUOTE = f"SELECT {columns(Quote)} FROM quotes"  # noqa: S608


def stamp_uri(author: Account, stamp: Stamp) -> str:
    return f"{author.uri}/stamps/{stamp.id}"


def may_quote(tx: Reader, who: Account, target: Post) -> bool:
    """Whether one of ours may quote a post, or may at least ask."""
    given = permissions.answer(tx, who, target, "quote")
    return target.visibility in OPEN and (given == "yes" or (given == "ask" and not target.is_local))


def quote(tx: Writer, who: Account, post: Post, target: Post) -> None:
    """Let a new post of one of ours quote another. Raises NotAllowed.

    Here its author's policy answers at once. The server of somebody elsewhere is asked; until it has answered
    with a stamp, the quote is a link.
    """
    if post.visibility not in OPEN:
        raise NotAllowed("Only public and unlisted posts can quote another post.")
    if not may_quote(tx, who, target):
        raise NotAllowed("The author does not allow quotes of this post.")
    author = accounts.get(tx, target.account_id)
    if not target.is_local:
        note_down(tx, post.id, target.uri, "")
        outbox.record(
            tx, who, "QuoteRequest", target.uri, uri=f"{post.uri}{REQUEST}", post=post, target=author
        )
        return
    given = ""
    if author.id != who.id:
        given = stamp_uri(author, _give(tx, target, who, post.uri))
        notifications.notify(tx, author.id, "quote", who, target)
    note_down(tx, post.id, target.uri, given)
    agreed(tx, Quote(post.id, target.uri, given, None), target)


def asked_by(tx: Reader, request_uri: str) -> tuple[Post, Quote] | None:
    """The post of one of ours that asked under this id, and what it wants to quote."""
    post = posts.by_uri(tx, request_uri.removesuffix(REQUEST)) if request_uri.endswith(REQUEST) else None
    said = of(tx, post) if post is not None and post.is_local and post.deleted_at is None else None
    return None if post is None or said is None else (post, said)


def ask(tx: Writer, by: Account, post: Post, *, request_uri: str, quote_uri: str) -> Stamp | None:
    """Somebody elsewhere asks to quote a post of ours in theirs; it is answered by its policy.

    The same question is answered the same way again.
    """
    author = accounts.get(tx, post.account_id)
    said = {"uri": request_uri, "by": by.uri, "object": post.uri, "instrument": quote_uri}
    allowed = permissions.answer(tx, by, post, "quote") == "yes"
    if not allowed or not _has_room(tx, by, post, quote_uri):
        outbox.record(tx, author, "Reject", request_uri, target=by, extra={"quote": said})
        return None
    stamp = _give(tx, post, by, quote_uri)
    result = stamp_uri(author, stamp)
    outbox.record(tx, author, "Accept", request_uri, target=by, extra={"quote": said | {"result": result}})
    notifications.notify(tx, author.id, "quote", by, post)
    return stamp


def _give(tx: Writer, post: Post, by: Account, quote_uri: str) -> Stamp:
    """The permission for one quote, the same one if it is given twice."""
    tx.run(
        """INSERT INTO quote_stamps (id, post_id, by_id, quote_uri, created_at)
           VALUES (:id, :post, :by, :quote, :now) ON CONFLICT DO NOTHING""",
        id=new_id(),
        post=post.id,
        by=by.id,
        quote=quote_uri,
        now=now_ms(),
    )
    stamp = _stamp(tx, post, quote_uri)
    assert stamp is not None
    return stamp


def _has_room(tx: Reader, by: Account, post: Post, quote_uri: str) -> bool:
    given = tx.value(
        "SELECT COUNT(*) FROM quote_stamps WHERE post_id = :post AND by_id = :by AND quote_uri <> :quote",
        post=post.id,
        by=by.id,
        quote=quote_uri,
    )
    return bool(given < MOST_OF_ONE)


def _stamp(tx: Reader, post: Post, quote_uri: str) -> Stamp | None:
    row = tx.one(_STAMP + " WHERE post_id = :post AND quote_uri = :quote", post=post.id, quote=quote_uri)
    return build(Stamp, row) if row else None


def stamp(tx: Reader, author: Account, stamp_id: int) -> tuple[Stamp, Post]:
    """A stamp by one of ours that still holds. Raises NotFound."""
    row = tx.one(_STAMP + " WHERE id = :id", id=stamp_id)
    found = build(Stamp, row) if row else None
    post = posts.by_id(tx, found.post_id) if found is not None else None
    if found is None or post is None or post.account_id != author.id or not _may_be_told(post):
        raise NotFound
    return found, post


def _may_be_told(post: Post) -> bool:
    return post.deleted_at is None and post.visibility in OPEN


def of_post(tx: Reader, post: Post) -> list[tuple[Stamp, Account]]:
    """Where one of our posts is quoted, and by whom, the latest first: for its author."""
    rows = tx.all(
        _STAMP + " WHERE post_id = :post ORDER BY id DESC LIMIT :most", post=post.id, most=MOST_LISTED
    )
    found = build_all(Stamp, rows)
    people = accounts.by_ids(tx, [one.by_id for one in found])
    return [(one, people[one.by_id]) for one in found if not people[one.by_id].is_gone]


def withdraw(tx: Writer, who: Account, stamp_id: int) -> Post:
    """Take a permission back: other servers show the quote no longer. The post that was quoted. Raises NotFound."""
    found, post = stamp(tx, who, stamp_id)
    tx.run("DELETE FROM quote_stamps WHERE id = :id", id=found.id)
    tx.run("UPDATE quotes SET target_id = NULL WHERE stamp_uri = :uri", uri=stamp_uri(who, found))
    if all(one.by_id != found.by_id for one, _ in of_post(tx, post)):
        notifications.withdraw(tx, "quote", accounts.get(tx, found.by_id), post=post)
    target = accounts.get(tx, found.by_id)
    extra = {"quoted": post.id}
    outbox.record(tx, who, "Revoke", stamp_uri(who, found), target=target, extra=extra)
    return post


def note_down(tx: Writer, post_id: int, target_uri: str, stamp: str) -> None:
    """A post of another server says that it quotes something. Nobody has agreed to that yet."""
    tx.run(
        """INSERT INTO quotes (post_id, target_uri, stamp_uri) VALUES (:post, :target, :stamp)
           ON CONFLICT (post_id) DO UPDATE SET target_uri = excluded.target_uri, stamp_uri = excluded.stamp_uri,
               target_id = CASE WHEN quotes.target_uri = excluded.target_uri
                   AND quotes.stamp_uri = excluded.stamp_uri THEN quotes.target_id END""",
        post=post_id,
        target=target_uri,
        stamp=stamp,
    )


def forget(tx: Writer, post_id: int) -> None:
    """A post quotes nothing any more."""
    tx.run("DELETE FROM quotes WHERE post_id = :post", post=post_id)


def agreed(tx: Writer, said: Quote, target: Post) -> None:
    """The author of what is quoted agrees: their stamp was seen, or it is their own post that quotes.

    Nothing happens if the post says something else by now, or the stamp was taken back in the meantime.
    """
    if target.id != said.post_id and target.visibility in OPEN and target.deleted_at is None:
        changed = tx.run(
            """UPDATE quotes SET target_id = :target
               WHERE post_id = :post AND target_uri = :target_uri AND stamp_uri = :stamp""",
            target=target.id,
            post=said.post_id,
            target_uri=said.target_uri,
            stamp=said.stamp_uri,
        )
        if changed:
            _tell(tx, said.post_id)


def _tell(tx: Writer, post_id: int) -> None:
    """What one of ours may quote has changed: whoever has their post hears of it."""
    post = posts.by_id(tx, post_id)
    if post is not None and post.is_local and post.deleted_at is None:
        outbox.record(tx, accounts.get(tx, post.account_id), "Update", post.uri, post=post)


def revoked(tx: Writer, by: Account, stamp: str) -> bool:
    """Somebody elsewhere takes their permission back, also one still being looked at. Whether there was one."""
    rows = tx.all(
        """UPDATE quotes SET target_id = NULL, stamp_uri = '' WHERE stamp_uri = :stamp AND (target_id IS NULL
               OR target_id IN (SELECT id FROM posts WHERE account_id = :by)) RETURNING post_id""",
        stamp=stamp,
        by=by.id,
    )
    for row in rows:
        _tell(tx, row["post_id"])
    return bool(rows)


def of_posts(tx: Reader, post_ids: Sequence[int]) -> dict[int, Quote]:
    """What each of these posts quotes."""
    rows = tx.all(_QUOTE + " WHERE post_id IN (:ids)", ids=list(post_ids))
    return {row["post_id"]: build(Quote, row) for row in rows}


def of(tx: Reader, post: Post) -> Quote | None:
    """What a post quotes, if anything."""
    row = tx.one(_QUOTE + " WHERE post_id = :post", post=post.id)
    return build(Quote, row) if row else None


def remove_of_post(tx: Writer, post_id: int) -> None:
    """A post is gone: what it quoted, and every permission to quote it."""
    tx.run("DELETE FROM quotes WHERE post_id = :post", post=post_id)
    tx.run("UPDATE quotes SET target_id = NULL WHERE target_id = :post", post=post_id)
    tx.run("DELETE FROM quote_stamps WHERE post_id = :post", post=post_id)


def forget_by(tx: Writer, who: Account) -> None:
    """Someone is gone, and with them what they were allowed to quote."""
    tx.run("DELETE FROM quote_stamps WHERE by_id = :who", who=who.id)
