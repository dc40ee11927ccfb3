"""Follower synchronization (FEP-8fcf): detects and corrects differences between the follower lists of two servers.

A server that delivers to followers adds the header `Collection-Synchronization`: the address of the list of the
followers that it assumes on the receiving server, and a digest of that list. `trusted_header` decides whether the
header may be acted on: it must be signed, and be about the sender's own followers on the sender's own server.
`differs` compares the digests, and `compute_correction` says what to change once the list has been fetched.

The digest does not depend on order, so it can be updated incrementally. It proves nothing: the list is believed
because of the server that it was fetched from. https://w3id.org/fep/8fcf
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from activitypub.signatures import BadSignature, Claim, SignedRequest
from activitypub.signatures.cavage import parse_parameters
from activitypub.uris import Malformed, normalize_id, parse_uri, same_origin

HEADER = "Collection-Synchronization"
_FIELD = HEADER.lower()
_COVERED = (_FIELD, f'"{_FIELD}"')
_HEXADECIMAL = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class SynchronizationHeader:
    """The parsed header: the id of the collection, the address of its part for this server, and its digest (hex)."""

    collection: str
    url: str
    digest: str


@dataclass(frozen=True, slots=True)
class Correction:
    """`gone` are local followers that the remote server does not list; `unknown` are those that only it lists."""

    gone: frozenset[str]
    unknown: frozenset[str]


def compute_digest(ids: Iterable[str]) -> str:
    """Computes the SHA-256 digests of all ids combined by XOR, as 64 hex digits; zeros for no ids."""
    total = 0
    for id_ in set(ids):
        total ^= int.from_bytes(hashlib.sha256(id_.encode("utf-8", "surrogatepass")).digest(), "big")
    return f"{total:064x}"


def filter_by_origin(ids: Iterable[str], address: str) -> list[str]:
    """Returns the ids with the same origin as an address (such as an inbox), in order."""
    try:
        origin = parse_uri(address).origin
    except Malformed:
        return []
    return [id_ for id_ in ids if _origin(id_) == origin]


def render_header(collection: str, url: str, ids: Iterable[str]) -> str:
    """Renders the header value to send and to sign; `ids` come from `filter_by_origin`.

    Raises ValueError for a bad address.
    """
    for address in (collection, url):
        if not address.isascii() or not address.isprintable() or '"' in address or "\\" in address:
            raise ValueError("an address in a header is a plain URI")
    return f'collectionId="{collection}", url="{url}", digest="{compute_digest(ids)}"'


def parse_header(value: str) -> SynchronizationHeader | None:
    """Parses a header value; None when it is malformed. Nothing of it is trusted yet."""
    try:
        given = parse_parameters(value)
        digest = given["digest"].lower()
        normalize_id(given["collectionid"]), normalize_id(given["url"])
    except (BadSignature, Malformed, KeyError):
        return None
    if len(digest) != 64 or not set(digest) <= _HEXADECIMAL:
        return None
    return SynchronizationHeader(given["collectionid"], given["url"], digest)


def trusted_header(
    request: SignedRequest, claim: Claim, actor: str, followers: str | None
) -> SynchronizationHeader | None:
    """Returns the header of a request, if it may be acted on; None means that it is ignored.

    `claim` has been verified with a key of `actor`, whose document names `followers` as its followers collection.
    """
    lines = request.values(_FIELD)
    if len(lines) != 1 or not any(name in claim.covered for name in _COVERED):
        return None
    found = parse_header(lines[0])
    if found is None or followers is None or normalize_id(found.collection) != _normalized(followers):
        return None
    # An actor document may name any address as its followers; only its own server is an authority on them.
    if not same_origin(actor, followers) or not same_origin(actor, found.url):
        return None
    return found


def differs(sync: SynchronizationHeader, local_ids: Iterable[str]) -> bool:
    """Returns whether the local followers, by their ids, are not those that the digest was computed from."""
    return compute_digest(local_ids) != sync.digest


def compute_correction(
    sync: SynchronizationHeader, listed: Iterable[str], local_ids: Iterable[str], local_uri: str
) -> Correction | None:
    """Computes what the fetched list changes, or None when the digest was not computed from it.

    `local_ids` are the ids of the local followers. The list is cut down to accounts of this server (`local_uri`, any
    address of it), so that no other follow can be touched. A list that is truncated, or has changed meanwhile, does
    not match the digest and changes nothing.
    """
    remote = frozenset(filter_by_origin(listed, local_uri))
    if compute_digest(remote) != sync.digest:
        return None
    local = frozenset(filter_by_origin(local_ids, local_uri))
    return Correction(gone=local - remote, unknown=remote - local)


def _origin(id_: str) -> str | None:
    try:
        return parse_uri(id_).origin
    except Malformed:
        return None


def _normalized(address: str) -> str | None:
    try:
        return normalize_id(address)
    except Malformed:
        return None
