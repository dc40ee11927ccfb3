"""Encrypts what the node must be able to read again, and a copy of its database must not tell. Owns no table.

Seeds of authenticator apps and private keys go through `seal` and `unseal`, and nothing else encrypts. Today the key is
derived from `[node] secret`; encryption at rest under a master key that can be replaced is to be put behind these two.
"""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from node.database import Site
from node.errors import NotFound

NONCE_BYTES = 12


def seal(site: Site, purpose: str, owner: str, secret: bytes) -> str:
    """Encrypts with AES-GCM. It is unsealed only for the same purpose and owner, so rows cannot be exchanged."""
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(site.subkey(purpose)).encrypt(nonce, secret, owner.encode())
    return base64.b64encode(nonce + ciphertext).decode()


def unseal(site: Site, purpose: str, owner: str, sealed: str) -> bytes:
    """Decrypts what `seal` made. Raises NotFound for a text that it did not make with this secret."""
    try:
        data = base64.b64decode(sealed, validate=True)
        return AESGCM(site.subkey(purpose)).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], owner.encode())
    except (InvalidTag, ValueError):
        raise NotFound(
            "The server's secret does not decrypt what it encrypted. Has the secret file been replaced?",
            detail=f"cannot decrypt {purpose} of {owner}",
        ) from None
