"""Integrity proofs of documents (FEP-8b32): parses and verifies the proof that a document carries about its author.

The signature of a request says who sent it. A document that a third party forwards can carry a proof of its own:
an Ed25519 signature over its canonical JSON (cryptosuite `eddsa-jcs-2022`, RFC 8785). `parse` extracts the proofs
of a document and applies every rule that needs no key, so that a bad one costs no fetch; `verify` checks one with
the key. In between, the caller fetches the key under `Proof.verification_method` and checks that it belongs to the
author of the document: a proof by anybody else proves nothing.

Everything in a proof but its value is signed along with the document, unknown options included. What is proved is
`Proof.document`, and the caller must continue with that one. It may differ from what arrived: a proof covers neither
the member `signature` nor contexts added behind its own.

`signature`, the older linked data signature (RsaSignature2017), is never verified, here or anywhere. It is over the
graph that the JSON stands for, and that graph can be rearranged into another message. A document that carries
nothing else counts as unsigned. https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022 https://w3id.org/fep/8b32
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from activitypub.signatures import BadSignature, PublicKey
from activitypub.signatures.claims import HOUR_SECONDS, normalize_key_id
from activitypub.vocab.values import timestamp_ms
from node.accounts import base58

MAX_PROOFS = 3
"""Proofs that one document may carry. One is usual."""

_UNSIGNED_FIELDS = ("proof", "signature")
_MAX_VALUE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was parsed and checked, but not yet verified.

    `verification_method` is the id of the key, as untrusted text; times are in milliseconds. `document` is what the
    proof covers: the document without its proofs.
    """

    verification_method: str
    created_ms: int
    expires_ms: int | None
    signature: bytes = field(repr=False)
    options: dict[str, Any] = field(repr=False)
    document: dict[str, Any] = field(repr=False)


def parse(document: dict[str, Any], now: float) -> list[Proof]:
    """Returns the proofs of a document that can be verified, in order; at least one. `now` is in seconds.

    Raises BadSignature when there is none, with the reason for the first.
    """
    given = document.get("proof") if isinstance(document, dict) else None
    listed = given if isinstance(given, list) else [given]
    if not given:
        raise BadSignature("the document carries no proof")
    if len(listed) > MAX_PROOFS:
        raise BadSignature("the document carries too many proofs")
    found: list[Proof] = []
    first_error: BadSignature | None = None
    for item in listed:
        try:
            found.append(_parse_proof(document, item, now))
        except BadSignature as error:
            first_error = first_error or error
    if not found:
        raise first_error or BadSignature("the document carries no proof")
    return found


def verify(proof: Proof, key: PublicKey) -> None:
    """Raises BadSignature unless `key` made the proof over this very document and these options."""
    if key.kind != "ed25519":
        raise BadSignature("the key does not match the proof")
    if not key.verifies(proof.signature, _canonical_hash(proof.options) + _canonical_hash(proof.document)):
        raise BadSignature("the proof does not match the document and the key")


def _parse_proof(document: dict[str, Any], item: Any, now: float) -> Proof:
    if not isinstance(item, dict):
        raise BadSignature("the proof cannot be read")
    if item.get("type") != "DataIntegrityProof" or item.get("cryptosuite") != "eddsa-jcs-2022":
        raise BadSignature("the kind of proof is not accepted")
    if item.get("proofPurpose") != "assertionMethod":
        raise BadSignature("the proof was made for another purpose")
    if "previousProof" in item:
        raise BadSignature("the proof depends on another one")
    method = item.get("verificationMethod")
    if not isinstance(method, str):
        raise BadSignature("the proof does not name its key")
    method = normalize_key_id(method)
    created, expires = _parse_time(item, "created"), _parse_time(item, "expires")
    if created is None:
        raise BadSignature("the proof does not say when it was made")
    if created > (now + HOUR_SECONDS) * 1000:
        raise BadSignature("the proof was made in the future")
    if expires is not None and now * 1000 > expires:
        raise BadSignature("the proof has expired")
    options = {name: value for name, value in item.items() if name != "proofValue"}
    return Proof(
        method,
        created,
        expires,
        _parse_value(item.get("proofValue")),
        options,
        _signed_document(document, options),
    )


def _signed_document(document: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Returns the document without its proofs, under the contexts of the proof,
    which must be the first of its own."""
    content = {name: value for name, value in document.items() if name not in _UNSIGNED_FIELDS}
    if "@context" not in options:
        return content
    signed, present = _contexts(options["@context"]), _contexts(content.get("@context"))
    if not signed or present[: len(signed)] != signed:
        raise BadSignature("the proof was made in another context")
    return {**content, "@context": options["@context"]}


def _contexts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _parse_time(item: dict[str, Any], name: str) -> int | None:
    if name not in item:
        return None
    value = item[name]
    found = timestamp_ms(value) if isinstance(value, str) else None
    if found is None:
        raise BadSignature("a time in the proof cannot be read")
    return found


def _parse_value(value: Any) -> bytes:
    try:
        if isinstance(value, str) and value.startswith("z") and len(value) <= _MAX_VALUE_LENGTH:
            signature = base58.decode(value[1:])
            if len(signature) == 64:
                return signature
    except ValueError:
        pass
    raise BadSignature("the value of the proof cannot be read")


def _canonical_hash(content: dict[str, Any]) -> bytes:
    # Imported here: few documents carry a proof.
    import rfc8785

    try:
        return hashlib.sha256(rfc8785.dumps(content)).digest()
    except (ValueError, TypeError, RecursionError):
        raise BadSignature("the document has no canonical form") from None
