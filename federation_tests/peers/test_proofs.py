"""Integrity proofs (FEP-8b32) made by other software: a proved document is believed, whoever forwards it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from activitypub.signatures import BadSignature, integrity_proofs, parse_public_key
from federation_tests.fediverse import Fediverse
from federation_tests.peers.fedify_server import Fedify
from federation_tests.peers.processes import Peer
from federation_tests.remote_server import RemoteServer
from node.accounts import keys

ACTOR = "https://a.test/users/alice"
NOTE = {
    "@context": "https://www.w3.org/ns/activitystreams",
    "id": "https://a.test/p/alice/1",
    "type": "Note",
    "attributedTo": ACTOR,
    "content": "<p>Grüße &amp; 😀</p>",
    "published": "2026-11-21T08:00:00Z",
    "to": ["https://www.w3.org/ns/activitystreams#Public"],
    "attachment": [{"type": "Image", "url": "https://a.test/1.jpg", "name": "A boat", "width": 64}],
}


def verify_proof(document: dict[str, Any], public: str) -> None:
    """Raises BadSignature unless the proof of the document is valid."""
    (proof,) = integrity_proofs.parse(document, time.time())
    integrity_proofs.verify(proof, parse_public_key(public))


async def test_a_proof_by_bovine_is_verified(python_peer: Peer) -> None:
    private, public = keys.generate_ed25519()
    multibase = keys.encode_multibase(b"\x80\x26" + private)

    proved = await python_peer.do("bovine_proves", document=NOTE, key_id=f"{ACTOR}#ed", multibase=multibase)

    verify_proof(proved, public)
    with pytest.raises(BadSignature):
        verify_proof(proved | {"content": "<p>Other text</p>"}, public)


class RecordingApp:
    """An inbox that records the bodies it receives, byte for byte."""

    def __init__(self, app: Any, bodies: list[bytes]) -> None:
        self._app = app
        self._bodies = bodies

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        body = b""

        async def keep() -> Any:
            nonlocal body
            message = await receive()
            if message["type"] == "http.request":
                body += message.get("body", b"")
                if not message.get("more_body"):
                    self._bodies.append(body)
            return message

        is_post = scope["type"] == "http" and scope["method"] == "POST"
        await self._app(scope, keep if is_post else receive, send)


@pytest.mark.parametrize("number", [1, 4])
async def test_a_proof_by_fedify_is_believed_whoever_forwards_it(
    world: Fediverse, fedify: Fedify, other: RemoteServer, number: int
) -> None:
    """Bea follows Fred after his post. Another server forwards her the proved activity, and an altered one."""
    bodies: list[bytes] = []
    world.front = lambda app: RecordingApp(app, bodies)
    alice, bea = await world.people("alice@a.test", "bea@b.test")
    fred = await fedify.person("fred")
    await alice.follows(fred)
    await world.settle()
    await fred.posts("<p>Gulls</p>", ["A gull"] * number)
    activity = json.loads(bodies[-1])
    altered = json.loads(json.dumps(activity).replace("Gulls", "Bulls"))
    await bea.follows(fred)
    await world.settle()
    other.person("carrier")

    assert await other.send(bea.node, "carrier", altered) == 401
    assert await bea.home() == []
    assert await other.send(bea.node, "carrier", activity) == 202
    await world.settle()
    assert await bea.home() == ["Gulls"]
