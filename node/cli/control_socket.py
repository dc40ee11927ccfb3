"""The control socket: sends commands to the serving process, so that only one process writes a SQLite file.

`node.__main__` calls it on both sides. The serving process listens on a Unix socket beside the database file, which
only the same user (or root) may open. A request is one line of JSON with the name of a command (see `commands`), a
response is one line. A command that finds the database unlocked opens it itself; with PostgreSQL, where several
processes may write, it always does.
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

from node.accounts import keys
from node.cli import commands
from node.config import Config
from node.database import open_database
from node.database.lock import DatabaseInUse, socket_address
from node.errors import DatabaseUnavailable, Refused
from node.node import Node, site_from_config

log = logging.getLogger("tintype.control")

MAX_LINE_BYTES = 256 * 1024
TIMEOUT_SECONDS = 25.0


async def run_command(options: Config, name: str, /, **values: Any) -> Any:
    """Runs a command in this process, or in the serving one if that has the database open.

    Raises Refused, DatabaseInUse (another command has it open), or what the database raises.
    """
    site = site_from_config(options)
    try:
        db = await open_database(options.database.url, site)
    except DatabaseInUse as in_use:
        if not in_use.is_served:
            raise
        try:
            return await send_command(options.database.url.removeprefix("sqlite:"), name, **values)
        except TimeoutError:
            raise Refused("The node that is running does not answer. Its log may say why.") from None
    try:
        await db.read(keys.check_secret)
        return await commands.perform(db, name, values)
    finally:
        await db.close()


async def send_command(path: str, name: str, /, **values: Any) -> Any:
    """Sends a command to the process that serves the database file at `path`; returns its result.

    Raises Refused, TimeoutError, or OSError if the socket cannot be opened.
    """
    async with asyncio.timeout(TIMEOUT_SECONDS):
        with socket_address(path) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=MAX_LINE_BYTES)
        try:
            writer.write(json.dumps({"command": name, "values": values}).encode() + b"\n")
            await writer.drain()
            response = json.loads(await reader.readline() or b"{}")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    if "refused" in response:
        raise Refused(response["refused"], detail=response.get("detail", ""))
    if "done" not in response:
        raise Refused("The node that is running could not do that. Its log says why.")
    return response["done"]


@contextlib.asynccontextmanager
async def serve_commands(node: Node) -> AsyncIterator[None]:
    """Accepts commands on the socket while the context is open. With PostgreSQL it does nothing."""
    url = node.config.database.url
    if not url.startswith("sqlite:"):
        yield
        return
    path = url.removeprefix("sqlite:")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if _is_authorized_peer(writer) and (line := await reader.readline()):
                    writer.write(json.dumps(await _handle_request(node, line)).encode() + b"\n")
                    await writer.drain()
        except (OSError, ValueError, KeyError, TypeError, TimeoutError) as error:
            log.info("a command could not be read: %s", error)
        finally:
            writer.close()

    with socket_address(path) as address:
        listener = _bind_socket(address)
    server = await asyncio.start_unix_server(handle, sock=listener, limit=MAX_LINE_BYTES)
    try:
        yield
    finally:
        server.close()
        # This process still holds the lock, so the file at this path is its own socket.
        with contextlib.suppress(OSError):
            os.unlink(f"{path}.sock")


def _bind_socket(address: str) -> socket.socket:
    """Binds a socket at this path that only this user may open, in place of what a killed process left there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old_umask = os.umask(0o177)
    try:
        listener.bind(address)
    finally:
        os.umask(old_umask)
    listener.setblocking(False)
    return listener


def _is_authorized_peer(writer: asyncio.StreamWriter) -> bool:
    """Returns whether the peer is this process's user or root.

    Where the system does not say, the file mode must suffice.
    """
    peer = writer.get_extra_info("socket")
    if peer is None or not hasattr(socket, "SO_PEERCRED"):
        return True
    with socket.socket(fileno=os.dup(peer.fileno())) as duplicate:
        _, user, _ = struct.unpack("3i", duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return user in (0, os.geteuid())


async def _handle_request(node: Node, line: bytes) -> dict[str, Any]:
    request = json.loads(line)
    name = request["command"] if isinstance(request, dict) else ""
    try:
        result = await commands.perform(node.db, str(name), request["values"])
    except Refused as refused:
        return {"refused": refused.message, "detail": refused.detail}
    except DatabaseUnavailable as unavailable:
        return {"refused": str(unavailable)}
    except Exception:
        log.exception("the command %s failed", name)
        return {}
    log.info("ran %s for the command line", name)
    return {"done": result}
