"""A remote server on a real socket that sends raw bytes, and a guarded client that reaches it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from activitypub.client.client import Client

AP = "application/activity+json"
NOTE = json.dumps({"id": "http://b.test/1", "type": "Note"}).encode()

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A remote server that sends raw bytes by path and records every request."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}
        self.requests: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        self.connections = 0
        self.port = 0

    def says(
        self, path: str, body: bytes = NOTE, *, kind: str = AP, status: str = "200 OK", **headers: str
    ) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        if kind:
            lines.append(f"Content-Type: {kind}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.replies[path] = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def serves(self, path: str, document: Any, *, kind: str = AP) -> str:
        """Serves a JSON document; returns its URL on the host b.test."""
        self.says(path, json.dumps(document).encode(), kind=kind)
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://b.test:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """The requested paths, in order."""
        return [target for _, target, _, _ in self.requests]

    def moves(self, path: str, to: str, status: str = "302 Found") -> None:
        self.says(path, b"", kind="", status=status, Location=to)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = [
                    (line.split(":", 1)[0].lower(), line.split(":", 1)[1].strip())
                    for line in head[1:]
                    if line
                ]
                body = await reader.readexactly(int(dict(headers).get("content-length", "0")))
                self.requests.append((method, target, headers, body))
                reply = self.replies.get(target, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                if isinstance(reply, bytes):
                    writer.write(reply)
                else:
                    await reply(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    listener = await asyncio.start_server(server, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


class Names:
    """A resolver that returns the given answers one after the other, and records the hosts."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.hosts: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.hosts.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[Client]:
    settings: dict[str, Any] = {
        "user_agent": "Tintype test",
        "allow_private": True,
        "allow_http": True,
        "ca_file": None,
        "own_host": "a.test",
        "resolve": Names(["127.0.0.1"]),
        **options,
    }
    client = Client(**settings)
    try:
        yield client
    finally:
        await client.close()
