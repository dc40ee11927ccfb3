"""Parses and renders quotes with the consent of the quoted author (FEP-044f), and the older quote properties.

Modules import it `as quote_vocab`. A post names what it quotes, and may name an authorization: a document by the
author of the quoted post that permits this one quote. An authorization counts only when it was fetched from that
author's own server, and only as long as it exists there; what the quoting post says about it proves nothing. To get
one, the server of the quoting post sends a QuoteRequest, and receives its address in the Accept.

Everything here is pure: parsing, and the rules. `parse_quote` takes a post that `parse_note` has parsed.
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
"""JSON-LD terms for the contexts of documents with the properties below."""

_LINK_TYPE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
_LINK_REL = "https://misskey-hub.net/ns#_misskey_quote"


@dataclass(frozen=True, slots=True)
class QuoteDoc:
    """The quote in a post: the quoted uri `target`, and the claimed address of the authorization."""

    target: str
    authorization_uri: str | None


@dataclass(frozen=True, slots=True)
class QuoteAuthorizationDoc:
    """A parsed QuoteAuthorization, not verified yet: see `authorizes`."""

    id: str
    author_uri: str
    quote_uri: str
    quoted_uri: str


@dataclass(frozen=True, slots=True)
class QuoteRequestDoc:
    """A parsed QuoteRequest: `actor_uri` wants to quote `quoted_uri` in `quote_uri`; `document` is that post if embedded."""

    id: str | None
    actor_uri: str
    quote_uri: str
    quoted_uri: str
    document: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class QuoteResponseDoc:
    """An Accept or Reject of a QuoteRequest: the `id` of the request, the embedded request, or both."""

    id: str | None
    request: QuoteRequestDoc | None
    authorization_uri: str | None


def parse_quote(post: Note) -> QuoteDoc | None:
    """Returns the quote in a post, under any of the property names; None without one.

    A post cannot quote itself.
    """
    if post.quote is None or not is_web_url(post.quote) or _is_same_uri(post.quote, post.id):
        return None
    authorization = uri(post.raw.get("quoteAuthorization"))
    return QuoteDoc(
        post.quote, authorization if authorization is not None and is_web_url(authorization) else None
    )


def parse_authorization(doc: dict[str, Any]) -> QuoteAuthorizationDoc:
    """Parses a QuoteAuthorization. Raises Malformed."""
    if not isinstance(doc, dict) or type_name(doc, frozenset({AUTHORIZATION_TYPE})) != AUTHORIZATION_TYPE:
        raise Malformed("not a quote authorization")
    found = (
        document_id(doc),
        uri(doc.get("attributedTo")),
        uri(doc.get("interactingObject")),
        uri(doc.get("interactionTarget")),
    )
    own, author, quote, quoted = (item if item is not None and is_web_url(item) else None for item in found)
    if own is None or author is None or quote is None or quoted is None:
        raise Malformed("a quote authorization without its uris")
    return QuoteAuthorizationDoc(own, author, quote, quoted)


def authorizes(
    authorization: QuoteAuthorizationDoc, found_at: str, *, quote: str, quoted: str, author: str
) -> bool:
    """Returns whether the authorization that was fetched from `found_at` permits the post `quote` to quote
    the post `quoted`.

    `author` is the known author of `quoted`. False is no final verdict about the quote: a valid authorization may
    still arrive.
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
    """Parses a QuoteRequest whose sender was verified. Raises Malformed.

    The quoting post must be the actor's own; an embedded one must name that author and quote the same post.
    """
    if activity.type != REQUEST_TYPE:
        raise Malformed("not a quote request")
    return _parse_request(activity.raw, activity.actor)


def parse_response(activity: Activity) -> QuoteResponseDoc:
    """Parses an Accept or Reject of a quote request. Never raises; the caller compares it with the stored request.

    The authorization is only an address: fetch it and check it with `authorizes`. That the sender is the quoted
    author is checked by the caller.
    """
    doc = activity.object.doc
    request: QuoteRequestDoc | None = None
    if doc is not None and type_name(doc, frozenset({REQUEST_TYPE})) == REQUEST_TYPE:
        actor = uri(doc.get("actor"))
        try:
            request = _parse_request(doc, actor) if actor is not None else None
        except Malformed:
            request = None
    given = activity.result.uri
    return QuoteResponseDoc(
        activity.object.uri, request, given if given is not None and is_web_url(given) else None
    )


def render_properties(target: str, authorization_uri: str | None) -> dict[str, Any]:
    """Renders the properties of a local quoting post, under every name in use;
    `render_link` belongs among its tags."""
    properties: dict[str, Any] = {"quote": target, "quoteUrl": target, "_misskey_quote": target}
    if authorization_uri is not None:
        properties["quoteAuthorization"] = authorization_uri
    return properties


def render_link(target: str) -> dict[str, Any]:
    """Renders the Link tag of FEP-e232 for a quote."""
    # The name is for Vernissage, which rejects a post with a tag that has none.
    return {
        "type": "Link",
        "mediaType": _LINK_TYPE,
        "rel": _LINK_REL,
        "href": target,
        "name": f"RE: {target}",
    }


def render_authorization(authorization: QuoteAuthorizationDoc) -> dict[str, Any]:
    """Renders the document of an authorization: addresses only,
    so that it reveals the content of neither post."""
    return {
        "id": authorization.id,
        "type": AUTHORIZATION_TYPE,
        "attributedTo": authorization.author_uri,
        "interactingObject": authorization.quote_uri,
        "interactionTarget": authorization.quoted_uri,
    }


def _parse_request(doc: dict[str, Any], actor: str) -> QuoteRequestDoc:
    quoted, instrument = uri(doc.get("object")), ref(doc.get("instrument"))
    quote = instrument.uri
    if quoted is None or not is_web_url(quoted) or quote is None or not is_web_url(quote):
        raise Malformed("a quote request without its uris")
    if _is_same_uri(quote, quoted) or not same_origin(quote, actor):
        raise Malformed("a quote request for a post of somebody else")
    document = instrument.doc
    if document is not None and "attributedTo" not in document:
        document = None
    if document is not None:
        sent = parse_note(document)
        if not _is_same_uri(sent.actor, actor) or sent.quote is None or not _is_same_uri(sent.quote, quoted):
            raise Malformed("a quote request with a post that does not quote")
    return QuoteRequestDoc(document_id(doc), actor, quote, quoted, document)


def _is_same_uri(one: str, other: str) -> bool:
    try:
        return normalize_id(one) == normalize_id(other)
    except Malformed:
        return False
