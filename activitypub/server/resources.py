"""The documents behind our addresses, as units of work: each gives a status and what stands there.

What may not be seen looks exactly like what does not exist.
"""

from __future__ import annotations

from typing import Any

import msgspec

from activitypub.client.cache import KnownKey
from activitypub.documents import activities, contexts, notes
from activitypub.inbox import follower_sync
from activitypub.server import authorized_fetch
from activitypub.vocab import PUBLIC
from activitypub.vocab import quotes as written
from node.accounts import accounts
from node.auth import users
from node.database import Reader
from node.errors import NotFound
from node.federation import outbox
from node.interactions import boosts, quotes
from node.models.account import Account
from node.models.audience import OPEN
from node.models.post import Post
from node.posts import posts

NOTHING: tuple[int, Any] = (404, {"error": "There is nothing here."})


def followers_there(tx: Reader, name: str, asking: str) -> tuple[int, Any]:
    """Whom of the server of `asking` we believe to follow somebody (FEP-8fcf)."""
    account = accounts.by_handle(tx, name) if "@" not in name else None
    if account is None or not account.is_local or account.is_gone:
        return NOTHING
    found = follower_sync.our_part(tx, account, asking)
    uri = f"{account.uri}/followers_synchronization"
    whole = {"id": uri, "type": "OrderedCollection", "totalItems": len(found), "orderedItems": found}
    return 200, activities.with_context(whole)


def instance(tx: Reader) -> tuple[int, Any]:
    """The node itself as an actor."""
    return 200, activities.with_context(activities.person(tx, accounts.instance_actor(tx)), contexts.ACTOR)


_STUB = ("@context", "id", "type", "preferredUsername", "inbox", "publicKey", "assertionMethod")


def key_of(tx: Reader, name: str) -> tuple[int, Any]:
    """Of a person what it takes to check a signature of theirs, and no more."""
    status, document = person(tx, name)
    return status, {key: document[key] for key in _STUB if key in document} if status == 200 else document


def person(tx: Reader, name: str) -> tuple[int, Any]:
    """One of our people, or that they are gone."""
    account = local_person(tx, name)
    if account is None:
        return NOTHING
    if account.deleted_at is not None:
        return 410, notes.tombstone(account.uri, account.deleted_at, former="Person")
    return 200, activities.with_context(activities.person(tx, account), contexts.ACTOR)


def local_person(tx: Reader, name: str) -> Account | None:
    """One of our people by name; not a newcomer who still waits to be let in."""
    account = accounts.by_handle(tx, name) if "@" not in name else None
    if account is None or not account.is_local or account.kind == "Application":
        return None
    user = users.by_account(tx, account) if account.suspended_at is not None else None
    return None if user is not None and user.state == "pending" else account


def local_post(tx: Reader, name: str, post_id: int) -> Post | None:
    """A post of ours at its own address, deleted or not, whoever may see it."""
    post = posts.by_id(tx, post_id)
    if post is None or not post.is_local or post.uri != tx.site.uri(f"/p/{name}/{post_id}"):
        return None
    return post


def note(tx: Reader, name: str, post_id: int, asking: KnownKey | None) -> tuple[int, Any]:
    """A post as far as the signer may read it, or its tombstone."""
    post = local_post(tx, name, post_id)
    if post is None:
        return NOTHING
    if post.deleted_at is not None:
        # That there was a private post is not told either.
        return (410, notes.document(tx, post)) if post.visibility in OPEN else NOTHING
    if not authorized_fetch.may_read(tx, post, asking):
        return NOTHING
    return 200, notes.document(tx, post)


def created(tx: Reader, name: str, post_id: int) -> tuple[int, Any]:
    """The Create of a post, if anybody may read it."""
    post = local_post(tx, name, post_id)
    if post is None or post.visibility not in OPEN or not authorized_fetch.may_read(tx, post, None):
        return NOTHING
    created = activities.create(tx.site, notes.facts(tx, [post])[0])
    return 200, activities.with_context(created, contexts.NOTE)


def activity(tx: Reader, name: str, kind: str, id_: str) -> tuple[int, Any]:
    """An activity by its own id, if it was said to everybody and still holds."""
    uri = tx.site.uri(f"/users/{name}/{kind}/{id_}")
    if kind == "stamps":
        return 200, _quote_stamp(tx, name, int(id_))
    if kind == "boosts":
        boost = boosts.by_uri(tx, uri)
        if boost is None or boost.visibility not in OPEN:
            return NOTHING
        post = posts.seen_by(tx, None, boost.post_id)
        who, of = accounts.get(tx, boost.account_id), accounts.get(tx, post.account_id)
        if who.is_gone:
            return NOTHING
        document = activities.announce(who, uri, post.uri, boost.visibility, boost.created_at, of.uri)
        return 200, activities.with_context(document)
    sentence = outbox.by_uri(tx, uri)
    if sentence is None or sentence.document is None:
        return NOTHING
    if sentence.post_id is not None:
        posts.seen_by(tx, None, sentence.post_id)
    document = msgspec.json.decode(sentence.document)
    return (200, document) if PUBLIC in [*document.get("to", []), *document.get("cc", [])] else NOTHING


def _quote_stamp(tx: Reader, name: str, stamp_id: int) -> dict[str, object]:
    """A stamp at its own address: two addresses, and nothing of either post. Raises NotFound."""
    author = accounts.by_uri(tx, tx.site.uri(f"/users/{name}"))
    if author is None or author.is_gone:
        raise NotFound
    stamp, post = quotes.stamp(tx, author, stamp_id)
    given = written.Stamp(quotes.stamp_uri(author, stamp), author.uri, stamp.quote_uri, post.uri)
    return activities.with_context(written.stamp_document(given), contexts.QUOTE)
