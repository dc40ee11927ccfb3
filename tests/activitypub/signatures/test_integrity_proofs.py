"""Integrity proofs: the vectors of the specifications, one made by Fedify, and proofs that must be refused."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from activitypub import signatures
from activitypub.signatures import BadSignature, PublicKey, integrity_proofs
from node.accounts import keys

VECTORS = Path(__file__).parents[3].parent / "shared" / "fixtures" / "vectors"
W3C = VECTORS / "integrity-proofs" / "eddsa-jcs-2022"
LD_SIGNED = sorted((VECTORS / "ld-signatures").glob("*-create.json"))
VECTOR_KEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"

NOW = 1_795_176_000.0  # 2026-11-20T12:00:00Z
AS, DATA_INTEGRITY = "https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"
ALICE = "https://a.test/users/alice"

BY_FEDIFY: dict[str, Any] = {
    "@context": [AS, "https://w3id.org/security/data-integrity/v1"],
    "id": "https://fedify.example/activities/1",
    "type": "Create",
    "proof": {
        "type": "DataIntegrityProof",
        "created": "2026-11-20T12:00:00.123456789Z",
        "cryptosuite": "eddsa-jcs-2022",
        "proofPurpose": "assertionMethod",
        "proofValue": "z64z6qMHXo7B8RtiSeL4sMgsBcxWb6n7Xii1ti5em1Kf851yKMjTMz135XK5ytadQQRJQMJTMXa54WRJmVLeuQYXa",
        "verificationMethod": "https://fedify.example/users/alice#multikey-1",
        "@context": [AS, "https://w3id.org/security/data-integrity/v1"],
    },
    "actor": "https://fedify.example/users/alice",
    "object": {
        "id": "https://fedify.example/notes/1",
        "type": "Note",
        "attributedTo": "https://fedify.example/users/alice",
        "content": "<p>Hélène 🌄</p>",
        "to": "https://www.w3.org/ns/activitystreams#Public",
    },
    "to": "https://www.w3.org/ns/activitystreams#Public",
}
FEDIFY_KEY = "z6MkkxRPvJRwEHQLhJEaoGrDVexui1dWhVgRcN3wkbt5AvBC"


class Signer:
    """Makes proofs step by step as in the specification."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"alice").digest())
        raw = self._key.public_key().public_bytes_raw()
        self.public = signatures.parse_public_key(keys.encode_multibase(b"\xed\x01" + raw))

    def proof(self, document: dict[str, Any], **changes: Any) -> dict[str, Any]:
        options: dict[str, Any] = {
            "@context": document["@context"],
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-jcs-2022",
            "created": "2026-11-20T11:59:00Z",
            "verificationMethod": f"{ALICE}#ed25519-key",
            "proofPurpose": "assertionMethod",
        }
        options |= changes
        options = {name: value for name, value in options.items() if value is not None}
        base = b"".join(hashlib.sha256(rfc8785.dumps(part)).digest() for part in (options, document))
        return {**options, "proofValue": keys.encode_multibase(self._key.sign(base))}


SIGNER = Signer()


def _note(**more: Any) -> dict[str, Any]:
    return {
        "@context": [AS, DATA_INTEGRITY],
        "id": "https://a.test/p/alice/1",
        "type": "Note",
        "attributedTo": ALICE,
        "content": "Morning",
        **more,
    }


