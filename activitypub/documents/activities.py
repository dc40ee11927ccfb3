"""Our rows as ActivityStreams documents: people, activities and collections.

Everything that leaves this node as JSON-LD is made here or, for posts, in `notes`. Scalars where peers
want scalars, lists where they want lists, and the full address of the public collection always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from activitypub.documents import contexts, notes, webfinger
from activitypub.documents.notes import addressing, time_of
from activitypub.vocab import PUBLIC
from activitypub.vocab.actors import RFC_9421
from node.accounts import accounts, keys
from node.attachments import avatars
from node.database import Reader, Site
from node.federation.outbox import Sentence
from node.interactions import boosts
from node.models.account import Account
from node.models.post import Post
from node.posts import posts


def with_context(document: dict[str, Any], context: Sequence[Any] = contexts.ACTIVITY) -> dict[str, Any]:
    return {"@context": list(context), **document}


def person(tx: Reader, account: Account) -> dict[str, Any]:
    """One of ours: a person, or the node itself. Of somebody suspended it says that and little more."""
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
        "preferredUsername": webfinger.username(account),
        "webfinger": f"{webfinger.username(account)}@{account.domain}",
        "url": account.url,
        "name": account.label,
        # Pixelfed refuses an update of a person without any text.
        "summary": account.bio or "<p></p>",
        "inbox": account.inbox,
        "outbox": account.outbox,
        "published": time_of(account.created_at // 86_400_000 * 86_400_000),
        "manuallyApprovesFollowers": account.is_locked,
        "discoverable": account.is_discoverable,
        "indexable": account.is_indexable,
        "endpoints": {"sharedInbox": account.shared_inbox},
        **_keys(tx, account),
    }
    if account.kind == "Application":
        document["generator"] = {
            "type": "Application",
            "implements": [{"href": RFC_9421[0], "name": "RFC-9421: HTTP Message Signatures"}],
        }
        return document
    document |= {
        "followers": account.followers_uri,
        "following": account.following_uri,
        "featured": account.featured_uri,
        "alsoKnownAs": account.aliases,
        "attachment": [
            {"type": "PropertyValue", "name": name, "value": value} for name, value in account.profile_fields
        ],
        "tag": [],
        # Pages of ours name their authors (fediverse:creator), and so may the sites that somebody has listed.
        "attributionDomains": list(dict.fromkeys((tx.site.domain, *account.sites))),
    }
    for term, kind in (("icon", avatars.AVATAR), ("image", avatars.HEADER)):
        if (picture := _picture(tx, account, kind)) is not None:
            document[term] = picture
    if account.moved_to:
        document["movedTo"] = account.moved_to
    if account.suspended_at is not None:
        document["suspended"] = True
    return document


def _keys(tx: Reader, account: Account) -> dict[str, Any]:
    found: dict[str, Any] = {}
    multikeys = []
    for key in keys.of(tx, account):
        if key.algorithm == "rsa":
            found["publicKey"] = {"id": key.id, "owner": account.uri, "publicKeyPem": key.public}
        else:
            multikeys.append(
                {
                    "id": key.id,
                    "type": "Multikey",
                    "controller": account.uri,
                    "publicKeyMultibase": key.public,
                }
            )
    found["assertionMethod"] = multikeys
    return found


def _picture(tx: Reader, account: Account, kind: avatars.Kind) -> dict[str, Any] | None:
    if not kind.file(account):
        return None
    file = avatars.files(tx, account, kind).get((kind.name, "jpeg"))
    if file is None:
        return None
    alt = kind.alt(account)
    picture = {"type": "Image", "mediaType": "image/jpeg", "url": tx.site.uri(f"/media/{file.file}")}
    return picture | ({"name": alt, "summary": alt} if alt else {})


def create(site: Site, about: notes.Facts) -> dict[str, Any]:
    """The Create of a post, also as the outbox lists it."""
    note = notes.note(site, about)
    return {
        "id": f"{about.post.uri}/activity",
        "type": "Create",
        "actor": about.author.uri,
        "published": note["published"],
        "to": note["to"],
        "cc": note["cc"],
        "object": note,
    }


def announce(
    author: Account, uri: str, object_uri: str, visibility: str, published_at: int, of: str | None
) -> dict[str, Any]:
    """A boost; `of` is the author of the boosted post, who is told."""
    to, cc = addressing(author, visibility, [of] if of else [])
    return {
        "id": uri,
        "type": "Announce",
        "actor": author.uri,
        "published": time_of(published_at),
        "to": to,
        "cc": cc,
        "object": object_uri,
    }


def words(tx: Reader, sentence: Sentence, who: Account) -> bytes | None:
    """A sentence as it is sent: as it was rendered before, or else as things are now; None for nothing to say."""
    if sentence.document is not None:
        return sentence.document.encode()
    document = activity(tx, sentence, who)
    return None if document is None else msgspec.json.encode(document)


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """One activity to render: what was recorded, who did it, and the post it is about, if any."""

    tx: Reader
    sentence: Sentence
    who: Account
    post: Post | None
    facts: dict[str, Any]

    @property
    def is_about_actor(self) -> bool:
        return self.sentence.object_uri == self.who.uri

    @property
    def existing_post(self) -> Post | None:
        return None if self.post is None or self.post.deleted_at is not None else self.post

    @property
    def recipients(self) -> list[str]:
        """The author of the post, or whom a follow is about: at most one address."""
        id_ = self.sentence.target_id
        if id_ is None and self.post is not None:
            id_ = self.post.account_id
        account = None if id_ is None else accounts.by_id(self.tx, id_)
        return [account.uri] if account is not None else []

    def document(
        self, members: dict[str, Any], context: Sequence[Any] = contexts.ACTIVITY, *, type_: str | None = None
    ) -> dict[str, Any]:
        """The activity: `members` after what all of them have."""
        base = {"id": self.sentence.uri, "type": type_ or self.sentence.verb, "actor": self.who.uri}
        return with_context(base | members, context)


def activity(tx: Reader, sentence: Sentence, who: Account) -> dict[str, Any] | None:
    """Renders an outgoing activity; None when there is nothing left to send, as for a post that was deleted."""
    post = None if sentence.post_id is None else posts.by_id(tx, sentence.post_id)
    return _RENDER.get(sentence.verb, _simple)(_Outgoing(tx, sentence, who, post, sentence.facts))


def _simple(outgoing: _Outgoing) -> dict[str, Any]:
    """A like, a follow, a block: an object, and its recipient."""
    return outgoing.document({"to": outgoing.recipients, "object": outgoing.sentence.object_uri})


def _create(outgoing: _Outgoing) -> dict[str, Any] | None:
    if outgoing.is_about_actor:
        return _about_person(outgoing)
    if (post := outgoing.existing_post) is None:
        return None
    return with_context(create(outgoing.tx.site, notes.facts(outgoing.tx, [post])[0]), contexts.NOTE)


def _update(outgoing: _Outgoing) -> dict[str, Any] | None:
    if outgoing.is_about_actor:
        return _about_person(outgoing)
    if (post := outgoing.existing_post) is None:
        return None
    edited = notes.edit_time(post)
    whole = create(outgoing.tx.site, notes.facts(outgoing.tx, [post])[0])
    whole |= {"id": outgoing.sentence.uri, "type": "Update", "actor": outgoing.who.uri, "published": edited}
    whole["object"]["updated"] = edited
    return with_context(whole, contexts.NOTE)


def _about_person(outgoing: _Outgoing) -> dict[str, Any]:
    current = person(outgoing.tx, accounts.get(outgoing.tx, outgoing.who.id))
    return outgoing.document(
        {"to": [PUBLIC], "cc": [outgoing.who.followers_uri], "object": current}, contexts.ACTOR
    )


def _delete(outgoing: _Outgoing) -> dict[str, Any]:
    if outgoing.is_about_actor:
        return outgoing.document({"to": [PUBLIC], "cc": [], "object": outgoing.who.uri})
    mentioned = accounts.by_ids(outgoing.tx, outgoing.facts.get("mentions", []))
    visibility = outgoing.facts.get("visibility", "direct")
    to, cc = addressing(outgoing.who, visibility, [one.uri for one in mentioned.values()])
    deleted_at = outgoing.facts.get("deleted_at", outgoing.sentence.created_at)
    tombstone = notes.tombstone(outgoing.sentence.object_uri, deleted_at)
    del tombstone["@context"]
    return outgoing.document({"to": to, "cc": cc, "object": tombstone})


def _announce(outgoing: _Outgoing) -> dict[str, Any] | None:
    if outgoing.post is None or boosts.by_uri(outgoing.tx, outgoing.sentence.uri) is None:
        return None
    of = accounts.get(outgoing.tx, outgoing.post.account_id).uri
    return with_context(_boost(outgoing, outgoing.sentence.uri, outgoing.sentence.object_uri, of))


def _boost(outgoing: _Outgoing, uri: str, object_uri: str, of: str | None) -> dict[str, Any]:
    facts = outgoing.facts
    visibility, at = facts.get("visibility", "public"), facts.get("created_at", outgoing.sentence.created_at)
    return announce(outgoing.who, uri, object_uri, visibility, at, of)


def _undo(outgoing: _Outgoing) -> dict[str, Any]:
    recipients, facts = outgoing.recipients, outgoing.facts
    verb, uri, object_uri = facts["verb"], facts["uri"], facts["object_uri"]
    if verb == "Announce":
        boost = _boost(outgoing, uri, object_uri, recipients[0] if recipients else None)
        return outgoing.document({"to": boost["to"], "cc": boost["cc"], "object": boost})
    undone = {"id": uri, "type": verb, "actor": outgoing.who.uri, "object": object_uri, "to": recipients}
    return outgoing.document({"to": recipients, "object": undone})


def _pin(outgoing: _Outgoing) -> dict[str, Any] | None:
    """Only what anybody may see can be pinned; for one that is deleted meanwhile nothing is sent."""
    if outgoing.existing_post is None:
        return None
    addressed = {"to": [PUBLIC], "cc": [outgoing.who.followers_uri]}
    pinned = {"object": outgoing.sentence.object_uri, "target": outgoing.who.featured_uri}
    return outgoing.document(addressed | pinned)


def _move(outgoing: _Outgoing) -> dict[str, Any]:
    who = outgoing.who
    return outgoing.document(
        {"to": [who.followers_uri], "object": who.uri, "target": outgoing.facts["target"]}
    )


def _flag(outgoing: _Outgoing) -> dict[str, Any]:
    reported = outgoing.facts["objects"]
    return outgoing.document({"to": reported[:1], "content": outgoing.facts["words"], "object": reported})


def _revoke(outgoing: _Outgoing) -> dict[str, Any]:
    """A quote is no longer allowed: its stamp is deleted."""
    return outgoing.document(
        {"to": outgoing.recipients, "object": outgoing.sentence.object_uri}, type_="Delete"
    )


def _quote_request(outgoing: _Outgoing) -> dict[str, Any] | None:
    if (post := outgoing.existing_post) is None:
        return None
    note = notes.note(outgoing.tx.site, notes.facts(outgoing.tx, [post])[0])
    asked = {"to": outgoing.recipients, "object": outgoing.sentence.object_uri, "instrument": note}
    return outgoing.document(asked, contexts.NOTE)


def _answer(outgoing: _Outgoing) -> dict[str, Any]:
    """An Accept or Reject: of a follow, or of the request to quote a post."""
    if "quote" in outgoing.facts:
        return _answer_to_quote(outgoing, outgoing.facts["quote"])
    asked = outgoing.facts["follow"]
    follow = {"id": asked["uri"], "type": "Follow", "actor": asked["actor"], "object": asked["object"]}
    return outgoing.document({"to": [asked["actor"]], "object": follow})


def _answer_to_quote(outgoing: _Outgoing, asked: dict[str, str]) -> dict[str, Any]:
    request = {
        "id": asked["uri"],
        "type": "QuoteRequest",
        "actor": asked["by"],
        "object": asked["object"],
        "instrument": asked["instrument"],
    }
    result = {"result": asked["result"]} if "result" in asked else {}
    return outgoing.document({"to": [asked["by"]], "object": request} | result, contexts.QUOTE)


_RENDER: Mapping[str, Callable[[_Outgoing], dict[str, Any] | None]] = {
    "Accept": _answer,
    "Add": _pin,
    "Announce": _announce,
    "Create": _create,
    "Delete": _delete,
    "Flag": _flag,
    "Move": _move,
    "QuoteRequest": _quote_request,
    "Reject": _answer,
    "Remove": _pin,
    "Revoke": _revoke,
    "Undo": _undo,
    "Update": _update,
}
"""How each kind is rendered; all others are `_simple`."""


def collection(uri: str, total: int, *, has_items: bool = True, items: Sequence[Any] = ()) -> dict[str, Any]:
    """The front of a collection: how many, and where the pages begin; or all `items` of a small one."""
    document: dict[str, Any] = {"id": uri, "type": "OrderedCollection", "totalItems": max(0, total)}
    if items:
        document["orderedItems"] = list(items)
    elif has_items and total > 0:
        document["first"] = f"{uri}?page=true"
    return with_context(document)


def collection_page(
    uri: str,
    total: int,
    items: Sequence[Any],
    *,
    asked: int | None,
    further: int | None,
    context: Sequence[Any] = contexts.ACTIVITY,
) -> dict[str, Any]:
    """One page. `asked` and `further` are cursors: where this page and the next begin, stable while rows come and go."""
    here = f"{uri}?page=true" if asked is None else f"{uri}?page=true&max_id={asked}"
    document: dict[str, Any] = {
        "id": here,
        "type": "OrderedCollectionPage",
        "partOf": uri,
        "totalItems": max(0, total),
    }
    if further is not None:
        document["next"] = f"{uri}?page=true&max_id={further}"
    if items:
        document["orderedItems"] = list(items)
    return with_context(document, context)
