"""A small remote server: one account, carol, whose inbox records every activity it receives."""

from __future__ import annotations

import collections
import json
import time
from typing import Any, Self

import aiohttp
from aiohttp import web

from activitypub.signatures import SigningKey, sign_cavage
from node.accounts import keys
from node.models.remote_actor import ActorKey, RemoteActor

ACTIVITY = "application/activity+json"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


class Remote:
    """`async with Remote() as remote:` listens on a port of its own."""

    def __init__(self) -> None:
        self.received: collections.Counter[str] = collections.Counter()
        self.activities: dict[str, dict[str, Any]] = {}
        self._pair = keys.generate()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/users/carol", self._actor)
        app.router.add_post("/inbox", self._inbox)
        app.router.add_get("/{path:.*}", self._nothing)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.domain = f"localhost:{self._runner.addresses[0][1]}"
        self.base = f"http://{self.domain}"
        self.carol = f"{self.base}/users/carol"
        self._key = SigningKey.load(f"{self.carol}#main-key", self._pair.private_pem)
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()
        await self._runner.cleanup()

    def actor(self) -> RemoteActor:
        """Carol as a node stores her."""
        return RemoteActor(
            uri=self.carol,
            name="carol",
            domain=self.domain,
            inbox=f"{self.base}/inbox",
            shared_inbox=f"{self.base}/inbox",
            followers_uri=f"{self.carol}/followers",
            keys=[ActorKey(f"{self.carol}#main-key", "rsa", self._pair.public_pem)],
        )

    def note(self, number: int, mentioned: str) -> dict[str, Any]:
        """A Create of carol's note `number`, which mentions one account."""
        uri = f"{self.base}/notes/{number}"
        audience = {"to": [PUBLIC], "cc": [f"{self.carol}/followers", mentioned]}
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{uri}/activity",
            "type": "Create",
            "actor": self.carol,
            **audience,
            "object": {
                "id": uri,
                "type": "Note",
                "attributedTo": self.carol,
                "content": f"<p>note {number}</p>",
                "published": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "attachment": [
                    {"type": "Image", "mediaType": "image/jpeg", "url": f"{uri}.jpg", "width": 8, "height": 8}
                ],
                "tag": [{"type": "Mention", "href": mentioned, "name": "@alice"}],
                **audience,
            },
        }

    async def send(self, inbox: str, activity: dict[str, Any]) -> int:
        """POSTs it, signed; returns the status. Raises aiohttp.ClientError when nothing responds."""
        body = json.dumps(activity).encode()
        headers = sign_cavage(self._key, "POST", inbox, body, time.time())
        async with self._http.post(inbox, data=body, headers=headers) as answer:
            return answer.status

    async def _actor(self, request: web.Request) -> web.Response:
        document = {
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": self.carol,
            "type": "Person",
            "preferredUsername": "carol",
            "inbox": f"{self.base}/inbox",
            "followers": f"{self.carol}/followers",
            "endpoints": {"sharedInbox": f"{self.base}/inbox"},
            "publicKey": {
                "id": f"{self.carol}#main-key",
                "owner": self.carol,
                "publicKeyPem": self._pair.public_pem,
            },
        }
        return web.Response(body=json.dumps(document).encode(), headers={"Content-Type": ACTIVITY})

    async def _inbox(self, request: web.Request) -> web.Response:
        activity = json.loads(await request.read())
        self.received[activity["id"]] += 1
        self.activities[activity["id"]] = activity
        return web.Response(status=202)

    async def _nothing(self, request: web.Request) -> web.Response:
        return web.Response(status=404)
