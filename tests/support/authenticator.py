"""A device with passkeys, in software: it answers as a browser would, and as an attacker would like to."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from node.auth.passkeys import ceremonies, passkeys
from node.auth.passkeys.ceremonies import DeviceAnswer
from node.auth.second_step import ways_in
from node.database import Writer
from node.models.account import Account
from node.node import Node

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass
class Device:
    """Keeps one passkey. `origin` is the site that the browser says it is on; `asks` whether it waits for its owner."""

    origin: str
    is_synced: bool = True
    verifies: bool = True
    asks: bool = True
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    handle: str = ""

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _head(self, rp_id: str, *, new: bool = False) -> bytes:
        flags = (
            (UP if self.asks else 0)
            | (UV if self.verifies else 0)
            | (BE | BS if self.is_synced else 0)
            | (AT if new else 0)
        )
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, response: dict[str, Any]) -> DeviceAnswer:
        id_ = bytes_to_base64url(self.id)
        text = {"id": id_, "rawId": id_, "type": "public-key", "response": response}
        return ceremonies.read_answer(json.dumps(text))

    def make(self, options: str) -> DeviceAnswer:
        """Makes the passkey, as `navigator.credentials.create` does."""
        asked = json.loads(options)
        self.handle = asked["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        data = self._head(asked["rp"]["id"], new=True) + bytes(16) + len(self.id).to_bytes(2, "big")
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data + self.id + public})
        client_data = self._client_data("webauthn.create", asked["challenge"])
        return self._answer(
            {
                "clientDataJSON": bytes_to_base64url(client_data),
                "attestationObject": bytes_to_base64url(attestation),
                "transports": ["internal", "hybrid", "made up", 3],
            }
        )

    def use(self, options: str) -> DeviceAnswer:
        """Signs a challenge, as `navigator.credentials.get` does."""
        asked = json.loads(options)
        client_data = self._client_data("webauthn.get", asked["challenge"])
        data = self._head(asked["rpId"])
        signed = data + hashlib.sha256(client_data).digest()
        return self._answer(
            {
                "clientDataJSON": bytes_to_base64url(client_data),
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
                "userHandle": self.handle,
            }
        )


def register(tx: Writer, account: Account, device: Device, name: str = "A phone") -> None:
    """Adds the passkey of a device to an account, as the page of the settings does."""
    handle = passkeys.handle(tx, account)
    options = ceremonies.options_to_register(tx.site, account, handle, (), "Test")
    ways_in.add_passkey(tx, account, ceremonies.verify_new(tx.site, account, device.make(options)), name)


async def with_passkey(node: Node, account: Account, **more: Any) -> Device:
    """Returns a device with a passkey of an account."""
    device = Device(node.site.base_url, **more)
    await node.db.write(register, account, device)
    return device
