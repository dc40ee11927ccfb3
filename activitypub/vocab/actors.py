"""Parses actor documents and the keys in them.

Nothing is verified here: that an id belongs to the server that sent the document, and
a key to the actor that lists it, is checked by the caller that fetched it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from activitypub.uris import Malformed, host_and_port
from activitypub.vocab.attachments import Attachment, parse_image
from activitypub.vocab.emoji import EmojiTag, parse_emoji
from activitypub.vocab.values import (
    boolean,
    document_id,
    first,
    is_web_url,
    items,
    localized_text,
    objects,
    page_url,
    text,
    timestamp_ms,
    type_name,
    uri,
    uris,
    web_url,
)

TYPES = frozenset({"Person", "Service", "Group", "Organization", "Application"})
MAX_USERNAME_LENGTH, MAX_NAME_LENGTH, MAX_SUMMARY_LENGTH = 2048, 2048, 20_480
MAX_FIELDS, MAX_FIELD_LENGTH, MAX_ALIASES, MAX_KEYS = 50, 2047, 256, 20

RFC9421_URLS = (
    "https://datatracker.ietf.org/doc/html/rfc9421",
    "https://www.rfc-editor.org/rfc/rfc9421",
    "https://www.rfc-editor.org/rfc/rfc9421.html",
)

_KEY_TYPES = frozenset({"Key", "CryptographicKey", "PublicKey", "Multikey"})
_USERNAME = re.compile(r"[^\s/@?#:<>\"\\]{1,2048}")


@dataclass(frozen=True, slots=True)
class Key:
    """A published key. `text` is PEM or multibase, or None when only its id is given."""

    id: str
    owner: str | None
    text: str | None
    algorithm: str


@dataclass(frozen=True, slots=True)
class ActorDoc:
    """A parsed actor. `summary` and the values of `fields` are unsanitised HTML; `webfinger` is `user@host` or None."""

    id: str
    type: str
    username: str
    name: str
    summary: str
    url: str | None
    icon: str | None
    icon_alt: str
    image: str | None
    image_alt: str
    inbox: str
    shared_inbox: str | None
    outbox: str | None
    followers: str | None
    following: str | None
    featured: str | None
    keys: list[Key]
    manually_approves_followers: bool
    discoverable: bool
    indexable: bool
    suspended: bool
    hides_from_web: bool
    moved_to: str | None
    also_known_as: list[str]
    fields: list[tuple[str, str]]
    published_ms: int | None
    webfinger: str | None
    attribution_domains: list[str]
    supports_rfc9421: bool
    emoji: list[EmojiTag]
    raw: dict[str, Any] = field(repr=False)


def parse_actor(doc: dict[str, Any]) -> ActorDoc:
    """Parses an actor. Raises Malformed without a type, an id or an inbox, or with an unusable user name."""
    if not isinstance(doc, dict):
        raise Malformed("not a document")
    name = type_name(doc, TYPES)
    if name not in TYPES:
        raise Malformed("not an actor")
    own, inbox = document_id(doc), web_url(doc.get("inbox"))
    if own is None or not is_web_url(own) or inbox is None:
        raise Malformed("an actor without an id or an inbox")
    given = doc.get("preferredUsername")
    # Some servers put a whole handle there, or (Plume) a title with blanks that the handle does not have. The domain of a handle comes from WebFinger, never from this property.
    username = (
        _placeholder_username(own)
        if given is None
        else "".join(text(given, MAX_USERNAME_LENGTH + 1).partition("@")[0].split())
    )
    if not _USERNAME.fullmatch(username):
        raise Malformed("an actor with an unusable user name")
    icon, image = _picture(doc.get("icon")), _picture(doc.get("image"))
    endpoints = first(doc.get("endpoints"))
    shared = endpoints.get("sharedInbox") if isinstance(endpoints, dict) else doc.get("sharedInbox")
    return ActorDoc(
        id=own,
        type=name,
        username=username,
        name=localized_text(doc, "name", MAX_NAME_LENGTH),
        summary=localized_text(doc, "summary", MAX_SUMMARY_LENGTH),
        url=page_url(doc.get("url")),
        icon=icon.url if icon else None,
        icon_alt=icon.alt if icon else "",
        image=image.url if image else None,
        image_alt=image.alt if image else "",
        inbox=inbox,
        shared_inbox=web_url(shared),
        outbox=web_url(doc.get("outbox")),
        followers=web_url(doc.get("followers")),
        following=web_url(doc.get("following")),
        featured=web_url(doc.get("featured")),
        keys=parse_keys(doc),
        manually_approves_followers=boolean(doc.get("manuallyApprovesFollowers")),
        discoverable=boolean(doc.get("discoverable")),
        indexable=boolean(doc.get("indexable")),
        suspended=boolean(doc.get("suspended")),
        hides_from_web=boolean(doc.get("hidesToPublicFromUnauthedWeb")),
        moved_to=uri(doc.get("movedTo")),
        also_known_as=uris(doc.get("alsoKnownAs"), MAX_ALIASES),
        fields=_fields(doc.get("attachment")),
        published_ms=timestamp_ms(doc.get("published")),
        webfinger=_webfinger(doc.get("webfinger")),
        attribution_domains=_domains(doc.get("attributionDomains")),
        supports_rfc9421=any(one in RFC9421_URLS for one in parse_implements(doc)),
        emoji=parse_emoji(objects(doc.get("tag"), 200)),
        raw=doc,
    )


def _placeholder_username(id_: str) -> str:
    """Returns the name of an actor without a user name (and so without a handle): stable,
    and derived from a hash of the id."""
    return f"unnamed-{hashlib.sha256(id_.encode()).hexdigest()[:8]}"


def parse_keys(doc: Any) -> list[Key]:
    """Returns the keys of an actor document, or the one of a key document. Never raises; may be empty."""
    if not isinstance(doc, dict):
        return []
    if type_name(doc, _KEY_TYPES) in _KEY_TYPES or "publicKeyPem" in doc or "publicKeyMultibase" in doc:
        listed: list[Any] = [doc]
    else:
        listed = [*items(doc.get("publicKey"), MAX_KEYS), *items(doc.get("assertionMethod"), MAX_KEYS)]
    found: dict[str, Key] = {}
    for item in listed:
        if (key := _key(item)) is not None:
            found.setdefault(key.id, key)
    return list(found.values())[:MAX_KEYS]


def _key(item: Any) -> Key | None:
    if isinstance(item, str):
        return Key(item, None, None, "") if uri(item) else None
    if not isinstance(item, dict) or (own := document_id(item)) is None:
        return None
    owner = uri(item.get("owner", item.get("controller")))
    multibase = first(item.get("publicKeyMultibase"))
    if isinstance(multibase, str):
        return Key(own, owner, multibase[:4096], "ed25519" if multibase.startswith("z6Mk") else "")
    pem = first(item.get("publicKeyPem"))
    return Key(own, owner, pem[:4096], "rsa") if isinstance(pem, str) else Key(own, owner, None, "")


def _picture(value: Any) -> Attachment | None:
    # Where several sizes are listed, the last one is the largest.
    for item in reversed(items(value, 10)):
        found = parse_image(item)
        if found is not None and found.is_image:
            return found
    return None


def _fields(value: Any) -> list[tuple[str, str]]:
    found = []
    for item in objects(value, 200):
        if type_name(item) in ("PropertyValue", "schema:PropertyValue", "http://schema.org#PropertyValue"):
            name, content = (
                text(item.get("name"), MAX_FIELD_LENGTH),
                text(item.get("value"), MAX_FIELD_LENGTH),
            )
            if name or content:
                found.append((name, content))
    return found[:MAX_FIELDS]


def _webfinger(value: Any) -> str | None:
    name, at, host = text(value, 2300).removeprefix("acct:").removeprefix("@").rpartition("@")
    if not at or not _USERNAME.fullmatch(name) or (domain := _domain(host)) is None:
        return None
    return f"{name}@{domain}"


def parse_implements(doc: dict[str, Any]) -> list[str]:
    """Returns the URLs of the specifications that the software of an actor implements (FEP-844e)."""
    found: list[str] = []
    for generator in objects(doc.get("generator"), 5):
        for item in items(generator.get("implements"), 50):
            named = item.get("href", item.get("id")) if isinstance(item, dict) else item
            if isinstance(named, str):
                found.append(named)
    return found


def _domains(value: Any) -> list[str]:
    found = (_domain(item) for item in items(value, MAX_ALIASES))
    return list(dict.fromkeys(item for item in found if item is not None))


def _domain(value: Any) -> str | None:
    try:
        host, port = host_and_port(value) if isinstance(value, str) else ("", None)
    except Malformed:
        return None
    return (host if port is None else f"{host}:{port}") or None
