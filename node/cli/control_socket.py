"""How commands reach a node that is serving, so that with SQLite exactly one process ever writes the file.

The serving process listens on a socket beside the database, which only the same user (or root) may open. One
line of JSON asks for a command by its name (`commands`), one line answers. A command that finds the database
free opens it itself; with PostgreSQL, where several may write, it always does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

from node.cli import commands
from node.config import Config
from node.database import open_database
from node.database.lock import InUse, reachable
from node.errors import Refused
from node.node import Node, site_of

log = logging.getLogger("tintype.control")

LONGEST = 256 * 1024
SECONDS = 30.0


async def run(options: Config, name: str, /, **values: Any) -> Any:
    """Do a command, here or in the process that serves. Raises Refused, InUse, or what the database raises."""
    site = site_of(options)
    try:
        db = await open_database(options.database.url, site)
    except InUse as in_use:
        if not in_use.is_served:
            raise
        return await ask(options.database.url.removeprefix("sqlite:"), name, **values)
    try:
        return await commands.perform(db, name, values)
    finally:
        await db.close()


async def ask(path: str, name: str, /, **values: Any) -> Any:
    """Let the process that serves a database file do a command. Raises Refused."""
    async with asyncio.timeout(SECONDS):
        with reachable(path) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=LONGEST)
        try:
            writer.write(json.dumps({"command": name, "values": values}).encode() + b"\n")
            await writer.drain()
            answer = json.loads(await reader.readline() or b"{}")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    if "refused" in answer:
        raise Refused(answer["refused"], detail=answer.get("detail", ""))
    if "done" not in answer:
        raise Refused("The node that is running could not do that. Its log says why.")
    return answer["done"]


@contextlib.asynccontextmanager
async def listening(node: Node) -> AsyncIterator[None]:
    """Answer commands while the node serves. With PostgreSQL there is nothing to do."""
    url = node.config.database.url
    if not url.startswith("sqlite:"):
        yield
        return
    path = url.removeprefix("sqlite:")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                if _may_ask(writer) and (asked := await reader.readline()):
                    writer.write(json.dumps(await _answer(node, asked)).encode() + b"\n")
                    await writer.drain()
        except (OSError, ValueError, KeyError, TypeError, TimeoutError) as error:
            log.info("a command was not understood: %s", error)
        finally:
            writer.close()

    with reachable(path) as address:
        listener = _listener(address)
    server = await asyncio.start_unix_server(answer, sock=listener, limit=LONGEST)
    try:
        yield
    finally:
        server.close()
        # The lock is still ours, so whatever is at this name is what we have put there.
        with contextlib.suppress(OSError):
            os.unlink(f"{path}.sock")


def _listener(address: str) -> socket.socket:
    """A socket at this name that nobody else may open. What a killed process left there goes."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(address)
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener


def _may_ask(writer: asyncio.StreamWriter) -> bool:
    """Whether it is the user this process runs as, or root. Where that cannot be told, the file's mode must do."""
    peer = writer.get_extra_info("socket")
    if peer is None or not hasattr(socket, "SO_PEERCRED"):
        return True
    with socket.socket(fileno=os.dup(peer.fileno())) as same:
        _, user, _ = struct.unpack("3i", same.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return user in (0, os.geteuid())


async def _answer(node: Node, asked: bytes) -> dict[str, Any]:
    said = json.loads(asked)
    name = said["command"] if isinstance(said, dict) else ""
    try:
        done = await commands.perform(node.db, str(name), said["values"])
    except Refused as refused:
        return {"refused": refused.message, "detail": refused.detail}
    except Exception:
        log.exception("the command %s failed", name)
        return {}
    log.info("did %s for the command line", name)
    return {"done": done}
