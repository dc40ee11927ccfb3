"""Quotes of posts, with the consent of the quoted author (FEP-044f). Owns `quotes` and `quote_stamps`.

A remote account that wants to quote a local post sends a QuoteRequest; the post's interaction policy decides, and an
Accept comes with an authorization (a stamp) that the author can revoke. A quote is shown as a card only with the
authorization of the quoted author, and only to viewers who may see both posts; otherwise it is a link.
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
from node.models.audience import OPEN_VISIBILITIES, rank
from node.models.post import Post
from node.notifications import notifications
from node.posts import permissions, posts

MAX_LISTED = 80
MAX_PER_ACCOUNT = 10
REQUEST_SUFFIX = "#quote-request"
"""The id of a QuoteRequest is that of the quoting post, and this."""


@dataclass(frozen=True, slots=True)
class QuoteAuthorization:
    """An authorization: the post `post_id` may be quoted in `quote_uri`, a post by `by_id`."""

    id: int
    post_id: int
    by_id: int
    quote_uri: str
    created_at: int


@dataclass(frozen=True, slots=True)
class PostQuote:
    """The quote in the post `post_id`. `target_id` is set once it is authorized."""

    post_id: int
    target_uri: str
    stamp_uri: str
    target_id: int | None


_SELECT_AUTHORIZATION = f"SELECT {columns(QuoteAuthorization)} FROM quote_stamps"  # noqa: S608
_SELECT_QUOTE = f"SELECT {columns(PostQuote)} FROM quotes"  # noqa: S608


def authorization_uri(author: Account, authorization: QuoteAuthorization) -> str:
    return f"{author.uri}/stamps/{authorization.id}"


def may_quote(tx: Reader, account: Account, target: Post) -> bool:
    """Returns whether a local account may quote a post, or may at least send a request.

    Its own posts it may always quote, those for few people where no more people see it (`quote`).
    """
    if target.account_id == account.id:
        return True
    decision = permissions.decide(tx, account, target, "quote")
    return target.visibility in OPEN_VISIBILITIES and (
        decision == "yes" or (decision == "ask" and not target.is_local)
    )


def quote(tx: Writer, account: Account, post: Post, target: Post) -> None:
    """Lets a new local post quote another. Raises NotAllowed.

    The policy of a local post decides at once. To the server of a remote author a QuoteRequest is sent; until it
    has answered with an authorization, the quote is a link.
    """
    if target.account_id == account.id:
        is_open = target.visibility in OPEN_VISIBILITIES
        if not is_open and rank(post.visibility) < rank(target.visibility):
            raise NotAllowed("A post that quotes one of yours cannot be seen by more people than that one.")
    elif post.visibility not in OPEN_VISIBILITIES:
        raise NotAllowed("Only public and unlisted posts can quote another post.")
    if not may_quote(tx, account, target):
        raise NotAllowed("The author does not allow quotes of this post.")
    author = accounts.get(tx, target.account_id)
    if not target.is_local:
        record_unapproved(tx, post.id, target.uri, "")
        outbox.record(
            tx,
            account,
            "QuoteRequest",
            target.uri,
            uri=f"{post.uri}{REQUEST_SUFFIX}",
            post=post,
            target=author,
        )
        return
    stamp_uri = ""
    if author.id != account.id:
        stamp_uri = authorization_uri(author, _authorize(tx, target, account, post.uri))
        notifications.notify(tx, author.id, "quote", account, target)
    record_unapproved(tx, post.id, target.uri, stamp_uri)
    approve(tx, PostQuote(post.id, target.uri, stamp_uri, None), target)


def by_request_uri(tx: Reader, request_uri: str) -> tuple[Post, PostQuote] | None:
    """Returns the local post that sent the QuoteRequest with this id, and its quote."""
    post = (
        posts.by_uri(tx, request_uri.removesuffix(REQUEST_SUFFIX))
        if request_uri.endswith(REQUEST_SUFFIX)
        else None
    )
    found = by_post(tx, post) if post is not None and post.is_local and post.deleted_at is None else None
    return None if post is None or found is None else (post, found)


def receive_request(
    tx: Writer, actor: Account, post: Post, *, request_uri: str, quote_uri: str
) -> QuoteAuthorization | None:
    """Answers a remote QuoteRequest for a local post as the post's policy decides. None for a Reject.

    The same request gets the same answer again. An account may quote a post at most `MAX_PER_ACCOUNT` times.
    """
    author = accounts.get(tx, post.account_id)
    request = {"uri": request_uri, "by": actor.uri, "object": post.uri, "instrument": quote_uri}
    allowed = permissions.decide(tx, actor, post, "quote") == "yes"
    if not allowed or not _is_below_limit(tx, actor, post, quote_uri):
        outbox.record(tx, author, "Reject", request_uri, target=actor, extra={"quote": request})
        return None
    authorization = _authorize(tx, post, actor, quote_uri)
    result = authorization_uri(author, authorization)
    outbox.record(
        tx, author, "Accept", request_uri, target=actor, extra={"quote": request | {"result": result}}
    )
    notifications.notify(tx, author.id, "quote", actor, post)
    return authorization


def _authorize(tx: Writer, post: Post, actor: Account, quote_uri: str) -> QuoteAuthorization:
    """Records the authorization for one quote; the same one if it is given twice."""
    tx.run(
        """INSERT INTO quote_stamps (id, post_id, by_id, quote_uri, created_at)
           VALUES (:id, :post, :actor, :quote, :now) ON CONFLICT DO NOTHING""",
        id=new_id(),
        post=post.id,
        actor=actor.id,
        quote=quote_uri,
        now=now_ms(),
    )
    authorization = _authorization(tx, post, quote_uri)
    assert authorization is not None
    return authorization


def _is_below_limit(tx: Reader, actor: Account, post: Post, quote_uri: str) -> bool:
    count = tx.value(
        "SELECT COUNT(*) FROM quote_stamps WHERE post_id = :post AND by_id = :actor AND quote_uri <> :quote",
        post=post.id,
        actor=actor.id,
        quote=quote_uri,
    )
    return bool(count < MAX_PER_ACCOUNT)


def _authorization(tx: Reader, post: Post, quote_uri: str) -> QuoteAuthorization | None:
    row = tx.one(
        _SELECT_AUTHORIZATION + " WHERE post_id = :post AND quote_uri = :quote", post=post.id, quote=quote_uri
    )
    return build(QuoteAuthorization, row) if row else None


def authorization_by_id(
    tx: Reader, author: Account, authorization_id: int
) -> tuple[QuoteAuthorization, Post]:
    """Returns an authorization by a local author that is still valid, and the quoted post. Raises NotFound."""
    row = tx.one(_SELECT_AUTHORIZATION + " WHERE id = :id", id=authorization_id)
    found = build(QuoteAuthorization, row) if row else None
    post = posts.by_id(tx, found.post_id) if found is not None else None
    if found is None or post is None or post.account_id != author.id or not _is_quotable(post):
        raise NotFound
    return found, post


def _is_quotable(post: Post) -> bool:
    return post.deleted_at is None and post.visibility in OPEN_VISIBILITIES


def authorizations_by_post(tx: Reader, post: Post) -> list[tuple[QuoteAuthorization, Account]]:
    """Returns the authorizations for a local post and who got them, latest first, at most `MAX_LISTED`: for its author."""
    rows = tx.all(
        _SELECT_AUTHORIZATION + " WHERE post_id = :post ORDER BY id DESC LIMIT :most",
        post=post.id,
        most=MAX_LISTED,
    )
    found = build_all(QuoteAuthorization, rows)
    people = accounts.by_ids(tx, [authorization.by_id for authorization in found])
    return [
        (authorization, people[authorization.by_id])
        for authorization in found
        if not people[authorization.by_id].is_inactive
    ]


def revoke(tx: Writer, account: Account, authorization_id: int) -> Post:
    """Revokes an authorization: no server shows the quote any more. Returns the quoted post. Raises NotFound."""
    found, post = authorization_by_id(tx, account, authorization_id)
    tx.run("DELETE FROM quote_stamps WHERE id = :id", id=found.id)
    tx.run("UPDATE quotes SET target_id = NULL WHERE stamp_uri = :uri", uri=authorization_uri(account, found))
    if all(authorization.by_id != found.by_id for authorization, _ in authorizations_by_post(tx, post)):
        notifications.withdraw(tx, "quote", accounts.get(tx, found.by_id), post=post)
    target = accounts.get(tx, found.by_id)
    extra = {"quoted": post.id}
    outbox.record(tx, account, "Revoke", authorization_uri(account, found), target=target, extra=extra)
    return post


def record_unapproved(tx: Writer, post_id: int, target_uri: str, stamp_uri: str) -> None:
    """Records what a post quotes, not authorized yet. An authorization for the same quote stays."""
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
    """Deletes the quote of a post that quotes nothing any more."""
    tx.run("DELETE FROM quotes WHERE post_id = :post", post=post_id)


def approve(tx: Writer, quoted: PostQuote, target: Post) -> None:
    """Records that the quoted author agrees: their authorization was read, or the quoting post is their own.

    Nothing happens if the post quotes something else by now, or the authorization was revoked in the meantime.
    """
    post = posts.by_id(tx, quoted.post_id)
    is_own = post is not None and post.account_id == target.account_id
    if target.id == quoted.post_id or target.deleted_at is not None:
        return
    if is_own or target.visibility in OPEN_VISIBILITIES:
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
    """Sends an Update of a local post whose quote was authorized or revoked."""
    post = posts.by_id(tx, post_id)
    if post is not None and post.is_local and post.deleted_at is None:
        outbox.record(tx, accounts.get(tx, post.account_id), "Update", post.uri, post=post)


def receive_revocation(tx: Writer, actor: Account, stamp_uri: str) -> bool:
    """Revokes an authorization by a remote author, also one not checked yet. Returns whether there was one."""
    rows = tx.all(
        """UPDATE quotes SET target_id = NULL, stamp_uri = '' WHERE stamp_uri = :stamp AND (target_id IS NULL
               OR target_id IN (SELECT id FROM posts WHERE account_id = :actor)) RETURNING post_id""",
        stamp=stamp_uri,
        actor=actor.id,
    )
    for row in rows:
        _record_update(tx, row["post_id"])
    return bool(rows)


def by_posts(tx: Reader, post_ids: Sequence[int]) -> dict[int, PostQuote]:
    """Returns the quotes by the id of the quoting post."""
    rows = tx.all(_SELECT_QUOTE + " WHERE post_id IN (:ids)", ids=list(post_ids))
    return {row["post_id"]: build(PostQuote, row) for row in rows}


def by_post(tx: Reader, post: Post) -> PostQuote | None:
    """Returns the quote of a post, if it has one."""
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
