"""Builds the documents that this node serves; each function is a unit of work that returns (status, document).

An object that the signer may not see looks exactly like one that does not exist.
"""

from __future__ import annotations

from typing import Any

import msgspec

from activitypub.client.cache import KnownKey
from activitypub.documents import activities, contexts, notes
from activitypub.inbox import follower_sync
from activitypub.server import authorized_fetch
from activitypub.vocab import PUBLIC
from activitypub.vocab import quotes as quote_vocab
from node.accounts import accounts
from node.auth import users
from node.database import Reader
from node.errors import NotFound
from node.federation import outbox
from node.interactions import boosts, quotes
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.posts import posts

NOT_FOUND: tuple[int, Any] = (404, {"error": "There is nothing here."})


def followers_synchronization(tx: Reader, name: str, signer_uri: str) -> tuple[int, Any]:
    """Returns the followers of a local account on the server of the signer (FEP-8fcf)."""
    account = accounts.by_handle(tx, name) if "@" not in name else None
    if account is None or not account.is_local or account.is_inactive:
        return NOT_FOUND
    found = follower_sync.followers_on_server(tx, account, signer_uri)
    uri = f"{account.uri}/followers_synchronization"
    document = {"id": uri, "type": "OrderedCollection", "totalItems": len(found), "orderedItems": found}
    return 200, activities.add_context(document)


def instance_actor_document(tx: Reader) -> tuple[int, Any]:
    """Returns the instance actor."""
    return 200, activities.add_context(
        activities.render_actor(tx, accounts.instance_actor(tx)), contexts.ACTOR
    )


_KEY_STUB_PROPERTIES = (
    "@context",
    "id",
    "type",
    "preferredUsername",
    "inbox",
    "publicKey",
    "assertionMethod",
)


def key_stub(tx: Reader, name: str) -> tuple[int, Any]:
    """Returns an actor document reduced to the properties that a signature check needs."""
    status, document = actor_document(tx, name)
    return status, {
        key: document[key] for key in _KEY_STUB_PROPERTIES if key in document
    } if status == 200 else document


def actor_document(tx: Reader, name: str) -> tuple[int, Any]:
    """Returns the document of a local actor, or its tombstone with 410."""
    account = local_account_by_name(tx, name)
    if account is None:
        return NOT_FOUND
    if account.deleted_at is not None:
        return 410, notes.render_tombstone(account.uri, account.deleted_at, former_type="Person")
    return 200, activities.add_context(activities.render_actor(tx, account), contexts.ACTOR)


def local_account_by_name(tx: Reader, name: str) -> Account | None:
    """Returns the local account with this name;
    None for the instance actor and while a registration is pending."""
    account = accounts.by_handle(tx, name) if "@" not in name else None
    if account is None or not account.is_local or account.kind == "Application":
        return None
    user = users.by_account(tx, account) if account.suspended_at is not None else None
    return None if user is not None and user.state == "pending" else account


def local_post(tx: Reader, name: str, post_id: int) -> Post | None:
    """Returns the local post with this address, deleted or not, whoever may see it."""
    post = posts.by_id(tx, post_id)
    if post is None or not post.is_local or post.uri != tx.site.uri(f"/p/{name}/{post_id}"):
        return None
    return post


def note_document(tx: Reader, name: str, post_id: int, signer: KnownKey | None) -> tuple[int, Any]:
    """Returns a post as far as the signer may read it, or its tombstone."""
    post = local_post(tx, name, post_id)
    if post is None:
        return NOT_FOUND
    if post.deleted_at is not None:
        # That a private post has existed is not revealed either.
        return (410, notes.render_document(tx, post)) if post.visibility in OPEN_VISIBILITIES else NOT_FOUND
    if not authorized_fetch.may_read(tx, post, signer):
        return NOT_FOUND
    return 200, notes.render_document(tx, post)


def create_document(tx: Reader, name: str, post_id: int) -> tuple[int, Any]:
    """Returns the Create of a local post, if anybody may read it."""
    post = local_post(tx, name, post_id)
    if (
        post is None
        or post.visibility not in OPEN_VISIBILITIES
        or not authorized_fetch.may_read(tx, post, None)
    ):
        return NOT_FOUND
    document = activities.render_create(tx.site, notes.load_data(tx, [post])[0])
    return 200, activities.add_context(document, contexts.NOTE)


def activity_document(tx: Reader, name: str, kind: str, id_: str) -> tuple[int, Any]:
    """Returns a sent activity, boost or quote authorization by its id, if it is public and still valid."""
    uri = tx.site.uri(f"/users/{name}/{kind}/{id_}")
    if kind == "stamps":
        return 200, _quote_stamp(tx, name, int(id_))
    if kind == "boosts":
        boost = boosts.by_uri(tx, uri)
        if boost is None or boost.visibility not in OPEN_VISIBILITIES:
            return NOT_FOUND
        post = posts.visible_by_id(tx, None, boost.post_id)
        booster, author = accounts.get(tx, boost.account_id), accounts.get(tx, post.account_id)
        if booster.is_inactive:
            return NOT_FOUND
        document = activities.render_announce(
            booster, uri, post.uri, boost.visibility, boost.created_at, author.uri
        )
        return 200, activities.add_context(document)
    activity = outbox.by_uri(tx, uri)
    if activity is None or activity.document is None:
        return NOT_FOUND
    if activity.post_id is not None:
        posts.visible_by_id(tx, None, activity.post_id)
    document = msgspec.json.decode(activity.document)
    return (200, document) if PUBLIC in [*document.get("to", []), *document.get("cc", [])] else NOT_FOUND


def _quote_stamp(tx: Reader, name: str, stamp_id: int) -> dict[str, object]:
    """Returns a quote authorization: the two post uris, and nothing of either post. Raises NotFound."""
    author = accounts.by_uri(tx, tx.site.uri(f"/users/{name}"))
    if author is None or author.is_inactive:
        raise NotFound
    stamp, post = quotes.authorization_by_id(tx, author, stamp_id)
    authorization = quote_vocab.QuoteAuthorizationDoc(
        quotes.authorization_uri(author, stamp), author.uri, stamp.quote_uri, post.uri
    )
    return activities.add_context(quote_vocab.render_authorization(authorization), contexts.QUOTE)
