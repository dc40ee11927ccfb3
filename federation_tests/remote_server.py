"""A remote server that a test plays itself: it serves the documents and sends the activities of the test."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import ssl
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from activitypub.signatures import SigningKey, sign_cavage, sign_rfc9421
from federation_tests.authority import Authority
from federation_tests.servers import Server, localhost
from node.accounts import keys
from node.node import Node

AP = "application/activity+json"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


@functools.cache
def key_pair(name: str) -> tuple[str, str]:
    """(private, public) PEM, the same for one name in the whole run."""
    return keys.generate_rsa()


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = AP
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class RemoteServer:
    """Serves `replies` over HTTPS, records requests, and signs what it sends.

    `inbox_status` answers every POST; `fails_on` is a text whose activities get a 500, `required_header` a header
    without which they get a 401, and `required_get_header` the same for GET.
    """

    def __init__(self, name: str, port: int, authority: Authority) -> None:
        self.domain = f"{name}:{port}"
        self.base = f"https://{self.domain}"
        self.replies: dict[str, Reply] = {}
        self.requests: Counter[str] = Counter()
        self.signatures: defaultdict[str, list[str]] = defaultdict(list)
        self.received: list[dict[str, Any]] = []
        self.inbox_status = 202
        self.inbox_headers: dict[str, str] = {}
        self.fails_on: str | None = None
        self.required_header: str | None = None
        self.required_get_header: str | None = None
        self._server = Server(self._app, port, authority)
        self._tls = ssl.create_default_context(cafile=authority.ca_file)

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        path = scope["path"]
        target = path + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        self.requests[path] += 1
        self.signatures[path].append(dict(scope["headers"]).get(b"signature", b"").decode())
        if scope["method"] == "POST":
            self.received.append(json.loads(body))
            reply = Reply(self._inbox_status(scope, body), headers=self.inbox_headers)
        elif self.required_get_header is not None and self.required_get_header.encode() not in dict(
            scope["headers"]
        ):
            reply = Reply(401)
        else:
            reply = self.replies.get(target) or self.replies.get(path) or Reply(404)
        if reply.seconds:
            await asyncio.sleep(reply.seconds)
        headers = {"content-type": reply.content_type, **reply.headers}
        await send(
            {
                "type": "http.response.start",
                "status": reply.status,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": reply.body})

    def _inbox_status(self, scope: Any, body: bytes) -> int:
        if self.fails_on is not None and self.fails_on.encode() in body:
            return 500
        if self.required_header is not None and self.required_header.encode() not in dict(scope["headers"]):
            return 401
        return self.inbox_status

    def serve(self, path: str, doc: Any, **more: Any) -> str:
        """Serves a document at `path`; returns its URL."""
        body = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
        self.replies[path] = Reply(body=body, **more)
        return self.base + path

    def person(self, name: str, /, *, key: str | None = None, **changes: Any) -> str:
        """Serves an actor and its WebFinger; returns its id. `key` names another key pair than its own."""
        uri = f"{self.base}/users/{name}"
        doc = {
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": uri,
            "type": "Person",
            "preferredUsername": name,
            "inbox": f"{uri}/inbox",
            "outbox": f"{uri}/outbox",
            "followers": f"{uri}/followers",
            "endpoints": {"sharedInbox": f"{self.base}/inbox"},
            "publicKey": {
                "id": f"{uri}#main-key",
                "owner": uri,
                "publicKeyPem": key_pair(key or f"{name}@{self.domain}")[1],
            },
            **changes,
        }
        self.serve(f"/users/{name}", doc)
        self.serve(
            f"/.well-known/webfinger?resource=acct%3A{name}%40{self.domain.replace(':', '%3A')}",
            {
                "subject": f"acct:{name}@{self.domain}",
                "links": [{"rel": "self", "type": AP, "href": uri}],
            },
            content_type="application/jrd+json",
        )
        return uri

    def note(
        self, author: str, number: int | str, *, is_served: bool = True, **changes: Any
    ) -> dict[str, Any]:
        """A public post of an actor of this server, served at its id."""
        uri = f"{self.base}/users/{author}"
        doc = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{uri}/statuses/{number}",
            "type": "Note",
            "attributedTo": uri,
            "content": f"<p>Post {number}</p>",
            "published": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "to": [PUBLIC],
            "cc": [f"{uri}/followers"],
            **changes,
        }
        if is_served:
            self.serve(f"/users/{author}/statuses/{number}", doc)
        return doc

    def activity(self, author: str, type_: str, object_: Any, **changes: Any) -> dict[str, Any]:
        """An activity with a new id; `changes` adds or replaces properties."""
        uri = f"{self.base}/users/{author}"
        number = time.monotonic_ns()
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{uri}#{type_.lower()}/{number}",
            "type": type_,
            "actor": uri,
            "object": object_,
            **changes,
        }

    def key(self, author: str, *, pair: str | None = None, key_id: str | None = None) -> SigningKey:
        private = key_pair(pair or f"{author}@{self.domain}")[0]
        return SigningKey.load(key_id or f"{self.base}/users/{author}#main-key", private)

    async def send(
        self,
        node: Node,
        author: str,
        activity: Any,
        *,
        inbox: str = "/inbox",
        key: SigningKey | None = None,
        now: float | None = None,
        style: str = "cavage",
        changed: dict[str, str | None] | None = None,
        body: bytes | None = None,
        content_type: str = AP,
    ) -> int:
        """POSTs to an inbox of a node, signed by `author` or with `key`; returns the status.

        `changed` replaces headers after signing (None removes one); `body` replaces the body after signing.
        """
        url = node.site.uri(inbox)
        signed = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        sign = sign_cavage if style == "cavage" else sign_rfc9421
        headers = sign(key or self.key(author), "POST", url, signed, now or time.time())
        headers["Content-Type"] = content_type
        for name, value in (changed or {}).items():
            headers.pop(name, None)
            if value is not None:
                headers[name] = value
        return (await self.request("POST", url, headers, signed if body is None else body))[0]

    async def get(
        self, url: str, *, author: str | None = None, accept: str = AP
    ) -> tuple[int, bytes, dict[str, str]]:
        """Requests a URL, signed by `author` if given; (status, body, headers)."""
        headers = {"Accept": accept}
        if author is not None:
            headers |= sign_cavage(self.key(author), "GET", url, None, time.time(), [("Accept", accept)])
        return await self.request("GET", url, headers)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        connector = aiohttp.TCPConnector(ssl=self._tls, resolver=_LocalResolver(), force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(
                method,
                url,
                headers=headers,
                data=None if body is None else io.BytesIO(body),
                allow_redirects=False,
            ) as response,
        ):
            found = {name.lower(): value for name, value in response.headers.items()}
            return response.status, await response.read(), found


class _LocalResolver(aiohttp.abc.AbstractResolver):
    """Resolves every name to this machine."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
        return [
            {"hostname": host, "host": address, "port": port, "family": 2, "proto": 0, "flags": 0}
            for address in await localhost(host, port)
        ]

    async def close(self) -> None:
        return None
