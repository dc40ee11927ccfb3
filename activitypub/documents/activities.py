"""Our rows as ActivityStreams documents: people, activities and collections.

Everything that leaves this node as JSON-LD is made here or, for posts, in `notes`. Scalars where peers
want scalars, lists where they want lists, and the full address of the public collection always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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


def activity(tx: Reader, sentence: Sentence, who: Account) -> dict[str, Any] | None:
    """A sentence as an activity, or None when there is nothing left to say."""
    post = None if sentence.post_id is None else posts.by_id(tx, sentence.post_id)
    base = {"id": sentence.uri, "type": sentence.verb, "actor": who.uri}
    match sentence.verb:
        case "Create" | "Update" if sentence.object_uri == who.uri:
            return _about_person(tx, base, who)
        case "Create" | "Update":
            return _about_post(tx, base, post)
        case "Delete" if sentence.object_uri == who.uri:
            return with_context(base | {"to": [PUBLIC], "cc": [], "object": who.uri})
        case "Delete":
            return _farewell(tx, base, sentence, who)
        case "Announce":
            return _boost(tx, sentence, who, post)
        case "Undo":
            return _undo(tx, base, sentence, who, post)
        case "Add" | "Remove":
            return _pin(base, sentence, who, post)
        case "Move":
            told = {"to": [who.followers_uri], "object": who.uri, "target": sentence.facts["target"]}
            return with_context(base | told)
        case "Flag":
            said = sentence.facts
            told = {"to": said["objects"][:1], "content": said["words"], "object": said["objects"]}
            return with_context(base | told)
        case "Revoke":
            return with_context(
                base | {"type": "Delete", "to": _told(tx, sentence, post), "object": sentence.object_uri}
            )
        case "QuoteRequest":
            if post is None or post.deleted_at is not None:
                return None
            asking = {"to": _told(tx, sentence, post), "object": sentence.object_uri}
            note = notes.note(tx.site, notes.facts(tx, [post])[0])
            return with_context(base | asking | {"instrument": note}, contexts.NOTE)
        case "Accept" | "Reject" if "quote" in sentence.facts:
            return _answer_to_quote(base, sentence.facts["quote"])
        case "Accept" | "Reject":
            follow = sentence.facts["follow"]
            undone = {
                "id": follow["uri"],
                "type": "Follow",
                "actor": follow["actor"],
                "object": follow["object"],
            }
            return with_context(base | {"to": [follow["actor"]], "object": undone})
        case _:
            return with_context(base | {"to": _told(tx, sentence, post), "object": sentence.object_uri})


def _answer_to_quote(base: dict[str, Any], asked: dict[str, str]) -> dict[str, Any]:
    question = {
        "id": asked["uri"],
        "type": "QuoteRequest",
        "actor": asked["by"],
        "object": asked["object"],
        "instrument": asked["instrument"],
    }
    given = {"result": asked["result"]} if "result" in asked else {}
    return with_context(base | {"to": [asked["by"]], "object": question} | given, contexts.QUOTE)


def _about_person(tx: Reader, base: dict[str, Any], who: Account) -> dict[str, Any]:
    current = accounts.get(tx, who.id)
    addressed = {"to": [PUBLIC], "cc": [who.followers_uri]}
    return with_context(base | addressed | {"object": person(tx, current)}, contexts.ACTOR)


def _about_post(tx: Reader, base: dict[str, Any], post: Post | None) -> dict[str, Any] | None:
    if post is None or post.deleted_at is not None:
        return None
    whole = create(tx.site, notes.facts(tx, [post])[0])
    if base["type"] == "Update":
        whole |= base | {"published": notes.edit_time(post)}
        whole["object"]["updated"] = notes.edit_time(post)
    return with_context(whole, contexts.NOTE)


def _farewell(tx: Reader, base: dict[str, Any], sentence: Sentence, who: Account) -> dict[str, Any]:
    said = sentence.facts
    mentioned = accounts.by_ids(tx, said.get("mentions", []))
    to, cc = addressing(who, said.get("visibility", "direct"), [one.uri for one in mentioned.values()])
    grave = notes.tombstone(sentence.object_uri, said.get("deleted_at", sentence.created_at))
    del grave["@context"]
    return with_context(base | {"to": to, "cc": cc, "object": grave})


def _boost(tx: Reader, sentence: Sentence, who: Account, post: Post | None) -> dict[str, Any] | None:
    if post is None or boosts.by_uri(tx, sentence.uri) is None:
        return None
    of = accounts.get(tx, post.account_id).uri
    said = sentence.facts
    at = said.get("created_at", sentence.created_at)
    return with_context(
        announce(who, sentence.uri, sentence.object_uri, said.get("visibility", "public"), at, of)
    )


def _pin(base: dict[str, Any], sentence: Sentence, who: Account, post: Post | None) -> dict[str, Any] | None:
    """Only what anybody may see can be pinned; one that is gone meanwhile needs no word."""
    if post is None or post.deleted_at is not None:
        return None
    told = {"to": [PUBLIC], "cc": [who.followers_uri]}
    return with_context(base | told | {"object": sentence.object_uri, "target": who.featured_uri})


def _undo(
    tx: Reader, base: dict[str, Any], sentence: Sentence, who: Account, post: Post | None
) -> dict[str, Any]:
    said, told = sentence.facts, _told(tx, sentence, post)
    if said["verb"] == "Announce":
        at = said.get("created_at", sentence.created_at)
        of = told[0] if told else None
        boost = announce(who, said["uri"], said["object_uri"], said.get("visibility", "public"), at, of)
        return with_context(base | {"to": boost["to"], "cc": boost["cc"], "object": boost})
    undone: dict[str, Any] = {
        "id": said["uri"],
        "type": said["verb"],
        "actor": who.uri,
        "object": said["object_uri"],
        "to": told,
    }
    return with_context(base | {"to": told, "object": undone})


def _told(tx: Reader, sentence: Sentence, post: Post | None) -> list[str]:
    """The one person a like or a follow is about."""
    id_ = sentence.target_id if sentence.target_id is not None else post.account_id if post else None
    account = None if id_ is None else accounts.by_id(tx, id_)
    return [account.uri] if account is not None else []


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
