"""Requests of which only the beginning is sent."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable

from node.accounts import accounts, keys
from node.auth import access_tokens, sessions
from node.database import Writer
from node.lifecycle import registration
from web.request.session import SESSION_COOKIE

PART = (
    b'--edge\r\nContent-Disposition: form-data; name="%s"; filename="x"\r\nContent-Type: image/jpeg\r\n\r\n'
)


@dataclasses.dataclass
class Sender:
    """Sends the beginning of requests and never their end."""

    port: int
    token: str = ""
    session: str = ""
    open: list[asyncio.StreamWriter] = dataclasses.field(default_factory=list)

    def head(self, kind: str, size: int, address: str = "") -> bytes:
        lines = {
            "api": (
                "/api/v2/media",
                "multipart/form-data; boundary=edge",
                f"Authorization: Bearer {self.token}",
            ),
            "form": (
                "/compose",
                "multipart/form-data; boundary=edge",
                f"Cookie: {SESSION_COOKIE}={self.session}",
            ),
            "inbox": ("/inbox", "application/activity+json", "Signature: sig=:AA==:"),
            "json": ("/api/v1/statuses", "application/json", f"Authorization: Bearer {self.token}"),
            "sign-in": ("/sign-in", "application/x-www-form-urlencoded", "X-None: 1"),
        }[kind]
        forwarded = f"X-Forwarded-For: {address}\r\n" if address else ""
        return (
            f"POST {lines[0]} HTTP/1.1\r\nHost: a\r\nContent-Type: {lines[1]}\r\n{lines[2]}\r\n{forwarded}"
            f"Content-Length: {size}\r\n\r\n"
        ).encode()

    async def begin(self, kind: str, size: int, sent: int, address: str = "") -> asyncio.StreamReader:
        """Sends a head that promises `size` bytes, and so many of them."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.open.append(writer)
        start = PART % (b"file" if kind == "api" else b"photos") if kind in ("api", "form") else b""
        if kind == "form":
            csrf = b'--edge\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nnone\r\n'
            start = csrf + start
        writer.write(self.head(kind, size, address) + start)
        left = sent - len(start)
        with contextlib.suppress(ConnectionError):
            while left > 0:
                writer.write(b"x" * min(left, 65_536))
                left -= 65_536
                async with asyncio.timeout(10):
                    await writer.drain()
        return reader

    async def leave(self) -> None:
        for writer in self.open:
            writer.transport.abort()
        self.open = []


async def status(reader: asyncio.StreamReader, seconds: float = 10) -> int:
    """The status of the answer; 0 while there is none."""
    with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
        async with asyncio.timeout(seconds):
            return int((await reader.readuntil(b"\r\n")).split()[1])
    return 0


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def sign_up(tx: Writer, name: str, pair: keys.KeyPair) -> tuple[str, str]:
    registration.create_user(
        tx, name=name, email=f"{name}@example.org", password_hash="-", pair=pair, role="user"
    )
    account = accounts.by_handle(tx, name)
    assert account is not None
    return access_tokens.create(tx, account, {"read", "write"}, "test"), sessions.start(tx, account, "test")
