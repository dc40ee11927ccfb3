"""FEP-8b32 integrity proofs: what a document itself proves about who made it.

The signature of a request says who sent it. A document that somebody else passes on can carry a proof of
its own: an Ed25519 signature over its canonical JSON (cryptosuite `eddsa-jcs-2022`, RFC 8785). `read` takes
the proofs out of a document and applies every rule that needs no key, so that a bad one costs no fetch;
`verify` checks one with the key. Between the two it is for the caller to find the key under `Proof.method`
and to see that it belongs to the very person whose document it is: a proof by anybody else proves nothing.

Everything in a proof but its value is signed with the document, options we do not know included. What is
proved is `Proof.document`, and that is what to go on with. It is not always what arrived: a proof does not
cover the member `signature` nor contexts added behind its own.

`signature`, the older kind (RsaSignature2017), is not looked at, here or anywhere. It is over the graph that
the JSON stands for, and that graph can be rearranged into another message. What carries nothing else is
unsigned. https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022 https://w3id.org/fep/8b32
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from activitypub.signatures import BadSignature, PublicKey
from activitypub.signatures.claims import HOUR, named
from activitypub.vocab.values import millis
from node.accounts import base58

MOST = 3
"""How many proofs one document may carry. One is usual."""

_NOT_COVERED = ("proof", "signature")
_LONGEST_VALUE = 100


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that keeps the rules and is not verified yet.

    `method` names the key and is untrusted text; times are in milliseconds. `document` is what the proof
    is about: the document without its proofs.
    """

    method: str
    created_ms: int
    expires_ms: int | None
    signature: bytes = field(repr=False)
    options: dict[str, Any] = field(repr=False)
    document: dict[str, Any] = field(repr=False)


def carries(document: dict[str, Any]) -> bool:
    """Whether it is worth asking `read`."""
    return isinstance(document, dict) and bool(document.get("proof"))


def read(document: dict[str, Any], now: float) -> list[Proof]:
    """The proofs in a document that we can check, in order; at least one. `now` in seconds.

    Raises BadSignature when there is none, with what is wrong with the first.
    """
    given = document.get("proof") if isinstance(document, dict) else None
    listed = given if isinstance(given, list) else [given]
    if not given:
        raise BadSignature("the document carries no proof")
    if len(listed) > MOST:
        raise BadSignature("the document carries too many proofs")
    found: list[Proof] = []
    wrong: BadSignature | None = None
    for item in listed:
        try:
            found.append(_proof(document, item, now))
        except BadSignature as bad:
            wrong = wrong or bad
    if not found:
        raise wrong or BadSignature("the document carries no proof")
    return found


def verify(proof: Proof, key: PublicKey) -> None:
    """Raise BadSignature unless `key` made the proof, over this very document and these options."""
    if key.kind != "ed25519":
        raise BadSignature("the key does not fit the proof")
    if not key.verifies(proof.signature, _hash(proof.options) + _hash(proof.document)):
        raise BadSignature("the proof does not fit the document and the key")


def _proof(document: dict[str, Any], item: Any, now: float) -> Proof:
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
    method = named(method)
    created, expires = _time(item, "created"), _time(item, "expires")
    if created is None:
        raise BadSignature("the proof does not say when it was made")
    if created > (now + HOUR) * 1000:
        raise BadSignature("the proof was made in the future")
    if expires is not None and now * 1000 > expires:
        raise BadSignature("the proof has expired")
    options = {name: value for name, value in item.items() if name != "proofValue"}
    return Proof(
        method, created, expires, _value(item.get("proofValue")), options, _covered(document, options)
    )


def _covered(document: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The document without its proofs, under the contexts of the proof: those must be its own, or its first."""
    content = {name: value for name, value in document.items() if name not in _NOT_COVERED}
    if "@context" not in options:
        return content
    signed, present = _contexts(options["@context"]), _contexts(content.get("@context"))
    if not signed or present[: len(signed)] != signed:
        raise BadSignature("the proof was made in another context")
    return {**content, "@context": options["@context"]}


def _contexts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _time(item: dict[str, Any], name: str) -> int | None:
    if name not in item:
        return None
    value = item[name]
    found = millis(value) if isinstance(value, str) else None
    if found is None:
        raise BadSignature("a time in the proof cannot be read")
    return found


def _value(value: Any) -> bytes:
    try:
        if isinstance(value, str) and value.startswith("z") and len(value) <= _LONGEST_VALUE:
            signature = base58.decode(value[1:])
            if len(signature) == 64:
                return signature
    except ValueError:
        pass
    raise BadSignature("the value of the proof cannot be read")


def _hash(content: dict[str, Any]) -> bytes:
    # Imported here: few documents carry a proof.
    import rfc8785

    try:
        return hashlib.sha256(rfc8785.dumps(content)).digest()
    except (ValueError, TypeError, RecursionError):
        raise BadSignature("the document has no canonical form") from None
