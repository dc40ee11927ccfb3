"""fediverse-pasture's actors, each with another idea of what must be signed, served and set upon a remote actor."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from fediverse_pasture.data_provider import DataProvider, bovine_actor_for_actor_data
from fediverse_pasture.server import BlueprintForActors
from fediverse_pasture.server.verify_actor import ActorVerifier
from fediverse_pasture.types import Message
from fediverse_pasture_inputs import available
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart


class Personas:
    def __init__(self, host: str, port: int, certificate: str, key: str) -> None:
        self._host, self._port = f"{host}:{port}", port
        self._tls = (certificate, key)
        self._data = DataProvider.generate()
        self._actors = [*self._data.possible_actors, self._data.one_actor]
        self._scheme = ""
        self._received: list[dict[str, Any]] = []
        self._stopping = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self.verbs = {
            "reset": self.reset,
            "check": self.check,
            "received": self.received,
            "post": self.post,
            "inputs": self.inputs,
        }

    async def reset(self, scheme: str) -> str:
        """Serve the actors under this scheme, and forget what they were sent."""
        self._received.clear()
        if scheme == self._scheme:
            return f"{scheme}://{self._host}"
        if self._serving is not None:
            self._stopping.set()
            await self._serving
        app = Quart(__name__)
        app.register_blueprint(BlueprintForActors(self._actors, on_inbox=self._on_inbox).blueprint)
        config = Config()
        config.bind = [f"127.0.0.1:{self._port}"]
        config.graceful_timeout = config.shutdown_timeout = 0.2
        if scheme == "https":
            config.certfile, config.keyfile = self._tls
        self._scheme, self._stopping = scheme, asyncio.Event()
        self._serving = asyncio.create_task(serve(app, config, shutdown_trigger=self._stopping.wait))
        return f"{scheme}://{self._host}"

    async def _on_inbox(self, message: dict[str, Any]) -> None:
        self._received.append(message)

    async def check(self, remote: str) -> dict[str, Any]:
        """What each of the personas can do with a remote actor, named by address or handle."""
        message = Message()
        verifier = ActorVerifier(
            actor_list=self._actors,
            remote_uri=remote,
            domain=self._host,
            message=message,
            scheme=self._scheme,
            timeout=10,
        )
        return {"result": await verifier.verify(), "steps": [str(step) for step in message.steps]}

    async def received(self) -> list[dict[str, Any]]:
        return self._received

    async def post(self, who: str, inbox: str, activities: list[dict[str, Any]]) -> list[int]:
        """POST activities to an inbox, signed by one of the personas; the status of each answer."""
        data = next(one for one in self._actors if one.actor_name == who)
        actor, _ = bovine_actor_for_actor_data(f"{self._scheme}://{self._host}/{who}", data)
        async with aiohttp.ClientSession() as session:
            await actor.init(session=session)
            return [await self._post(actor, inbox, activity) for activity in activities]

    async def _post(self, actor: Any, inbox: str, activity: dict[str, Any]) -> int:
        try:
            return int((await actor.post(inbox, activity)).status)
        except aiohttp.ClientResponseError as error:
            return error.status

    async def inputs(self, actor: str) -> dict[str, list[dict[str, Any]]]:
        """The objects that the pasture tries on every software, by topic, as if the actor had made them."""
        text = json.dumps({name: data.examples for name, data in available.items()})
        found: dict[str, list[dict[str, Any]]] = json.loads(text.replace(_WRITTEN_AS, actor))
        return found


_WRITTEN_AS = "http://pasture-one-actor/actor"
