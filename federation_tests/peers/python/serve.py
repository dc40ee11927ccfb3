"""Peers in Python that are not ours: the actors of fediverse-pasture behind one socket, and second verifiers.

Runs in an environment of its own, with none of our code. The test speaks to it over a second socket, one JSON
object per POST: {"verb": …, …} → {"found": …} or {"error": …}.

    python serve.py PUBLIC_HOST PUBLIC_PORT    (CERTIFICATE, KEY and SSL_CERT_FILE by environment)

It says on which port that second socket is, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from typing import Any

import aiohttp.connector
import signing
from aiohttp import web
from personas import Personas


class _Here(aiohttp.abc.AbstractResolver):
    """Every name that ends in .test is this machine, and there are no others."""

    def __init__(self, **_options: Any) -> None:
        pass

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
        if not host.endswith(".test"):
            raise OSError(f"{host} is not in this test")
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


async def main(host: str, port: int) -> None:
    aiohttp.connector.DefaultResolver = _Here
    personas = Personas(host, port, os.environ["CERTIFICATE"], os.environ["KEY"])
    verbs = {**signing.VERBS, **personas.verbs}

    async def control(request: web.Request) -> web.Response:
        options = await request.json()
        try:
            return web.json_response({"found": await verbs[options.pop("verb")](**options)})
        except Exception:
            return web.json_response({"error": traceback.format_exc()})

    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_post("/", control)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"control port {runner.addresses[0][1]}", flush=True)
    await asyncio.get_running_loop().connect_read_pipe(_End, sys.stdin)
    await asyncio.Event().wait()


class _End(asyncio.Protocol):
    def connection_lost(self, exc: Exception | None) -> None:
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
