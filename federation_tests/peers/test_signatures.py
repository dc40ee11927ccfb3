"""Signatures across implementations: Fedify, bovine and http-message-signatures verify those of this node, and vice versa.

Each verifier also gets a request that was tampered with, so that acceptance means something.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub import signatures
from activitypub.signatures import (
    BadSignature,
    SignedRequest,
    SigningKey,
    parse_public_key,
    sign_cavage,
    sign_rfc9421,
)
from activitypub.uris import request_url
from federation_tests.peers.processes import Peer
from node.accounts import keys

ACTOR = "https://a.test/users/alice"
KEY_ID = f"{ACTOR}#main-key"
PRIVATE, PUBLIC = keys.generate_rsa()
KEY = SigningKey.load(KEY_ID, PRIVATE)
BODY = json.dumps({"type": "Like", "actor": ACTOR, "content": "Grüße"}).encode()
ACTIVITY_TYPE = "application/activity+json"

PATHS = {
    "inbox": "https://b.example/users/bob/inbox",
    "root": "https://b.example/",
    "no path": "https://b.example",
    "port": "https://b.example:8443/inbox",
    "escapes": "https://b.example/@bob/%C3%A9t%C3%A9/a%2Fb/%40c",
    "non-ASCII": "https://b.example/été/@bob",
    "odd": "https://b.example/x//y/;p=1/(a)*!$&,:@/~._-",
    "upper case": "https://B.Example/Inbox",
}
QUERIES = {
    "page": "https://b.example/users/bob/outbox?page=true&max_id=12",
    "encoded": "https://b.example/find?resource=acct%3Abob%40b.example&x=%20+%2B",
    "odd query": "https://b.example/a?b?c=/d&&=;,:@!$()*~",
}
URLS = [pytest.param(url, id=name) for name, url in (PATHS | QUERIES).items()]
QUERY_URLS = URLS[len(PATHS) :]
METHODS = pytest.mark.parametrize("method", ["GET", "POST"])
STYLES = pytest.mark.parametrize("style", ["cavage", "rfc9421"])


def sign_request(method: str, url: str, style: str) -> dict[str, Any]:
    """A signed request as it is sent."""
    body = BODY if method == "POST" else None
    if style == "cavage":
        accept = [] if body else [("Accept", ACTIVITY_TYPE)]
        headers = sign_cavage(KEY, method, url, body, time.time(), accept)
    else:
        headers = sign_rfc9421(KEY, method, url, body, time.time())
    return {"method": method, "url": str(request_url(url)), "headers": headers, "body": encoded(body)}


def encoded(body: bytes | None) -> str | None:
    return None if body is None else base64.b64encode(body).decode()


def tampered(request: dict[str, Any]) -> dict[str, Any]:
    """The same signature on another URL."""
    url, question, query = request["url"].partition("?")
    return request | {"url": f"{url}x{question}{query}"}


def verify_locally(
    method: str, url: str, headers: dict[str, str], body: bytes | None, public: str = PUBLIC
) -> None:
    """Raises BadSignature unless the request is accepted."""
    address = request_url(url)
    lowered = {name.lower(): value for name, value in headers.items()}
    lowered.setdefault("host", address.raw_authority)
    request = SignedRequest(
        method=method,
        target=address.raw_path_qs,
        host=address.raw_authority,
        scheme="https",
        headers=list(lowered.items()),
        body=body or b"",
    )
    claim = signatures.parse_claim(request, time.time())
    assert claim.key_id == KEY_ID
    signatures.verify(claim, request, parse_public_key(public))


def actor_document(**more: Any) -> dict[str, Any]:
    return {
        "@context": [
            "https://www.w3.org/ns/activitystreams",
            "https://w3id.org/security/v1",
            "https://w3id.org/security/multikey/v1",
        ],
        "id": ACTOR,
        "type": "Person",
        "preferredUsername": "alice",
        "inbox": f"{ACTOR}/inbox",
        "publicKey": {"id": KEY_ID, "owner": ACTOR, "publicKeyPem": PUBLIC},
        **more,
    }


CAVAGE_URLS = URLS[: len(PATHS)]
"""URLs without a query, which Fedify and bovine leave out of draft-cavage; see below."""


def ed25519_pair() -> tuple[str, str]:
    """(private PEM, public multibase)."""
    private, public = keys.generate_ed25519()
    pem = Ed25519PrivateKey.from_private_bytes(private).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode(), public


@METHODS
@pytest.mark.parametrize("url", CAVAGE_URLS)
async def test_fedify_verifies_what_we_sign_in_cavage(fedify_peer: Peer, url: str, method: str) -> None:
    await fedify_verifies(fedify_peer, url, method, "cavage")


@METHODS
@pytest.mark.parametrize("url", URLS)
async def test_fedify_verifies_what_we_sign_in_rfc_9421(fedify_peer: Peer, url: str, method: str) -> None:
    await fedify_verifies(fedify_peer, url, method, "rfc9421")


async def fedify_verifies(fedify_peer: Peer, url: str, method: str, style: str) -> None:
    about = {"style": style, "documents": {ACTOR: actor_document()}}
    request = sign_request(method, url, style)

    assert await fedify_peer.do("verify", **about, **request) == KEY_ID
    assert await fedify_peer.do("verify", **about, **tampered(request)) is None


def without_query(method: str, url: str) -> dict[str, Any]:
    """A request with a query, under a cavage signature that leaves it out."""
    return sign_request(method, url.partition("?")[0], "cavage") | {"url": str(request_url(url))}


@METHODS
@pytest.mark.parametrize("url", QUERY_URLS)
async def test_fedify_leaves_the_query_out_of_cavage(fedify_peer: Peer, url: str, method: str) -> None:
    """The draft and most servers sign it, and so does this node; a request that Fedify refuses is repeated in RFC 9421."""
    about = {"style": "cavage", "documents": {ACTOR: actor_document()}}

    assert await fedify_peer.do("verify", **about, **sign_request(method, url, "cavage")) is None
    assert await fedify_peer.do("verify", **about, **without_query(method, url)) == KEY_ID
    await fedify_verifies(fedify_peer, url, method, "rfc9421")


@METHODS
@pytest.mark.parametrize("url", QUERY_URLS)
async def test_bovine_leaves_the_query_out_of_cavage(python_peer: Peer, url: str, method: str) -> None:
    request = sign_request(method, url, "cavage")

    assert not await python_peer.do("bovine_verifies", **request, public=PUBLIC)
    assert await python_peer.do("bovine_verifies", **without_query(method, url), public=PUBLIC)


@METHODS
@pytest.mark.parametrize("url", QUERY_URLS)
def test_cavage_with_and_without_the_query_is_accepted(url: str, method: str) -> None:
    body = BODY if method == "POST" else None
    for request in (sign_request(method, url, "cavage"), without_query(method, url)):
        verify_locally(method, url, request["headers"], body)
        with pytest.raises(BadSignature):
            verify_locally(method, url.replace("?", "x?"), request["headers"], body)


@STYLES
@METHODS
@pytest.mark.parametrize("url", URLS)
async def test_we_verify_what_fedify_signs(fedify_peer: Peer, url: str, method: str, style: str) -> None:
    body = BODY if method == "POST" else None
    address = str(request_url(url))
    unsigned = {"Accept": ACTIVITY_TYPE} | ({"Content-Type": ACTIVITY_TYPE} if body else {})

    headers = await fedify_peer.do(
        "sign",
        style=style,
        pem=PRIVATE,
        keyId=KEY_ID,
        method=method,
        url=address,
        headers=unsigned,
        body=encoded(body),
    )

    verify_locally(method, address, headers, body)
    with pytest.raises(BadSignature):
        verify_locally(method, address.replace("b.example", "c.example"), headers, body)


@METHODS
@pytest.mark.parametrize("url", CAVAGE_URLS)
async def test_bovine_verifies_what_we_sign(python_peer: Peer, url: str, method: str) -> None:
    request = sign_request(method, url, "cavage")

    assert await python_peer.do("bovine_verifies", **request, public=PUBLIC)
    assert not await python_peer.do("bovine_verifies", **tampered(request), public=PUBLIC)


@METHODS
@pytest.mark.parametrize("url", URLS)
async def test_we_verify_what_bovine_signs(python_peer: Peer, url: str, method: str) -> None:
    body = BODY if method == "POST" else None
    address = str(request_url(url))

    headers = await python_peer.do(
        "bovine_signs", method=method, url=address, body=encoded(body), key_id=KEY_ID, pem=PRIVATE
    )

    verify_locally(method, address, headers, body)
    with pytest.raises(BadSignature):
        verify_locally(method, address + "x", headers, body)


@METHODS
@pytest.mark.parametrize("url", URLS)
async def test_http_message_signatures_verifies_what_we_sign(
    python_peer: Peer, url: str, method: str
) -> None:
    request = sign_request(method, url, "rfc9421")
    digest = ['"content-digest"'] if method == "POST" else []

    found = await python_peer.do("messages_verify", **request, public=PUBLIC)

    assert found == ['"@method"', '"@target-uri"', *digest, '"@signature-params"']
    assert await python_peer.do("messages_verify", **tampered(request), public=PUBLIC) is None
    if method == "POST":
        request["body"] = encoded(BODY + b" ")
        assert await python_peer.do("messages_verify", **request, public=PUBLIC) is None


COVERED = {
    "target": ["@method", "@target-uri"],
    "parts": ["@method", "@authority", "@path", "@query"],
    "headers": ["@method", "@target-uri", "@scheme", "date", "accept"],
}


@METHODS
@pytest.mark.parametrize("covered", COVERED.values(), ids=COVERED)
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize(
    "url", [pytest.param((PATHS | QUERIES)[name], id=name) for name in ("page", "port", "escapes")]
)
async def test_we_verify_what_http_message_signatures_signs(
    python_peer: Peer, url: str, kind: str, covered: list[str], method: str
) -> None:
    body = BODY if method == "POST" else None
    private, public = (PRIVATE, PUBLIC) if kind == "rsa" else ed25519_pair()
    unsigned = {"Date": "Sat, 21 Nov 2026 08:00:00 GMT", "Accept": ACTIVITY_TYPE}

    headers = await python_peer.do(
        "messages_sign",
        method=method,
        url=url,
        headers=unsigned,
        covered=covered,
        key_id=KEY_ID,
        pem=private,
        kind=kind,
        label="other-label",
        body=encoded(body),
    )

    verify_locally(method, url, headers, body, public)
    with pytest.raises(BadSignature):
        verify_locally(method, url + "x", headers, body, public)
    if body is not None:
        with pytest.raises(BadSignature):
            verify_locally(method, url, headers, body + b" ", public)
