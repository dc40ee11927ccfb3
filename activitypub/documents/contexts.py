"""The JSON-LD contexts of this node's documents: a small fixed list, with every term that they use.

`schema` is two different things: Mastodon's historic `http://schema.org#` for profile fields, and
`https://schema.org/` for photo metadata. The two never meet in one document.
"""

from __future__ import annotations

from typing import Any

from activitypub.vocab import quotes as quote_vocab

AS = "https://www.w3.org/ns/activitystreams"
SECURITY = "https://w3id.org/security/v1"

ACTIVITY: list[Any] = [AS]

ACTOR: list[Any] = [
    AS,
    SECURITY,
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    {
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "toot": "http://joinmastodon.org/ns#",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "suspended": "toot:suspended",
        "attributionDomains": {"@id": "toot:attributionDomains", "@type": "@id"},
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
        "implements": {
            "@id": "https://w3id.org/fep/844e/implements",
            "@type": "@id",
            "@container": "@list",
        },
    },
]

NOTE: list[Any] = [
    AS,
    SECURITY,
    {
        "toot": "http://joinmastodon.org/ns#",
        "Hashtag": "as:Hashtag",
        "sensitive": "as:sensitive",
        "Emoji": "toot:Emoji",
        "blurhash": "toot:blurhash",
        "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
        "schema": "https://schema.org/",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "exifData": "schema:exifData",
        "license": "schema:license",
        "licenseUrl": {"@id": "schema:license", "@type": "@id"},
        "addressCountry": "schema:addressCountry",
        "photos": "https://joinvernissage.org/ns#",
        "geonameId": "photos:geonameId",
        "Category": "photos:Category",
        "hdrImageUrl": "photos:hdrImageUrl",
        "ostatus": "http://ostatus.org#",
        "conversation": {"@id": "ostatus:conversation", "@type": "@id"},
        "pixelfed": "http://pixelfed.org/ns#",
        "commentsEnabled": "pixelfed:commentsEnabled",
        "capabilities": {"@id": "pixelfed:capabilities", "@container": "@set"},
        "announce": {"@id": "pixelfed:canAnnounce", "@type": "@id"},
        "like": {"@id": "pixelfed:canLike", "@type": "@id"},
        "reply": {"@id": "pixelfed:canReply", "@type": "@id"},
        "gts": "https://gotosocial.org/ns#",
        "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
        "canLike": {"@id": "gts:canLike", "@type": "@id"},
        "canReply": {"@id": "gts:canReply", "@type": "@id"},
        "canAnnounce": {"@id": "gts:canAnnounce", "@type": "@id"},
        "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
        "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
        "manualApproval": {"@id": "gts:manualApproval", "@type": "@id"},
        **quote_vocab.CONTEXT,
    },
]

QUOTE: list[Any] = [AS, quote_vocab.CONTEXT]
