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

from activitypub.uris import Malformed, normalize_id, same_origin
from activitypub.vocab import Activity, Note, parse_note
from activitypub.vocab.values import document_id, is_web_url, ref, type_name, uri

AUTHORIZATION_TYPE, REQUEST_TYPE = "QuoteAuthorization", "QuoteRequest"

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
class QuoteDoc:
    """What a post says: it quotes `target`, and `authorization_uri` should be the address of the permission."""

    target: str
    authorization_uri: str | None


@dataclass(frozen=True, slots=True)
class QuoteAuthorizationDoc:
    """A permission as its document says it; see `permits`."""

    id: str
    author_uri: str
    quote_uri: str
    quoted_uri: str


@dataclass(frozen=True, slots=True)
class QuoteRequestDoc:
    """`actor_uri` asks to quote `quoted_uri` in `quote_uri`. `document` is that post, when it was sent along."""

    id: str | None
    actor_uri: str
    quote_uri: str
    quoted_uri: str
    document: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class QuoteResponseDoc:
    """What an Accept or a Reject is the answer to: the id of a request, or the request itself, or both."""

    id: str | None
    request: QuoteRequestDoc | None
    authorization_uri: str | None


def parse_quote(post: Note) -> QuoteDoc | None:
    """What the post quotes, in whichever of the spellings. A post cannot quote itself."""
    if post.quote is None or not is_web_url(post.quote) or _is_same_uri(post.quote, post.id):
        return None
    stamp = uri(post.raw.get("quoteAuthorization"))
    return QuoteDoc(post.quote, stamp if stamp is not None and is_web_url(stamp) else None)


def parse_authorization(doc: dict[str, Any]) -> QuoteAuthorizationDoc:
    """The permission in a document. Raises Malformed."""
    if not isinstance(doc, dict) or type_name(doc, frozenset({AUTHORIZATION_TYPE})) != AUTHORIZATION_TYPE:
        raise Malformed("not a permission to quote")
    found = (
        document_id(doc),
        uri(doc.get("attributedTo")),
        uri(doc.get("interactingObject")),
        uri(doc.get("interactionTarget")),
    )
    own, author, quote, quoted = (item if item is not None and is_web_url(item) else None for item in found)
    if own is None or author is None or quote is None or quoted is None:
        raise Malformed("a permission to quote that does not say what")
    return QuoteAuthorizationDoc(own, author, quote, quoted)


def authorizes(
    authorization: QuoteAuthorizationDoc, found_at: str, *, quote: str, quoted: str, author: str
) -> bool:
    """Whether the stamp that was fetched from `found_at` lets the post `quote` quote the post `quoted`.

    `author` is whose post `quoted` is, as we know it. A stamp that does not permit is no verdict about the
    quote: the genuine one may still come.
    """
    return (
        _is_same_uri(authorization.id, found_at)
        and _is_same_uri(authorization.quote_uri, quote)
        and _is_same_uri(authorization.quoted_uri, quoted)
        and _is_same_uri(authorization.author_uri, author)
        and same_origin(authorization.id, author)
        and same_origin(quoted, author)
    )


def parse_request(activity: Activity) -> QuoteRequestDoc:
    """The request in an activity that came from its actor. Raises Malformed.

    The quoting post must be the actor's own; one that is sent along must also say so, and quote that post.
    """
    if activity.type != REQUEST_TYPE:
        raise Malformed("not a request to quote")
    return _parse_request(activity.raw, activity.actor)


def parse_response(activity: Activity) -> QuoteResponseDoc:
    """The answer in an Accept or a Reject. Never raises; compare it with the request that we keep.

    The stamp is only an address: fetch it and ask `permits`. That the sender is the one who was asked is for
    the caller to see.
    """
    doc = activity.object.doc
    again: QuoteRequestDoc | None = None
    if doc is not None and type_name(doc, frozenset({REQUEST_TYPE})) == REQUEST_TYPE:
        by = uri(doc.get("actor"))
        try:
            again = _parse_request(doc, by) if by is not None else None
        except Malformed:
            again = None
    given = activity.result.uri
    return QuoteResponseDoc(
        activity.object.uri, again, given if given is not None and is_web_url(given) else None
    )


def render_properties(target: str, authorization_uri: str | None) -> dict[str, Any]:
    """What a quoting post of ours says, in every spelling; `link` belongs among its tags."""
    said: dict[str, Any] = {"quote": target, "quoteUrl": target, "_misskey_quote": target}
    if authorization_uri is not None:
        said["quoteAuthorization"] = authorization_uri
    return said


def render_link(target: str) -> dict[str, Any]:
    """The tag of FEP-e232 for a quote."""
    # The name is for Vernissage, which reads no post with a tag that has none.
    return {
        "type": "Link",
        "mediaType": _LINK_TYPE,
        "rel": _LINK_REL,
        "href": target,
        "name": f"RE: {target}",
    }


def render_authorization(authorization: QuoteAuthorizationDoc) -> dict[str, Any]:
    """The document of a permission: addresses only, so that it gives away neither post."""
    return {
        "id": authorization.id,
        "type": AUTHORIZATION_TYPE,
        "attributedTo": authorization.author_uri,
        "interactingObject": authorization.quote_uri,
        "interactionTarget": authorization.quoted_uri,
    }


def _parse_request(doc: dict[str, Any], by: str) -> QuoteRequestDoc:
    quoted, instrument = uri(doc.get("object")), ref(doc.get("instrument"))
    quote = instrument.uri
    if quoted is None or not is_web_url(quoted) or quote is None or not is_web_url(quote):
        raise Malformed("a request to quote that does not say what")
    if _is_same_uri(quote, quoted) or not same_origin(quote, by):
        raise Malformed("a request to quote in a post of somebody else")
    document = instrument.doc
    if document is not None and "attributedTo" not in document:
        document = None
    if document is not None:
        sent = parse_note(document)
        if not _is_same_uri(sent.actor, by) or sent.quote is None or not _is_same_uri(sent.quote, quoted):
            raise Malformed("a request to quote with a post that does not")
    return QuoteRequestDoc(document_id(doc), by, quote, quoted, document)


def _is_same_uri(one: str, other: str) -> bool:
    try:
        return normalize_id(one) == normalize_id(other)
    except Malformed:
        return False
