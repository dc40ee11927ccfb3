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
from node.models import deletion_hooks
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.notifications import notifications
from node.posts import permissions, posts

MAX_LISTED = 80
MAX_PER_ACCOUNT = 10
REQUEST_SUFFIX = "#quote-request"
"""The id of a question is that of the post that asks, and this."""


@dataclass(frozen=True, slots=True)
class QuoteAuthorization:
    """A permission: the post `post_id` may be quoted in `quote_uri`, a post by `by_id`."""

    id: int
    post_id: int
    by_id: int
    quote_uri: str
    created_at: int


@dataclass(frozen=True, slots=True)
class PostQuote:
    """What the post `post_id` quotes. `target_id` is there once that is allowed."""

    post_id: int
    target_uri: str
    stamp_uri: str
    target_id: int | None


_SELECT_AUTHORIZATION = f"SELECT {columns(QuoteAuthorization)} FROM quote_stamps"  # noqa: S608
_SELECT_QUOTE = f"SELECT {columns(PostQuote)} FROM quotes"  # noqa: S608


def authorization_uri(author: Account, authorization: QuoteAuthorization) -> str:
    return f"{author.uri}/stamps/{authorization.id}"


def may_quote(tx: Reader, who: Account, target: Post) -> bool:
    """Whether one of ours may quote a post, or may at least ask."""
    given = permissions.decide(tx, who, target, "quote")
    return target.visibility in OPEN_VISIBILITIES and (
        given == "yes" or (given == "ask" and not target.is_local)
    )


def quote(tx: Writer, who: Account, post: Post, target: Post) -> None:
    """Let a new post of one of ours quote another. Raises NotAllowed.

    Here its author's policy answers at once. The server of somebody elsewhere is asked; until it has answered
    with a stamp, the quote is a link.
    """
    if post.visibility not in OPEN_VISIBILITIES:
        raise NotAllowed("Only public and unlisted posts can quote another post.")
    if not may_quote(tx, who, target):
        raise NotAllowed("The author does not allow quotes of this post.")
    author = accounts.get(tx, target.account_id)
    if not target.is_local:
        record_unapproved(tx, post.id, target.uri, "")
        outbox.record(
            tx, who, "QuoteRequest", target.uri, uri=f"{post.uri}{REQUEST_SUFFIX}", post=post, target=author
        )
        return
    given = ""
    if author.id != who.id:
        given = authorization_uri(author, _authorize(tx, target, who, post.uri))
        notifications.notify(tx, author.id, "quote", who, target)
    record_unapproved(tx, post.id, target.uri, given)
    approve(tx, PostQuote(post.id, target.uri, given, None), target)


def by_request_uri(tx: Reader, request_uri: str) -> tuple[Post, PostQuote] | None:
    """The post of one of ours that asked under this id, and what it wants to quote."""
    post = (
        posts.by_uri(tx, request_uri.removesuffix(REQUEST_SUFFIX))
        if request_uri.endswith(REQUEST_SUFFIX)
        else None
    )
    said = by_post(tx, post) if post is not None and post.is_local and post.deleted_at is None else None
    return None if post is None or said is None else (post, said)


def receive_request(
    tx: Writer, by: Account, post: Post, *, request_uri: str, quote_uri: str
) -> QuoteAuthorization | None:
    """Somebody elsewhere asks to quote a post of ours in theirs; it is answered by its policy.

    The same question is answered the same way again.
    """
    author = accounts.get(tx, post.account_id)
    said = {"uri": request_uri, "by": by.uri, "object": post.uri, "instrument": quote_uri}
    allowed = permissions.decide(tx, by, post, "quote") == "yes"
    if not allowed or not _is_below_limit(tx, by, post, quote_uri):
        outbox.record(tx, author, "Reject", request_uri, target=by, extra={"quote": said})
        return None
    stamp = _authorize(tx, post, by, quote_uri)
    result = authorization_uri(author, stamp)
    outbox.record(tx, author, "Accept", request_uri, target=by, extra={"quote": said | {"result": result}})
    notifications.notify(tx, author.id, "quote", by, post)
    return stamp


def _authorize(tx: Writer, post: Post, by: Account, quote_uri: str) -> QuoteAuthorization:
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
    stamp = _authorization(tx, post, quote_uri)
    assert stamp is not None
    return stamp


def _is_below_limit(tx: Reader, by: Account, post: Post, quote_uri: str) -> bool:
    given = tx.value(
        "SELECT COUNT(*) FROM quote_stamps WHERE post_id = :post AND by_id = :by AND quote_uri <> :quote",
        post=post.id,
        by=by.id,
        quote=quote_uri,
    )
    return bool(given < MAX_PER_ACCOUNT)


def _authorization(tx: Reader, post: Post, quote_uri: str) -> QuoteAuthorization | None:
    row = tx.one(
        _SELECT_AUTHORIZATION + " WHERE post_id = :post AND quote_uri = :quote", post=post.id, quote=quote_uri
    )
    return build(QuoteAuthorization, row) if row else None


def authorization_by_id(
    tx: Reader, author: Account, authorization_id: int
) -> tuple[QuoteAuthorization, Post]:
    """A stamp by one of ours that still holds. Raises NotFound."""
    row = tx.one(_SELECT_AUTHORIZATION + " WHERE id = :id", id=authorization_id)
    found = build(QuoteAuthorization, row) if row else None
    post = posts.by_id(tx, found.post_id) if found is not None else None
    if found is None or post is None or post.account_id != author.id or not _is_quotable(post):
        raise NotFound
    return found, post


