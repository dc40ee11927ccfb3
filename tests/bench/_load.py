"""The other side of the federation benchmarks, in a process of its own so that its cost is not counted.

`send` posts signed activities to an inbox over several connections; `pace` posts them one by one with pauses, and
reports when; `listen` is a server that accepts anything, and closes its connections on command; `sleep` is one that
never responds. All implement just enough HTTP/1.1 to cost little.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import time
from typing import Any

from activitypub.signatures import SigningKey, sign_cavage


def request(order: dict[str, Any], number: int, key: SigningKey) -> bytes:
    body = order["body"].replace("NUMBER", f"{order['run']}{number}")
    if "OBJECT" in body:
        body = body.replace("OBJECT", order["objects"][number])
    data = body.encode()
    headers = sign_cavage(key, "POST", order["url"], data, time.time())
    headers["Content-Length"] = str(len(data))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {order['path']} HTTP/1.1\r\n{lines}\r\n".encode() + data


async def send(order: dict[str, Any]) -> dict[str, Any]:
    """Send them all; how long it took and how many were accepted."""
    key = SigningKey.load(order["key_id"], order["private"])
    requests = [request(order, number, key) for number in range(order["number"])]
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    accepted = 0

    async def connection() -> None:
        nonlocal accepted
        reader, writer = await asyncio.open_connection("127.0.0.1", order["port"])
        while requests:
            writer.write(requests.pop())
            head = await reader.readuntil(b"\r\n\r\n")
            accepted += head.startswith(b"HTTP/1.1 202")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            if length.strip() not in (b"", b"0"):
                await reader.readexactly(int(length))
        writer.close()

    started = time.monotonic()
    await asyncio.gather(*(connection() for _ in range(order["connections"])))
    return {"seconds": time.monotonic() - started, "accepted": accepted}


async def pace(order: dict[str, Any]) -> dict[str, Any]:
    """Send one every `gap` seconds: how long each answer took, and the clock when each was sent."""
    key = SigningKey.load(order["key_id"], order["private"])
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    reader, writer = await asyncio.open_connection("127.0.0.1", order["port"])
    took, sent, statuses = [], {}, []
    for number in range(order["number"]):
        data = request(order, number, key)
        sent[f"{order['run']}{number}"] = time.time() * 1000
        started = time.monotonic()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        took.append((time.monotonic() - started) * 1000)
        statuses.append(int(head[9:12]))
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length.strip() or 0))
        await asyncio.sleep(max(0.0, order["gap"] - (time.monotonic() - started)))
    writer.close()
    return {"took": took, "sent": sent, "accepted": statuses.count(202)}


async def sleep(order: dict[str, Any]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    os._exit(0)


async def listen(order: dict[str, Any]) -> None:
    context = None
    if "certificate" in order:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(order["certificate"], order["key"])

    open_: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length or 0))
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            writer.close()
            open_.discard(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    while (await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)).strip() == "hang up":
        for writer in open_:
            writer.close()
    sys.stdout.flush()
    os._exit(0)  # without waiting for the thread that reads stdin


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    if sys.argv[1] in ("send", "pace"):
        print(json.dumps(asyncio.run({"send": send, "pace": pace}[sys.argv[1]](given))), flush=True)
    else:
        import uvloop

        uvloop.run({"listen": listen, "sleep": sleep}[sys.argv[1]](given))
