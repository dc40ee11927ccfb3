"""Quotes, with the consent of whoever is quoted (FEP-044f), and the older ways to write one.

A post says what it quotes, and may name a stamp: a document by the author of the quoted post that permits
this one quote. A stamp is worth something only when it was fetched from that author's own server, and only
as long as it is there; what the quoting post says about it proves nothing. To get one, the server of the
quoting post sends a QuoteRequest, and has the stamp in the answer.

All here is pure: parsing, and the rules. `read` takes a post that was understood before (`vocab.note`).
https://w3id.org/fep/044f
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from activitypub.uris import Malformed, normal_id, same_origin
from activitypub.vocab import Activity, Note, note
from activitypub.vocab.values import identity, is_web, kind, ref, uri

STAMP_TYPE, REQUEST_TYPE = "QuoteAuthorization", "QuoteRequest"

CONTEXT: dict[str, Any] = {
    "gts": "https://gotosocial.org/ns#",
    "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
    "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
    "quote": {"@id": "https://w3id.org/fep/044f#quote", "@type": "@id"},
    "quoteAuthorization": {"@id": "https://w3id.org/fep/044f#quoteAuthorization", "@type": "@id"},
    "quoteUrl": "as:quoteUrl",
    "_misskey_quote": "https://misskey-hub.net/ns#_misskey_quote",
    "interactingObject": {"@id": "gts:interactingObject", "@type": "@id"},
    "interactionTarget": {"@id": "gts:interactionTarget", "@type": "@id"},
}
"""The terms used below, for the contexts of documents that hold them."""

_LINK_TYPE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
_LINK_REL = "https://misskey-hub.net/ns#_misskey_quote"


@dataclass(frozen=True, slots=True)
class Quote:
    """What a post says: it quotes `target`, and `stamp` should be the address of the permission."""

    target: str
    stamp: str | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """A permission as its document says it; see `permits`."""

    id: str
    author: str
    quote: str
    quoted: str


@dataclass(frozen=True, slots=True)
class Request:
    """`by` asks to quote `quoted` in `quote`. `document` is that post, when it was sent along."""

    id: str | None
    by: str
    quote: str
    quoted: str
    document: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an Accept or a Reject is the answer to: the id of a request, or the request itself, or both."""

    id: str | None
    request: Request | None
    stamp: str | None


def read(post: Note) -> Quote | None:
    """What the post quotes, in whichever of the spellings. A post cannot quote itself."""
    if post.quote is None or not is_web(post.quote) or _same(post.quote, post.id):
        return None
    stamp = uri(post.raw.get("quoteAuthorization"))
    return Quote(post.quote, stamp if stamp is not None and is_web(stamp) else None)


def stamp(doc: dict[str, Any]) -> Stamp:
    """The permission in a document. Raises Malformed."""
    if not isinstance(doc, dict) or kind(doc, frozenset({STAMP_TYPE})) != STAMP_TYPE:
        raise Malformed("not a permission to quote")
    found = (
        identity(doc),
        uri(doc.get("attributedTo")),
        uri(doc.get("interactingObject")),
        uri(doc.get("interactionTarget")),
    )
    own, author, quote, quoted = (item if item is not None and is_web(item) else None for item in found)
    if own is None or author is None or quote is None or quoted is None:
        raise Malformed("a permission to quote that does not say what")
    return Stamp(own, author, quote, quoted)


def permits(given: Stamp, found_at: str, *, quote: str, quoted: str, author: str) -> bool:
    """Whether the stamp that was fetched from `found_at` lets the post `quote` quote the post `quoted`.

    `author` is whose post `quoted` is, as we know it. A stamp that does not permit is no verdict about the
    quote: the genuine one may still come.
    """
    return (
        _same(given.id, found_at)
        and _same(given.quote, quote)
        and _same(given.quoted, quoted)
        and _same(given.author, author)
        and same_origin(given.id, author)
        and same_origin(quoted, author)
    )


def request(activity: Activity) -> Request:
    """The request in an activity that came from its actor. Raises Malformed.

    The quoting post must be the actor's own; one that is sent along must also say so, and quote that post.
    """
    if activity.type != REQUEST_TYPE:
        raise Malformed("not a request to quote")
    return _request(activity.raw, activity.actor)


def answer(activity: Activity) -> Answer:
    """The answer in an Accept or a Reject. Never raises; compare it with the request that we keep.

    The stamp is only an address: fetch it and ask `permits`. That the sender is the one who was asked is for
    the caller to see.
    """
    doc = activity.object.doc
    again: Request | None = None
    if doc is not None and kind(doc, frozenset({REQUEST_TYPE})) == REQUEST_TYPE:
        by = uri(doc.get("actor"))
        try:
            again = _request(doc, by) if by is not None else None
        except Malformed:
            again = None
    given = activity.result.uri
    return Answer(activity.object.uri, again, given if given is not None and is_web(given) else None)


def properties(target: str, given: str | None) -> dict[str, Any]:
    """What a quoting post of ours says, in every spelling; `link` belongs among its tags."""
    said: dict[str, Any] = {"quote": target, "quoteUrl": target, "_misskey_quote": target}
    if given is not None:
        said["quoteAuthorization"] = given
    return said


def link(target: str) -> dict[str, Any]:
    """The tag of FEP-e232 for a quote."""
    # The name is for Vernissage, which reads no post with a tag that has none.
    return {
        "type": "Link",
        "mediaType": _LINK_TYPE,
        "rel": _LINK_REL,
        "href": target,
        "name": f"RE: {target}",
    }


def stamp_document(given: Stamp) -> dict[str, Any]:
    """The document of a permission: addresses only, so that it gives away neither post."""
    return {
        "id": given.id,
        "type": STAMP_TYPE,
        "attributedTo": given.author,
        "interactingObject": given.quote,
        "interactionTarget": given.quoted,
    }


def _request(doc: dict[str, Any], by: str) -> Request:
    quoted, instrument = uri(doc.get("object")), ref(doc.get("instrument"))
    quote = instrument.uri
    if quoted is None or not is_web(quoted) or quote is None or not is_web(quote):
        raise Malformed("a request to quote that does not say what")
    if _same(quote, quoted) or not same_origin(quote, by):
        raise Malformed("a request to quote in a post of somebody else")
    document = instrument.doc
    if document is not None and "attributedTo" not in document:
        document = None
    if document is not None:
        sent = note(document)
        if not _same(sent.actor, by) or sent.quote is None or not _same(sent.quote, quoted):
            raise Malformed("a request to quote with a post that does not")
    return Request(identity(doc), by, quote, quoted, document)


def _same(one: str, other: str) -> bool:
    try:
        return normal_id(one) == normal_id(other)
    except Malformed:
        return False
