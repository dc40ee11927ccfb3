"""FEP-8fcf: two servers notice that they disagree about who follows whom.

With what it sends to followers, a server says in a header what it believes about the followers on the
receiving one: an address with their list, and a digest of it. `wanted` decides whether such a header may be
acted on at all: it must be signed, and be about the sender's own followers on the sender's own server.
`differs` tells whether there is anything to do, and `correction` what, once the list has been fetched.

The digest says nothing about order, which is why it can be kept up to date. It is no proof of anything: the
list is believed because of where it was fetched. https://w3id.org/fep/8fcf
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from activitypub.signatures import BadSignature, Claim, Request
from activitypub.signatures.cavage import parameters
from activitypub.uris import Malformed, normal_id, parts, same_origin

HEADER = "Collection-Synchronization"
_FIELD = HEADER.lower()
_COVERED = (_FIELD, f'"{_FIELD}"')
_HEXADECIMAL = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Synchronization:
    """What the header says: the collection, where the part of it for us is, and its digest in lower-case hex."""

    collection: str
    url: str
    digest: str


@dataclass(frozen=True, slots=True)
class Correction:
    """`gone` follow no more, according to the other server; `unknown` are followers only according to it."""

    gone: frozenset[str]
    unknown: frozenset[str]


def digest(ids: Iterable[str]) -> str:
    """The SHA-256 of each id, all of them combined by XOR, in hex. Nobody gives zeros."""
    total = 0
    for id_ in set(ids):
        total ^= int.from_bytes(hashlib.sha256(id_.encode("utf-8", "surrogatepass")).digest(), "big")
    return f"{total:064x}"


def part(ids: Iterable[str], address: str) -> list[str]:
    """Those of the ids that live on the server of an address, such as an inbox, in order."""
    try:
        origin = parts(address).origin
    except Malformed:
        return []
    return [id_ for id_ in ids if _origin(id_) == origin]


def header(collection: str, url: str, ids: Iterable[str]) -> str:
    """The value to send, and to sign, with `ids` from `part`. Raises ValueError for what is no address."""
    for address in (collection, url):
        if not address.isascii() or not address.isprintable() or '"' in address or "\\" in address:
            raise ValueError("an address in a header is a plain URI")
    return f'collectionId="{collection}", url="{url}", digest="{digest(ids)}"'


def parse(value: str) -> Synchronization | None:
    """What a header says, or None when it does not say it clearly. Nothing of it is believed yet."""
    try:
        given = parameters(value)
        said = given["digest"].lower()
        normal_id(given["collectionid"]), normal_id(given["url"])
    except (BadSignature, Malformed, KeyError):
        return None
    if len(said) != 64 or not set(said) <= _HEXADECIMAL:
        return None
    return Synchronization(given["collectionid"], given["url"], said)


def wanted(request: Request, claim: Claim, actor: str, followers: str | None) -> Synchronization | None:
    """The header of a request, if it may be acted on; None means that it changes nothing.

    `claim` has been verified with a key of `actor`, whose document says that `followers` is its followers.
    """
    lines = request.values(_FIELD)
    if len(lines) != 1 or not any(name in claim.covered for name in _COVERED):
        return None
    found = parse(lines[0])
    if found is None or followers is None or normal_id(found.collection) != _normal(followers):
        return None
    # An actor may call any address its followers; only its own server can say who they are.
    if not same_origin(actor, followers) or not same_origin(actor, found.url):
        return None
    return found


def differs(said: Synchronization, ours: Iterable[str]) -> bool:
    """Whether the people here who follow, as we know it, are not the ones the header means."""
    return digest(ours) != said.digest


def correction(
    said: Synchronization, listed: Iterable[str], ours: Iterable[str], home: str
) -> Correction | None:
    """What the fetched list changes, or None when the list is not the one the digest is of.

    `ours` are the people here who follow, as we know it. The list is cut down to people of this server
    (`home`, any address of it), so nobody else's follow can be touched. A list that is cut off, or that
    has changed meanwhile, does not fit the digest and changes nothing.
    """
    theirs = frozenset(part(listed, home))
    if digest(theirs) != said.digest:
        return None
    mine = frozenset(part(ours, home))
    return Correction(gone=mine - theirs, unknown=theirs - mine)


def _origin(id_: str) -> str | None:
    try:
        return parts(id_).origin
    except Malformed:
        return None


def _normal(address: str) -> str | None:
    try:
        return normal_id(address)
    except Malformed:
        return None
