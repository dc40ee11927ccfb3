"""The ASGI app that answers until the node's own can: 503, while the database does not answer yet."""

from __future__ import annotations

from typing import Any

from node.errors import DatabaseUnavailable
from web.bare_answers import respond_unavailable


class StartingApp:
    """Passes requests to `app` as soon as there is one."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.app is not None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await respond_unavailable(scope, send, DatabaseUnavailable("it does not answer"))