def _signed(document: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    document = document or _note()
    return {**document, "proof": SIGNER.proof(document, **changes)}


def _passes(document: Any, key: PublicKey = SIGNER.public, now: float = NOW) -> bool:
    try:
        found = integrity_proofs.parse(document, now)
        for proof in found:
            integrity_proofs.verify(proof, key)
    except BadSignature:
        return False
    return True


def _features() -> list[dict[str, Any]]:
    path = VECTORS / "integrity-proofs" / "fep-8b32.feature"
    blocks = re.findall(r'"""(.*?)"""', path.read_text(), re.DOTALL) if path.exists() else []
    return [document for block in blocks if "proof" in (document := json.loads(block))]


@pytest.mark.skipif(not W3C.exists(), reason="the fixtures are not beside the project")
def test_the_vector_of_the_specification_is_verified() -> None:
    document = json.loads((W3C / "signedJCS.json").read_text())
    [proof] = integrity_proofs.parse(document, NOW)
    integrity_proofs.verify(proof, signatures.parse_public_key(VECTOR_KEY))
    assert rfc8785.dumps(proof.document) == (W3C / "canonDocJCS.txt").read_bytes()
    assert rfc8785.dumps(proof.options) == (W3C / "proofCanonJCS.txt").read_bytes()
    assert proof.signature.hex() == (W3C / "sigHexJCS.txt").read_text()
    assert proof.verification_method.startswith("did:key:")


@pytest.mark.parametrize("document", _features())
def test_the_vectors_of_fep_8b32_are_verified(document: dict[str, Any]) -> None:
    [proof] = integrity_proofs.parse(document, NOW)
    integrity_proofs.verify(proof, signatures.parse_public_key(VECTOR_KEY))
    assert proof.verification_method == "https://server.example/users/alice#ed25519-key"
    assert "proof" not in proof.document


def test_a_proof_made_by_fedify_is_verified() -> None:
    assert _passes(BY_FEDIFY, signatures.parse_public_key(FEDIFY_KEY))
    assert not _passes(BY_FEDIFY, SIGNER.public)


def test_a_proof_is_verified_and_names_its_key() -> None:
    [proof] = integrity_proofs.parse(_signed(), NOW)
    integrity_proofs.verify(proof, SIGNER.public)
    assert proof.verification_method == f"{ALICE}#ed25519-key"
    assert proof.document == _note()
    assert proof.created_ms == (NOW - 60) * 1000


def test_a_proof_without_a_context_is_verified() -> None:
    assert _passes(_signed(**{"@context": None}))


@pytest.mark.parametrize(
    "change",
    [
        {"expires": "2030-01-01T00:00:00Z"},
        {"expires": "2027-01-01T00:00:01Z"},
        {"domain": "b.test"},
        {"challenge": "another"},
        {"verificationMethod": "https://a.test/users/mallory#key"},
        {"created": "2026-11-20T11:59:01Z"},
        {"nonce": "1"},
        {"unknownTerm": {"at": ["all"]}},
        {"id": "urn:x"},
    ],
)
def test_an_altered_option_of_a_proof_makes_it_worthless(change: dict[str, Any]) -> None:
    document = _signed(expires="2027-01-01T00:00:00Z", domain="a.test", challenge="one")
    assert _passes(document)
    document["proof"] |= change
    assert not _passes(document)


@pytest.mark.parametrize("name", ["expires", "domain", "created", "@context"])
def test_an_option_taken_out_of_a_proof_makes_it_worthless(name: str) -> None:
    document = _signed(expires="2027-01-01T00:00:00Z", domain="a.test")
    del document["proof"][name]
    assert not _passes(document)


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({"expires": "2026-11-20T12:00:01Z"}, True),
        ({"expires": "2026-11-20T11:59:59Z"}, False),
        ({"expires": "never"}, False),
        ({"expires": ["2027-01-01T00:00:00Z"]}, False),
        ({"expires": 1}, False),
        ({"created": "2026-11-20T12:59:00Z"}, True),
        ({"created": "2026-11-20T13:01:00Z"}, False),
        ({"created": "2019-11-20T13:01:00Z"}, True),
        ({"created": "yesterday"}, False),
        ({"created": None}, False),
        ({"proofPurpose": "authentication"}, False),
        ({"proofPurpose": ["assertionMethod"]}, False),
        ({"proofPurpose": None}, False),
        ({"cryptosuite": "eddsa-rdfc-2022"}, False),
        ({"cryptosuite": None}, False),
        ({"type": "Ed25519Signature2020"}, False),
        ({"verificationMethod": None}, False),
        ({"verificationMethod": {"id": f"{ALICE}#ed25519-key"}}, False),
        ({"verificationMethod": "https://a.test/" + "a" * 3000}, False),
        ({"previousProof": "urn:uuid:1"}, False),
    ],
)
def test_a_proof_is_only_good_in_its_time_and_for_its_purpose(changes: dict[str, Any], passes: bool) -> None:
    assert _passes(_signed(**changes)) is passes


def test_a_changed_document_fails() -> None:
    def alter(change: Callable[[dict[str, Any]], Any]) -> bool:
        document = copy.deepcopy(_signed(_note(object={"id": "https://a.test/1", "n": [1, 2]})))
        change(document)
        return _passes(document)

    assert alter(lambda doc: None)
    assert not alter(lambda doc: doc.update(content="Evening"))
    assert not alter(lambda doc: doc.update(extra=None))
    assert not alter(lambda doc: doc.pop("type"))
    assert not alter(lambda doc: doc["object"].update(n=[2, 1]))
    assert not alter(lambda doc: doc["object"].update(proof=1))


def test_the_order_of_names_and_the_spelling_of_numbers_do_not_matter() -> None:
    document = _signed(_note(width=1.0, far=1e21))
    again = dict(reversed(document.items())) | {"width": 1}
    assert _passes(again)


def test_contexts_added_behind_are_not_part_of_what_is_proved() -> None:
    document = _signed()
    document["@context"] = [AS, DATA_INTEGRITY, {"@language": "xx"}]
    [proof] = integrity_proofs.parse(document, NOW)
    integrity_proofs.verify(proof, SIGNER.public)
    assert proof.document == _note()


