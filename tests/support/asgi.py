"""An HTTP client that calls an ASGI app in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

Values = Mapping[str, Any] | list[tuple[str, Any]]


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    pieces: list[bytes] = field(default_factory=list)
    set_cookies: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json; charset=utf-8", self.body
        return json.loads(self.body)

    def links(self) -> dict[str, str]:
        """The `Link` header as the Pixelfed app reads it: split at every comma and semicolon."""
        found = {}
        for part in self.headers.get("link", "").split(","):
            if part:
                url, rel = part.split(";")
                found[rel.strip().removeprefix('rel="').removesuffix('"')] = url.strip(" <>")
        return found


@dataclass
class Client:
    """Sends requests to one app, with the same headers every time."""

    app: Any
    headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self,
        method: str,
        path: str,
        query: Values | None = None,
        *,
        form: Values | None = None,
        sent: Any = None,
        files: Mapping[str, bytes] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        path, _, rest = path.partition("?")
        all_headers = {"host": "tintype.test", **self.headers, **(headers or {})}
        if files is not None:
            all_headers["content-type"], body = _multipart(form or {}, files)
        elif form is not None:
            all_headers["content-type"], body = "application/x-www-form-urlencoded", urlencode(form).encode()
        elif sent is not None:
            all_headers["content-type"], body = "application/json", json.dumps(sent).encode()
        if body:
            all_headers["content-length"] = str(len(body))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "https",
            "method": method,
            "path": path,
            "raw_path": quote(path, safe=":/@[]*").encode(),
            "root_path": "",
            "query_string": (urlencode(query) if query else rest).encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in all_headers.items()],
            "client": ("203.0.113.7", 40000),
            "server": ("127.0.0.1", 8080),
            "extensions": {},
        }
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        reply = Reply(0, {}, b"")

        finished = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            await finished.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
                for name, value in message["headers"]:
                    if name == b"set-cookie":
                        cookie, _, rest = value.decode().partition("=")
                        reply.set_cookies.append((cookie, rest.partition(";")[0]))
                return
            if message.get("body"):
                reply.pieces.append(message["body"])
            if not message.get("more_body"):
                finished.set()

        await self.app(scope, receive, send)
        reply.body = b"".join(reply.pieces)
        return reply

    async def get(self, path: str, query: Values | None = None, **rest: Any) -> Reply:
        return await self.call("GET", path, query, **rest)

    async def post(self, path: str, query: Values | None = None, **rest: Any) -> Reply:
        return await self.call("POST", path, query, **rest)


def _multipart(form: Values, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    parts = []
    for name, value in form.items() if isinstance(form, Mapping) else form:
        head = f'Content-Disposition: form-data; name="{name}"'
        parts.append(f"{head}\r\n\r\n{value}".encode())
    for name, data in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="x"\r\nContent-Type: image/jpeg'
        parts.append(f"{head}\r\n\r\n".encode() + data)
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    return "multipart/form-data; boundary=edge", body
