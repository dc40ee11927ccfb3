"""HTTP signatures: what a request proves about who sent it, and how ours prove it.

Two dialects are spoken. draft-cavage-12 is what nearly every server sends and
verifies; RFC 9421 is what newer ones try first or fall back to. The door calls
`claim` when a request arrives: it parses the headers and applies every rule that
needs no key (what must be covered, the digest of the body, the clock), so a bad
request costs no fetch. When it has found the key, it calls `verify`.

Everything here is pure: no I/O, and the time is handed in. Every key operation
is made by `cryptography`, and the algorithm follows from the kind of key, never
from what the sender says it is. https://datatracker.ietf.org/doc/html/draft-cavage-http-signatures-12
https://www.rfc-editor.org/rfc/rfc9421 https://www.rfc-editor.org/rfc/rfc9530
"""

from __future__ import annotations

from activitypub.signatures import cavage, rfc9421
from activitypub.signatures.claims import BadSignature, Claim, Request
from activitypub.signatures.keys import (
    PublicKey,
    SigningKey,
    parse_public_key,
)
from activitypub.signatures.signing import OTHER, SIGN, sign_cavage, sign_rfc9421

__all__ = [
    "OTHER",
    "SIGN",
    "BadSignature",
    "Claim",
    "PublicKey",
    "Request",
    "SigningKey",
    "claim",
    "parse_public_key",
    "sign_cavage",
    "sign_rfc9421",
    "verify",
]


def claim(request: Request, now: float) -> Claim:
    """What the request says about its signature, judged by every rule that needs no key.

    `now` in seconds. Raises BadSignature. A `Signature-Input` header decides for RFC 9421.
    """
    if request.values("signature-input"):
        found = rfc9421.parse(request)
        rfc9421.check(found, request, now)
    else:
        found = cavage.parse(request)
        cavage.check(found, request, now)
    return found


def verify(claim: Claim, request: Request, key: PublicKey) -> None:
    """Raise BadSignature unless `key` made the signature in the claim over this very request."""
    dialect = rfc9421 if claim.style == "rfc9421" else cavage
    dialect.check_key(claim, key)
    if not any(key.verifies(claim.signature, base) for base in dialect.bases(claim, request)):
        raise BadSignature("the signature does not fit the request and the key")