@pytest.mark.parametrize(
    "context",
    [
        [DATA_INTEGRITY, AS],
        [{"@language": "xx"}, AS, DATA_INTEGRITY],
        [AS],
        AS,
        None,
        {},
        [AS, {"x": DATA_INTEGRITY}],
    ],
)
def test_a_document_in_another_context_fails(context: Any) -> None:
    assert not _passes({**_signed(), "@context": context})


def test_a_single_context_equals_a_list_of_it() -> None:
    document = _note()
    document["@context"] = AS
    signed = _signed(document)
    assert _passes({**signed, "@context": [AS]})


def test_one_of_several_proofs_can_be_checked() -> None:
    document = _note()
    valid, other = SIGNER.proof(document), {**SIGNER.proof(document), "cryptosuite": "mldsa44-jcs-2024"}
    assert _passes({**document, "proof": [other, valid]})
    assert not _passes({**document, "proof": [other]})
    assert not _passes({**document, "proof": [valid] * (integrity_proofs.MAX_PROOFS + 1)})


def test_a_key_of_another_kind_never_fits() -> None:
    _, rsa = keys.generate_rsa()
    assert not _passes(_signed(), signatures.parse_public_key(rsa))


@pytest.mark.parametrize(
    "value",
    ["", "z", "z0", "zI", "u" + "A" * 86, "z" + "1" * 88, "z" + "1" * 64, "z" * 5000, None, 7, ["z1"], {}],
)
def test_a_malformed_proof_value_is_refused(value: Any) -> None:
    document = _signed()
    document["proof"]["proofValue"] = value
    assert not _passes(document)


@pytest.mark.parametrize("extra", [2**53, -(2**60), float("nan"), float("inf"), "\ud800", {"\udfff": 1}])
def test_a_document_without_canonical_form_is_refused(extra: Any) -> None:
    document = _signed()
    assert not _passes({**document, "extra": extra})
    assert not _passes({**document, "proof": {**document["proof"], "extra": extra}})


def test_a_document_of_any_depth_is_refused_without_harm() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert not _passes({**_signed(), "extra": deep})
    while isinstance(deep, list):
        deep = deep.pop()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(proof=JSON, name=st.sampled_from(sorted(_signed()["proof"])), value=JSON)
def test_nothing_but_bad_signature_is_ever_raised(proof: Any, name: str, value: Any) -> None:
    document = _signed()
    assert not _passes({**_note(), "proof": proof})
    assert _passes({**document, "proof": {**document["proof"], name: value}}) is (
        type(value) is type(document["proof"][name]) and value == document["proof"][name]
    )
    assert not _passes(value if isinstance(value, dict) else {"proof": value})


def test_a_linked_data_signature_is_never_trusted() -> None:
    tricks: list[dict[str, Any]] = [
        {},
        {"@graph": [{"id": "https://b.test/1", "type": "Note"}]},
        {"@included": [{"id": "https://b.test/1"}]},
        {"object": {"@reverse": {"actor": "https://b.test/users/bob"}}},
        {"@context": [AS, {"actor": "as:object", "object": "as:actor"}]},
    ]
    signature = {
        "type": "RsaSignature2017",
        "creator": f"{ALICE}#main-key",
        "created": "2026-11-20T11:59:00Z",
        "signatureValue": "c2lnbmF0dXJl",
    }
    for trick in tricks:
        document = {**_note(), **trick, "signature": signature}
        assert not _passes(document)


@pytest.mark.parametrize("path", LD_SIGNED, ids=lambda path: path.stem)
def test_a_valid_linked_data_signature_counts_as_none(path: Path) -> None:
    document = json.loads(path.read_text())
    assert "signature" in document
    assert not _passes(document, now=1726159846.0)


def test_a_linked_data_signature_beside_a_proof_changes_nothing() -> None:
    document = _signed() | {"signature": {"type": "RsaSignature2017", "signatureValue": "x"}}
    [proof] = integrity_proofs.parse(document, NOW)
    integrity_proofs.verify(proof, SIGNER.public)
    assert "signature" not in proof.document


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (999999999999999700000.0, "999999999999999700000"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.33333325, "333333333.33333325"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
        (-71.184902, "-71.184902"),
    ],
)
def test_numbers_are_serialized_as_in_rfc_8785(number: float, text: str) -> None:
    assert rfc8785.dumps(number).decode() == text


def test_names_are_sorted_by_their_utf_16() -> None:
    names = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    written = rfc8785.dumps(dict.fromkeys(reversed(names), 0)).decode()
    assert [name for name, _ in json.loads(written, object_pairs_hook=list)] == names
