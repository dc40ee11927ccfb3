"""`Node`: everything one server is made of. No module keeps state, so several run in one process."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from media.sandbox import Sandbox
from media.storage import Storage
from node.config import Config, secret
from node.database import Database, Site

T = TypeVar("T")


def site_of(options: Config) -> Site:
    """Who a node with these options is."""
    return Site(
        options.server.scheme,
        options.node.domain,
        secret(options),
        by_allow_list=options.federation.mode == "allowlist",
        handles=options.node.handle_domain,
    )


@dataclasses.dataclass(eq=False)
class Node:
    """One server. Made and closed by `web.wiring.open_node`.

    `client` is the guarded HTTP client, the only door out (activitypub.client.Client). A part that has
    something to end when the node is closed adds it to `ends`.
    """

    config: Config
    site: Site
    db: Database
    storage: Storage
    sandbox: Sandbox
    client: Any
    ends: list[Callable[[], Awaitable[None]]] = dataclasses.field(default_factory=list)
    _parts: dict[Any, Any] = dataclasses.field(default_factory=dict)

    def part(self, factory: Callable[[Node], T]) -> T:
        """This node's one `factory(node)`, made on first use: caches and the like."""
        found: T | None = self._parts.get(factory)
        if found is None:
            found = self._parts[factory] = factory(self)
        return found

    async def close(self) -> None:
        for end in self.ends:
            await end()
        await self.client.close()
        await self.sandbox.close()
        await self.db.close()
