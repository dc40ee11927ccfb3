"""Computes and checks digests of a body: `Digest` (RFC 3230, with draft-cavage), `Content-Digest` (RFC 9530, with RFC 9421).

The check runs over the raw bytes, in constant time, before anything parses the body.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac

from activitypub.signatures.claims import BadSignature, SignedRequest
from activitypub.signatures.fields import parse_dictionary


# Cached: the same body goes to many inboxes.
@functools.lru_cache(maxsize=16)
def _sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def digest(body: bytes) -> str:
    """Returns the value of a `Digest` header."""
    return f"SHA-256={_sha256(body)}"


def content_digest(body: bytes) -> str:
    """Returns the value of a `Content-Digest` header."""
    return f"sha-256=:{_sha256(body)}:"


def check_digest(request: SignedRequest) -> None:
    """Raises BadSignature unless `Digest` holds the SHA-256 of the body; other algorithms beside it are ignored."""
    found = None
    for member in (request.value("digest") or "").split(","):
        name, _, text = member.strip().partition("=")
        if name.lower() == "sha-256":
            if found is not None:
                raise BadSignature("the digest is given twice")
            found = _decode_base64(text)
    if found is None:
        raise BadSignature("a SHA-256 digest of the body is required")
    if not hmac.compare_digest(found, hashlib.sha256(request.body).digest()):
        raise BadSignature("the digest does not match the body")


def check_content_digest(request: SignedRequest) -> None:
    """Raises BadSignature unless `Content-Digest` has a SHA-256 or SHA-512 of the body, and each one given is right."""
    given = parse_dictionary(request.value("content-digest") or "")
    known = 0
    for name, make in (("sha-256", hashlib.sha256), ("sha-512", hashlib.sha512)):
        if name not in given:
            continue
        value = given[name][0]
        if not isinstance(value, bytes) or not hmac.compare_digest(value, make(request.body).digest()):
            raise BadSignature("the Content-Digest does not match the body")
        known += 1
    if not known:
        raise BadSignature("a SHA-256 or SHA-512 Content-Digest of the body is required")


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("the digest is not base64") from None