def _is_quotable(post: Post) -> bool:
    return post.deleted_at is None and post.visibility in OPEN_VISIBILITIES


def authorizations_by_post(tx: Reader, post: Post) -> list[tuple[QuoteAuthorization, Account]]:
    """Where one of our posts is quoted, and by whom, the latest first: for its author."""
    rows = tx.all(
        _SELECT_AUTHORIZATION + " WHERE post_id = :post ORDER BY id DESC LIMIT :most",
        post=post.id,
        most=MAX_LISTED,
    )
    found = build_all(QuoteAuthorization, rows)
    people = accounts.by_ids(tx, [one.by_id for one in found])
    return [(one, people[one.by_id]) for one in found if not people[one.by_id].is_inactive]


def revoke(tx: Writer, who: Account, authorization_id: int) -> Post:
    """Take a permission back: other servers show the quote no longer. The post that was quoted. Raises NotFound."""
    found, post = authorization_by_id(tx, who, authorization_id)
    tx.run("DELETE FROM quote_stamps WHERE id = :id", id=found.id)
    tx.run("UPDATE quotes SET target_id = NULL WHERE stamp_uri = :uri", uri=authorization_uri(who, found))
    if all(one.by_id != found.by_id for one, _ in authorizations_by_post(tx, post)):
        notifications.withdraw(tx, "quote", accounts.get(tx, found.by_id), post=post)
    target = accounts.get(tx, found.by_id)
    extra = {"quoted": post.id}
    outbox.record(tx, who, "Revoke", authorization_uri(who, found), target=target, extra=extra)
    return post


def record_unapproved(tx: Writer, post_id: int, target_uri: str, stamp_uri: str) -> None:
    """A post of another server says that it quotes something. Nobody has agreed to that yet."""
    tx.run(
        """INSERT INTO quotes (post_id, target_uri, stamp_uri) VALUES (:post, :target, :stamp)
           ON CONFLICT (post_id) DO UPDATE SET target_uri = excluded.target_uri, stamp_uri = excluded.stamp_uri,
               target_id = CASE WHEN quotes.target_uri = excluded.target_uri
                   AND quotes.stamp_uri = excluded.stamp_uri THEN quotes.target_id END""",
        post=post_id,
        target=target_uri,
        stamp=stamp_uri,
    )


def remove_quote(tx: Writer, post_id: int) -> None:
    """A post quotes nothing any more."""
    tx.run("DELETE FROM quotes WHERE post_id = :post", post=post_id)


def approve(tx: Writer, quoted: PostQuote, target: Post) -> None:
    """The author of what is quoted agrees: their stamp was seen, or it is their own post that quotes.

    Nothing happens if the post says something else by now, or the stamp was taken back in the meantime.
    """
    if target.id != quoted.post_id and target.visibility in OPEN_VISIBILITIES and target.deleted_at is None:
        changed = tx.run(
            """UPDATE quotes SET target_id = :target
               WHERE post_id = :post AND target_uri = :target_uri AND stamp_uri = :stamp""",
            target=target.id,
            post=quoted.post_id,
            target_uri=quoted.target_uri,
            stamp=quoted.stamp_uri,
        )
        if changed:
            _record_update(tx, quoted.post_id)


def _record_update(tx: Writer, post_id: int) -> None:
    """What one of ours may quote has changed: whoever has their post hears of it."""
    post = posts.by_id(tx, post_id)
    if post is not None and post.is_local and post.deleted_at is None:
        outbox.record(tx, accounts.get(tx, post.account_id), "Update", post.uri, post=post)


def receive_revocation(tx: Writer, by: Account, stamp_uri: str) -> bool:
    """Somebody elsewhere takes their permission back, also one still being looked at. Whether there was one."""
    rows = tx.all(
        """UPDATE quotes SET target_id = NULL, stamp_uri = '' WHERE stamp_uri = :stamp AND (target_id IS NULL
               OR target_id IN (SELECT id FROM posts WHERE account_id = :by)) RETURNING post_id""",
        stamp=stamp_uri,
        by=by.id,
    )
    for row in rows:
        _record_update(tx, row["post_id"])
    return bool(rows)


def by_posts(tx: Reader, post_ids: Sequence[int]) -> dict[int, PostQuote]:
    """What each of these posts quotes."""
    rows = tx.all(_SELECT_QUOTE + " WHERE post_id IN (:ids)", ids=list(post_ids))
    return {row["post_id"]: build(PostQuote, row) for row in rows}


def by_post(tx: Reader, post: Post) -> PostQuote | None:
    """What a post quotes, if anything."""
    row = tx.one(_SELECT_QUOTE + " WHERE post_id = :post", post=post.id)
    return build(PostQuote, row) if row else None


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes what a post quotes and every permission to quote it; quotes of it become links."""
    tx.run("DELETE FROM quotes WHERE post_id = :post", post=post.id)
    tx.run("UPDATE quotes SET target_id = NULL WHERE target_id = :post", post=post.id)
    tx.run("DELETE FROM quote_stamps WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the permissions to quote that an account was given."""
    tx.run("DELETE FROM quote_stamps WHERE by_id = :account", account=account.id)
