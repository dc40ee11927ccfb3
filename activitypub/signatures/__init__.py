"""Signs outgoing requests and verifies incoming ones (HTTP signatures), in two styles.

draft-cavage-12 is what nearly every server sends and verifies; RFC 9421 is what
newer ones try first or fall back to. The inbox calls `parse_claim` when a request
arrives: it parses the headers and applies every rule that needs no key (covered
components, digest of the body, clock), so that a bad request costs no fetch. With
the key in hand it calls `verify`.

Everything here is pure: no I/O, and the time is an argument. `cryptography` does
every key operation, and the algorithm follows from the type of the key, never
from what the sender claims. https://datatracker.ietf.org/doc/html/draft-cavage-http-signatures-12
https://www.rfc-editor.org/rfc/rfc9421 https://www.rfc-editor.org/rfc/rfc9530
"""

from __future__ import annotations

from activitypub.signatures import cavage, rfc9421
from activitypub.signatures.claims import BadSignature, Claim, SignedRequest
from activitypub.signatures.keys import PublicKey, SigningKey, parse_public_key
from activitypub.signatures.signing import OTHER_STYLE, SIGNERS, sign_cavage, sign_rfc9421

__all__ = [
    "OTHER_STYLE",
    "SIGNERS",
    "BadSignature",
    "Claim",
    "PublicKey",
    "SignedRequest",
    "SigningKey",
    "parse_claim",
    "parse_public_key",
    "sign_cavage",
    "sign_rfc9421",
    "signed_at",
    "verify",
]


def parse_claim(request: SignedRequest, now: float) -> Claim:
    """Parses the signature headers of a request and applies every rule that needs no key.

    `now` is in seconds. A `Signature-Input` header selects RFC 9421. Raises BadSignature.
    """
    if request.values("signature-input"):
        found = rfc9421.parse(request)
        rfc9421.check(found, request, now)
    else:
        found = cavage.parse(request)
        cavage.check(found, request, now)
    return found


def signed_at(claim: Claim, request: SignedRequest) -> int:
    """Returns when a request was signed (seconds), by a time that its signature covers."""
    if claim.style == "cavage" and "date" in claim.covered:
        return int(cavage.parse_http_date(request.value("date") or ""))
    return claim.created or 0


def verify(claim: Claim, request: SignedRequest, key: PublicKey) -> None:
    """Raises BadSignature unless `key` made the signature of the claim over this very request."""
    style = rfc9421 if claim.style == "rfc9421" else cavage
    style.check_key(claim, key)
    if not any(key.verifies(claim.signature, base) for base in style.signature_bases(claim, request)):
        raise BadSignature("the signature does not match the request and the key")
