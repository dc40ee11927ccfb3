"""bovine and http-message-signatures: what they sign, and what they make of what others signed."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import bovine.clients.signed_http_methods as bovine_methods
from bovine.clients.signed_http import legacy_digest_method_uppercase
from bovine.crypto import build_validate_http_signature_raw
from bovine.crypto.types import CryptographicIdentifier, CryptographicSecret
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)
from multidict import CIMultiDict

OWNER = "the owner of the key"


def _bytes(body: str | None) -> bytes:
    return b"" if body is None else base64.b64decode(body)


async def bovine_verifies(
    method: str, url: str, headers: dict[str, str], body: str | None, public: str
) -> bool:
    async def key(_key_id: str) -> CryptographicIdentifier | None:
        return CryptographicIdentifier.from_pem(public, OWNER)

    async def whole() -> bytes:
        return _bytes(body)

    check = build_validate_http_signature_raw(key)
    return bool(await check(method, url, CIMultiDict(headers), whole) == OWNER)


async def bovine_signs(method: str, url: str, body: str | None, key_id: str, pem: str) -> dict[str, str]:
    """The headers of a request as bovine's client sends it."""
    sent: dict[str, str] = {}

    async def catch(_url: str, headers: dict[str, str], **_more: Any) -> None:
        sent.update(headers)

    session: Any = SimpleNamespace(get=catch, post=catch)
    secret = CryptographicSecret.from_pem(key_id, pem)
    if method == "GET":
        await bovine_methods.signed_get(session, secret, url)
    else:
        text = _bytes(body).decode()
        await bovine_methods.signed_post(session, secret, url, text, legacy_digest_method_uppercase)
    return sent


async def bovine_proves(document: dict[str, Any], key_id: str, multibase: str) -> dict[str, Any]:
    """A document with an integrity proof (FEP-8b32)."""
    found: dict[str, Any] = CryptographicSecret.from_multibase(key_id, multibase).sign_document(document)
    return found


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, private: str | None = None, public: str | None = None) -> None:
        self._private, self._public = private, public

    def resolve_private_key(self, key_id: str) -> bytes:
        return (self._private or "").encode()

    def resolve_public_key(self, key_id: str) -> bytes:
        return (self._public or "").encode()


_ALGORITHMS = {"rsa": algorithms.RSA_V1_5_SHA256, "ed25519": algorithms.ED25519}


async def messages_verify(
    method: str, url: str, headers: dict[str, str], body: str | None, public: str
) -> list[str] | None:
    """The covered components if http-message-signatures (RFC 9421) verifies the request, else None."""
    verifier = HTTPMessageVerifier(signature_algorithm=_ALGORITHMS["rsa"], key_resolver=_Keys(public=public))
    message = SimpleNamespace(method=method, url=url, headers=CIMultiDict(headers))
    try:
        (found,) = verifier.verify(message, body=None if body is None else _bytes(body))
    except InvalidSignature:
        return None
    return list(found.covered_components)


async def messages_sign(
    method: str,
    url: str,
    headers: dict[str, str],
    covered: list[str],
    key_id: str,
    pem: str,
    kind: str,
    label: str,
    body: str | None,
) -> dict[str, str]:
    """The headers of a request signed by http-message-signatures."""
    signer = HTTPMessageSigner(signature_algorithm=_ALGORITHMS[kind], key_resolver=_Keys(private=pem))
    message = SimpleNamespace(method=method, url=url, headers=CIMultiDict(headers))
    signer.sign(
        message,
        key_id=key_id,
        covered_component_ids=covered,
        label=label,
        body=None if body is None else _bytes(body),
    )
    return dict(message.headers)


VERBS = {
    "bovine_verifies": bovine_verifies,
    "bovine_signs": bovine_signs,
    "bovine_proves": bovine_proves,
    "messages_verify": messages_verify,
    "messages_sign": messages_sign,
}
