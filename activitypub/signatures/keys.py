"""Public keys as remote servers publish them, the private keys of this node, and the operations verify and sign.

RSA of 2048 to 8192 bits with PKCS#1 v1.5 and SHA-256, and Ed25519. A key is hashed
and compared by its text, so a parsed one can be a key of a cache.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from activitypub.signatures.claims import BadSignature
from node.accounts import base58

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
_MAX_KEY_LENGTH = 4096
_PEM = re.compile(
    r"-----BEGIN (?:RSA )?PUBLIC KEY-----([A-Za-z0-9+/=\s]{1,4096})-----END (?:RSA )?PUBLIC KEY-----"
)
_ED25519, _RSA = b"\xed\x01", b"\x85\x24"
_PADDING, _SHA256 = padding.PKCS1v15(), hashes.SHA256()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that has passed `parse_public_key`; `text` is its published form."""

    text: str
    key: RSAPublicKey | Ed25519PublicKey = field(compare=False, repr=False)

    @property
    def kind(self) -> str:
        return "rsa" if isinstance(self.key, RSAPublicKey) else "ed25519"

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Returns whether this key made `signature` over `data`."""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, data, _PADDING, _SHA256)
            else:
                self.key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The RSA private key of a local account; `key_id` is the URI that its public key is published under."""

    key_id: str
    key: RSAPrivateKey = field(repr=False, compare=False)

    @classmethod
    def load(cls, key_id: str, private_pem: str) -> SigningKey:
        """Loads a key from PEM. Skips the primality check of 28 ms: this node generated the key. Raises ValueError."""
        key = serialization.load_pem_private_key(
            private_pem.encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("an RSA key is needed")
        if not key_id.isascii() or not key_id.isprintable() or '"' in key_id:
            raise ValueError("a key id is a plain URI")
        return cls(key_id, key)

    def sign(self, data: bytes) -> bytes:
        """Returns the PKCS#1 v1.5 signature with SHA-256 over `data`."""
        return self.key.sign(data, _PADDING, _SHA256)


def parse_public_key(text: object, *, min_bits: int = MIN_RSA_BITS) -> PublicKey:
    """Parses a public key from PEM (SPKI or PKCS#1) or multibase (Multikey). Raises BadSignature."""
    if not isinstance(text, str) or len(text) > _MAX_KEY_LENGTH:
        raise BadSignature("the key is not a key")
    try:
        key = _from_multibase(text) if text[:1] in ("z", "u") else _from_pem(text)
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm):
        raise BadSignature("the key cannot be read") from None
    if isinstance(key, RSAPublicKey):
        if not min_bits <= key.key_size <= MAX_RSA_BITS:
            raise BadSignature(f"an RSA key of {key.key_size} bits is not accepted")
        if key.public_numbers().e.bit_length() > 64:
            raise BadSignature("the RSA key has an unusual exponent")
    return PublicKey(text, key)


def _from_pem(text: str) -> RSAPublicKey | Ed25519PublicKey:
    # Parsed by hand: published keys come with CRLF, without line breaks and with stray spaces.
    found = _PEM.search(text)
    if found is None:
        raise ValueError("no PEM")
    return _from_der(base64.b64decode("".join(found[1].split()), validate=True))


def _from_der(der: bytes) -> RSAPublicKey | Ed25519PublicKey:
    key = serialization.load_der_public_key(der)
    if isinstance(key, RSAPublicKey | Ed25519PublicKey):
        return key
    raise ValueError("neither RSA nor Ed25519")


def _from_multibase(text: str) -> RSAPublicKey | Ed25519PublicKey:
    if text[0] == "z":
        data = base58.decode(text[1:])
    else:
        data = base64.b64decode(text[1:] + "=" * (-len(text[1:]) % 4), altchars=b"-_", validate=True)
    if data.startswith(_ED25519) and len(data) == 34:
        return Ed25519PublicKey.from_public_bytes(data[2:])
    if data.startswith(_RSA):
        return _from_der(data[2:])
    raise ValueError("neither RSA nor Ed25519")
