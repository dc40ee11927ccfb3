"""Section A of the security table: partial signatures, unusable keys, and requests for another host."""

from __future__ import annotations

import base64
import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from activitypub.signatures import SigningKey
from activitypub.signatures.digests import content_digest
from activitypub.signatures.signing import sign_cavage
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import AP, RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create, rows_of

WHOLE = ("@method", "@target-uri", "content-digest")
PARAMETERS = 'created={now};keyid="{key}";alg="rsa-v1_5-sha256"'


def _sign_rfc9421(
    key: SigningKey, url: str, body: bytes, covered: tuple[str, ...], parameters: str
) -> dict[str, str]:
    """An RFC 9421 signature over any components, with any parameters."""
    headers = {"Date": formatdate(time.time(), usegmt=True), "Content-Digest": content_digest(body)}
    values = {"@method": "POST", "@target-uri": url, "content-digest": headers["Content-Digest"]}
    line = " ".join(f'"{name}"' for name in covered)
    line = f"({line});" + parameters.format(now=int(time.time()), past=int(time.time()) - 60, key=key.key_id)
    base = [f'"{name}": {values[name]}' for name in covered] + [f'"@signature-params": {line}']
    signature = base64.b64encode(key.sign("\n".join(base).encode())).decode()
    return headers | {
        "Content-Type": AP,
        "Signature-Input": f"sig1={line}",
        "Signature": f"sig1=:{signature}:",
    }


@pytest.mark.parametrize(
    ("covered", "parameters"),
    [
        (WHOLE[:2], PARAMETERS),
        (WHOLE[1:], PARAMETERS),
        ((WHOLE[0], WHOLE[2]), PARAMETERS),
        (WHOLE, 'keyid="{key}";alg="rsa-v1_5-sha256"'),
        (WHOLE, PARAMETERS + ";expires={past}"),
        (WHOLE, 'created={now};keyid="{key}";alg="ed25519"'),
        (WHOLE, 'created={now};keyid="{key}";alg="ecdsa-p256-sha256"'),
        (WHOLE, 'created={now};alg="rsa-v1_5-sha256"'),
    ],
    ids=["no digest", "no method", "no target", "no created", "expired", "alg", "other alg", "no keyid"],
)
async def test_A6_an_incomplete_rfc_9421_signature_is_refused(
    fediverse: Fediverse, evil: RemoteServer, covered: tuple[str, ...], parameters: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    key, url = evil.key("rita"), alice.node.site.uri("/inbox")
    body = json.dumps(create(evil)).encode()
    before = await rows_of(alice.node)

    assert (await evil.request("POST", url, _sign_rfc9421(key, url, body, covered, parameters), body))[
        0
    ] == 401
    # With everything covered: another body, and a missing digest header.
    whole = _sign_rfc9421(key, url, body, WHOLE, PARAMETERS)
    assert (await evil.request("POST", url, whole, body.replace(b"Post 1", b"Pest 1")))[0] == 401
    bare = {name: value for name, value in whole.items() if name != "Content-Digest"}
    assert (await evil.request("POST", url, bare, body))[0] == 401
    assert await rows_of(alice.node) == before

    assert (await evil.request("POST", url, whole, body))[0] == 202


def _pem(key: Any) -> str:
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "no key",
        7,
        {"pem": "x"},
        "-----BEGIN PUBLIC KEY-----\n" + "A" * 200_000 + "\n-----END PUBLIC KEY-----",
        _pem(rsa.generate_private_key(65537, 1024).public_key()),
        _pem(rsa.RSAPublicNumbers(65537, (1 << 8200) + 1).public_key()),
        _pem(dsa.generate_private_key(1024).public_key()),
        _pem(ec.generate_private_key(ec.SECP256R1()).public_key()),
    ],
    ids=["empty", "words", "number", "object", "huge", "1024 bits", "8201 bits", "DSA", "P-256"],
)
async def test_A15_an_unusable_key_is_a_401(fediverse: Fediverse, evil: RemoteServer, pem: Any) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = f"{evil.base}/users/rita"
    evil.person("rita", publicKey={"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": pem})
    before = await rows_of(alice.node)
    for _ in range(2):
        assert await evil.send(alice.node, "rita", create(evil)) == 401
    # Fetched once, and once more in case it had just been rotated.
    assert evil.requests["/users/rita"] <= 2
    await fediverse.settle()
    assert (await rows_of(alice.node))[2:] == before[2:]


@pytest.mark.parametrize("trick", ["nothing", "@graph", "@included", "@reverse", "re-aliased", "removed"])
async def test_A18_a_linked_data_signature_is_never_believed(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, trick: str
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    evil.person("mallory")
    forged = create(other)
    forged["object"]["content"] = "<p>Forged</p>"
    forged |= {
        "nothing": {},
        "@graph": {"@graph": [{**forged, "id": f"{other.base}/2"}]},
        "@included": {"@included": [{**forged, "id": f"{other.base}/2"}]},
        "@reverse": {"@reverse": {"object": forged["object"]}},
        "re-aliased": {
            "@context": [
                "https://www.w3.org/ns/activitystreams",
                {"actor": "as:object", "object": "as:actor"},
            ]
        },
        "removed": {"to": None, "cc": None, "published": None},
    }[trick]
    forged["signature"] = {
        "type": "RsaSignature2017",
        "creator": f"{other.base}/users/rita#main-key",
        "created": "2026-11-20T11:59:00Z",
        "signatureValue": "c2lnbmF0dXJl",
    }
    # The post on its author's own server has another content.
    other.note("rita", 1, content="<p>True</p>")

    assert await evil.send(alice.node, "mallory", forged) == 401
    assert (await evil.request("POST", alice.node.site.uri("/inbox"), {"Content-Type": AP},
                               json.dumps(forged).encode()))[0] == 401  # fmt: skip
    await fediverse.settle()
    assert "Forged" not in await alice.home()


async def test_A20_a_request_for_another_host_is_refused(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    url = alice.node.site.uri("/inbox")
    body = json.dumps(create(evil)).encode()
    # Signed for another host, arriving with that host or with the one of this node.
    for host in ("victim.example", alice.node.site.domain):
        signed = sign_cavage(evil.key("rita"), "POST", "https://victim.example/inbox", body, time.time())
        for extra in ({}, {"X-Forwarded-Host": "victim.example"}, {"X-Forwarded-Host": host}):
            assert (await evil.request("POST", url, signed | {"Host": host} | extra, body))[0] == 401
    signed = sign_cavage(evil.key("rita"), "POST", url, body, time.time())
    assert (await evil.request("POST", url, signed | {"Host": "victim.example"}, body))[0] in (401, 421)
    assert (await evil.request("POST", url, signed | {"X-Forwarded-Host": "victim.example"}, body))[0] == 202

    # Documents of the node never contain the host of the request.
    for path in ("/users/alice", "/.well-known/host-meta", "/nodeinfo/2.1", "/@alice", "/api/v2/instance"):
        for name in ("Host", "X-Forwarded-Host"):
            _, document, headers = await evil.request(
                "GET", alice.node.site.uri(path), {name: "victim.example", "Accept": AP}
            )
            assert b"victim.example" not in document
            assert "victim.example" not in str(headers)
