"""One request of a stranger that is answered cheaply: a file, a refusal, an activity of a server not known yet.

It has a turn while it is worked on, and none while it waits for its client: not for the body of the request, not
until the answer has been received, and not for another server that has to be asked (`activitypub.asgi.end_turn`). An answer in many pieces has a short turn for each of them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from activitypub.asgi import END_TURN_KEY
from node.errors import Overloaded
from web.visitors.turns import Turn, Turns

RETRY_SECONDS = 1.0  # between two attempts to send one more piece of an answer


class TurnedExchange:
    """The `receive` and the `send` of one request, which begin and end its turns.

    `first` has the turn in which its head is read, `second` the one for what its body says.
    """

    def __init__(self, first: Turns, second: Turns, address: str, receive: Any, send: Any) -> None:
        self._first, self._second, self._address = first, second, address
        self._receive, self._send = receive, send
        self._running: tuple[Turns, Turn] | None = None
        self._is_body_whole = False
        self._pieces = 0
        self.status = 0  # of the answer

    async def run(self, app: Any, scope: Any) -> None:
        """Calls the app in a turn. Raises Overloaded, also where it would have to wait after its body has come."""
        await self._begin(self._first)
        scope[END_TURN_KEY] = self._end
        try:
            await app(scope, self.receive, self.send)
        finally:
            self._end()

    async def receive(self) -> Any:
        """Returns the next message of the client, for which no turn is held."""
        if self._is_body_whole:
            return await self._receive()
        self._end()
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._is_body_whole = True
            await self._begin(self._second)
        return message

    async def send(self, message: Any) -> None:
        """Sends a message of the answer; what could be done in a turn is done."""
        self._end()
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self._pieces += 1
            if self._pieces > 1:
                await self._wait_for_piece()
        await self._send(message)

    async def _wait_for_piece(self) -> None:
        while True:
            try:
                async with self._first.turn(self._address):
                    return
            except Overloaded:  # it cannot be said any more, so it waits on
                await asyncio.sleep(RETRY_SECONDS)

    async def _begin(self, turns: Turns) -> None:
        self._running = (turns, await turns.begin(self._address))

    def _end(self) -> None:
        if self._running is not None:
            turns, turn = self._running
            self._running = None
            turns.end(turn)
