"""Renders actors, activities and collections as ActivityStreams documents.

Everything that leaves this node as JSON-LD is made here or, for posts, in `notes`. Scalars where peers
want scalars, lists where they want lists, and always the full URI of the public collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from activitypub.documents import contexts, notes
from activitypub.documents import webfinger as webfinger_documents
from activitypub.documents.notes import addressing, format_time
from activitypub.vocab import PUBLIC
from activitypub.vocab.actors import RFC9421_URLS
from node.accounts import accounts, keys
from node.attachments import avatars
from node.database import Reader, Site
from node.federation.outbox import OutgoingActivity
from node.interactions import boosts
from node.models.account import Account
from node.models.post import Post
from node.posts import posts
from node.text import plain_or_html


def add_context(document: dict[str, Any], context: Sequence[Any] = contexts.ACTIVITY) -> dict[str, Any]:
    """Returns the document with its `@context` first."""
    return {"@context": list(context), **document}


def render_actor(tx: Reader, account: Account) -> dict[str, Any]:
    """Renders the actor document of a local account, or of the node itself;
    of a suspended one little is left."""
    if account.suspended_at is not None:
        account = replace(
            account,
            display_name="",
            bio="",
            fields="[]",
            avatar_file="",
            header_file="",
            is_discoverable=False,
        )
    document: dict[str, Any] = {
        "id": account.uri,
        "type": account.kind,
        "preferredUsername": webfinger_documents.username(account),
        "webfinger": f"{webfinger_documents.username(account)}@{account.domain}",
        "url": account.url,
        "name": plain_or_html.spell_name(account.label),
        # Pixelfed refuses an Update of an actor with an empty summary.
        "summary": account.bio or "<p></p>",
        "inbox": account.inbox,
        "outbox": account.outbox,
        "published": format_time(account.created_at // 86_400_000 * 86_400_000),
        "manuallyApprovesFollowers": account.is_locked,
        "discoverable": account.is_discoverable,
        "indexable": account.is_indexable,
        "endpoints": {"sharedInbox": account.shared_inbox},
        **_render_keys(tx, account),
    }
    if account.kind == "Application":
        document["generator"] = {
            "type": "Application",
            "implements": [{"href": RFC9421_URLS[0], "name": "RFC-9421: HTTP Message Signatures"}],
        }
        return document
    document |= {
        "followers": account.followers_uri,
        "following": account.following_uri,
        "featured": account.featured_uri,
        "alsoKnownAs": account.aliases,
        "attachment": [
            {"type": "PropertyValue", "name": plain_or_html.spell_name(name), "value": value}
            for name, value in account.profile_fields
        ],
        "tag": [],
        # Pages of this node name their authors (fediverse:creator), and so may the sites an account lists.
        "attributionDomains": list(dict.fromkeys((tx.site.domain, *account.attribution_domain_list))),
    }
    for term, kind in (("icon", avatars.AVATAR), ("image", avatars.HEADER)):
        if (picture := _render_picture(tx, account, kind)) is not None:
            document[term] = picture
    if account.moved_to:
        document["movedTo"] = account.moved_to
    if account.suspended_at is not None:
        document["suspended"] = True
    return document


def _render_keys(tx: Reader, account: Account) -> dict[str, Any]:
    found: dict[str, Any] = {}
    multikeys = []
    for key in keys.by_account(tx, account):
        if key.algorithm == "rsa":
            found["publicKey"] = {"id": key.id, "owner": account.uri, "publicKeyPem": key.public}
        else:
            multikey = {"id": key.id, "type": "Multikey", "controller": account.uri}
            multikeys.append(multikey | {"publicKeyMultibase": key.public})
    found["assertionMethod"] = multikeys
    return found


def _render_picture(tx: Reader, account: Account, kind: avatars.PictureKind) -> dict[str, Any] | None:
    if not kind.file(account):
        return None
    file = avatars.files(tx, account, kind).get((kind.name, "jpeg"))
    if file is None:
        return None
    alt = kind.alt(account)
    picture = {"type": "Image", "mediaType": "image/jpeg", "url": tx.site.uri(f"/media/{file.key}")}
    return picture | ({"name": alt, "summary": alt} if alt else {})


def render_create(site: Site, note_data: notes.NoteData) -> dict[str, Any]:
    """Renders the Create of a post, also as the outbox lists it."""
    note = notes.render_note(site, note_data)
    return {
        "id": f"{note_data.post.uri}/activity",
        "type": "Create",
        "actor": note_data.author.uri,
        "published": note["published"],
        "to": note["to"],
        "cc": note["cc"],
        "object": note,
    }


def render_announce(
    author: Account,
    uri: str,
    object_uri: str,
    visibility: str,
    published_at: int,
    object_author_uri: str | None,
) -> dict[str, Any]:
    """Renders the Announce of a boost; `object_author_uri`,
    the author of the boosted post, is addressed too."""
    to, cc = addressing(author, visibility, [object_author_uri] if object_author_uri else [])
    return {
        "id": uri,
        "type": "Announce",
        "actor": author.uri,
        "published": format_time(published_at),
        "to": to,
        "cc": cc,
        "object": object_uri,
    }


def render_bytes(tx: Reader, activity: OutgoingActivity, actor: Account) -> bytes | None:
    """Renders the request body of an activity,
    as rendered before or else as things are now; None for no body."""
    if activity.document is not None:
        return activity.document.encode()
    document = render_activity(tx, activity, actor)
    return None if document is None else msgspec.json.encode(document)


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """One activity to render: what was recorded, its actor, and the post it is about, if any."""

    tx: Reader
    activity: OutgoingActivity
    actor: Account
    post: Post | None
    details: dict[str, Any]

    @property
    def is_about_actor(self) -> bool:
        return self.activity.object_uri == self.actor.uri

    @property
    def existing_post(self) -> Post | None:
        return None if self.post is None or self.post.deleted_at is not None else self.post

    @property
    def recipients(self) -> list[str]:
        """The account it is about, or else the author of the post: at most one URI."""
        id_ = self.activity.target_id
        if id_ is None and self.post is not None:
            id_ = self.post.account_id
        account = None if id_ is None else accounts.by_id(self.tx, id_)
        return [account.uri] if account is not None else []

    def document(
        self, members: dict[str, Any], context: Sequence[Any] = contexts.ACTIVITY, *, type_: str | None = None
    ) -> dict[str, Any]:
        """Builds the activity: what all activities have, then `members`."""
        base = {"id": self.activity.uri, "type": type_ or self.activity.verb, "actor": self.actor.uri}
        return add_context(base | members, context)


def render_activity(tx: Reader, activity: OutgoingActivity, actor: Account) -> dict[str, Any] | None:
    """Renders an outgoing activity; None when nothing is left to send, as for a deleted post."""
    post = None if activity.post_id is None else posts.by_id(tx, activity.post_id)
    return _RENDER.get(activity.verb, _render_plain)(_Outgoing(tx, activity, actor, post, activity.details))


def _render_plain(outgoing: _Outgoing) -> dict[str, Any]:
    """Renders a like, a follow, a block: an object, and its recipient."""
    return outgoing.document({"to": outgoing.recipients, "object": outgoing.activity.object_uri})


def _render_create(outgoing: _Outgoing) -> dict[str, Any] | None:
    """Renders the Create of a post with its context; nothing for a post that was deleted meanwhile."""
    if outgoing.is_about_actor:
        return _render_actor_update(outgoing)
    if (post := outgoing.existing_post) is None:
        return None
    return add_context(
        render_create(outgoing.tx.site, notes.load_data(outgoing.tx, [post])[0]), contexts.NOTE
    )


def _render_update(outgoing: _Outgoing) -> dict[str, Any] | None:
    if outgoing.is_about_actor:
        return _render_actor_update(outgoing)
    if (post := outgoing.existing_post) is None:
        return None
    whole = render_create(outgoing.tx.site, notes.load_data(outgoing.tx, [post])[0])
    # What it says was never edited if only its policy has changed: then its note has no `updated` either.
    changed = whole["object"].get("updated") or notes.format_time(outgoing.activity.created_at)
    whole |= {
        "id": outgoing.activity.uri,
        "type": "Update",
        "actor": outgoing.actor.uri,
        "published": changed,
    }
    return add_context(whole, contexts.NOTE)


def _render_actor_update(outgoing: _Outgoing) -> dict[str, Any]:
    current = render_actor(outgoing.tx, accounts.get(outgoing.tx, outgoing.actor.id))
    return outgoing.document(
        {"to": [PUBLIC], "cc": [outgoing.actor.followers_uri], "object": current}, contexts.ACTOR
    )


def _render_delete(outgoing: _Outgoing) -> dict[str, Any]:
    if outgoing.is_about_actor:
        return outgoing.document({"to": [PUBLIC], "cc": [], "object": outgoing.actor.uri})
    mentioned = accounts.by_ids(outgoing.tx, outgoing.details.get("mentions", []))
    visibility = outgoing.details.get("visibility", "direct")
    to, cc = addressing(outgoing.actor, visibility, [one.uri for one in mentioned.values()])
    deleted_at = outgoing.details.get("deleted_at", outgoing.activity.created_at)
    tombstone = notes.render_tombstone(outgoing.activity.object_uri, deleted_at)
    del tombstone["@context"]
    return outgoing.document({"to": to, "cc": cc, "object": tombstone})


def _render_announce(outgoing: _Outgoing) -> dict[str, Any] | None:
    if outgoing.post is None or boosts.by_uri(outgoing.tx, outgoing.activity.uri) is None:
        return None
    author_uri = accounts.get(outgoing.tx, outgoing.post.account_id).uri
    activity = outgoing.activity
    return add_context(_render_boost(outgoing, activity.uri, activity.object_uri, author_uri))


def _render_boost(outgoing: _Outgoing, uri: str, object_uri: str, author_uri: str | None) -> dict[str, Any]:
    visibility = outgoing.details.get("visibility", "public")
    created_at = outgoing.details.get("created_at", outgoing.activity.created_at)
    return render_announce(outgoing.actor, uri, object_uri, visibility, created_at, author_uri)


def _render_undo(outgoing: _Outgoing) -> dict[str, Any]:
    recipients, details = outgoing.recipients, outgoing.details
    verb, uri, object_uri = details["verb"], details["uri"], details["object_uri"]
    if verb == "Announce":
        boost = _render_boost(outgoing, uri, object_uri, recipients[0] if recipients else None)
        return outgoing.document({"to": boost["to"], "cc": boost["cc"], "object": boost})
    undone = {"id": uri, "type": verb, "actor": outgoing.actor.uri, "object": object_uri, "to": recipients}
    return outgoing.document({"to": recipients, "object": undone})


def _render_pin(outgoing: _Outgoing) -> dict[str, Any] | None:
    """Renders an Add or Remove of a pinned post, always public;
    nothing for a post that was deleted meanwhile."""
    if outgoing.existing_post is None:
        return None
    addressed = {"to": [PUBLIC], "cc": [outgoing.actor.followers_uri]}
    pinned = {"object": outgoing.activity.object_uri, "target": outgoing.actor.featured_uri}
    return outgoing.document(addressed | pinned)


def _render_move(outgoing: _Outgoing) -> dict[str, Any]:
    actor = outgoing.actor
    return outgoing.document(
        {"to": [actor.followers_uri], "object": actor.uri, "target": outgoing.details["target"]}
    )


def _render_flag(outgoing: _Outgoing) -> dict[str, Any]:
    reported = outgoing.details["objects"]
    return outgoing.document({"to": reported[:1], "content": outgoing.details["words"], "object": reported})


def _render_revocation(outgoing: _Outgoing) -> dict[str, Any]:
    """Renders the Delete of a quote authorization: the quote is no longer allowed."""
    return outgoing.document(
        {"to": outgoing.recipients, "object": outgoing.activity.object_uri}, type_="Delete"
    )


def _render_quote_request(outgoing: _Outgoing) -> dict[str, Any] | None:
    if (post := outgoing.existing_post) is None:
        return None
    note = notes.render_note(outgoing.tx.site, notes.load_data(outgoing.tx, [post])[0])
    members = {"to": outgoing.recipients, "object": outgoing.activity.object_uri, "instrument": note}
    return outgoing.document(members, contexts.NOTE)


def _render_answer(outgoing: _Outgoing) -> dict[str, Any]:
    """Renders an Accept or Reject: of a follow, or of the request to quote a post."""
    if "quote" in outgoing.details:
        return _render_quote_answer(outgoing, outgoing.details["quote"])
    request = outgoing.details["follow"]
    follow = {
        "id": request["uri"],
        "type": "Follow",
        "actor": request["actor"],
        "object": request["object"],
    }
    return outgoing.document({"to": [request["actor"]], "object": follow})


def _render_quote_answer(outgoing: _Outgoing, request: dict[str, str]) -> dict[str, Any]:
    quote_request = {
        "id": request["uri"],
        "type": "QuoteRequest",
        "actor": request["by"],
        "object": request["object"],
        "instrument": request["instrument"],
    }
    result = {"result": request["result"]} if "result" in request else {}
    return outgoing.document({"to": [request["by"]], "object": quote_request} | result, contexts.QUOTE)


_RENDER: Mapping[str, Callable[[_Outgoing], dict[str, Any] | None]] = {
    "Accept": _render_answer,
    "Add": _render_pin,
    "Announce": _render_announce,
    "Create": _render_create,
    "Delete": _render_delete,
    "Flag": _render_flag,
    "Move": _render_move,
    "QuoteRequest": _render_quote_request,
    "Reject": _render_answer,
    "Remove": _render_pin,
    "Revoke": _render_revocation,
    "Undo": _render_undo,
    "Update": _render_update,
}
"""Verb → how it is rendered; all others by `_render_plain`."""


def render_collection(
    uri: str, total: int | None, *, has_items: bool = True, items: Sequence[Any] = ()
) -> dict[str, Any]:
    """Renders a collection: its total, if it was counted, and the URI of its first page; or all `items` of a small one."""
    document: dict[str, Any] = {
        "id": uri,
        "type": "OrderedCollection",
        **({} if total is None else {"totalItems": max(0, total)}),
    }
    if items:
        document["orderedItems"] = list(items)
    elif has_items and (total is None or total > 0):
        document["first"] = f"{uri}?page=true"
    return add_context(document)


def render_collection_page(
    uri: str,
    total: int | None,
    items: Sequence[Any],
    *,
    cursor: int | None,
    next_cursor: int | None,
    context: Sequence[Any] = contexts.ACTIVITY,
) -> dict[str, Any]:
    """Renders one page of a collection. `cursor` and `next_cursor` are ids: this page and the next hold what is before."""
    page_uri = f"{uri}?page=true" if cursor is None else f"{uri}?page=true&max_id={cursor}"
    document: dict[str, Any] = {
        "id": page_uri,
        "type": "OrderedCollectionPage",
        "partOf": uri,
        **({} if total is None else {"totalItems": max(0, total)}),
    }
    if next_cursor is not None:
        document["next"] = f"{uri}?page=true&max_id={next_cursor}"
    if items:
        document["orderedItems"] = list(items)
    return add_context(document, context)
