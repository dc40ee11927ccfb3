"""`Node`: everything one server is made of. No module keeps state, so several run in one process."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from media.sandbox import Sandbox
from media.storage import Storage
from node.config import Config, load_secret
from node.database import Database, Site

T = TypeVar("T")


def site_from_config(options: Config) -> Site:
    """Who a node with these options is."""
    return Site(
        options.server.scheme,
        options.node.domain,
        load_secret(options),
        is_allowlist_mode=options.federation.mode == "allowlist",
        configured_handle_domain=options.node.handle_domain,
    )


@dataclasses.dataclass(eq=False)
class Node:
    """One server. Made and closed by `web.wiring.open_node`.

    `client` is the guarded HTTP client, the only door out (activitypub.client.Client). A part that has
    something to end when the node is closed adds it to `close_callbacks`.
    """

    config: Config
    site: Site
    db: Database
    storage: Storage
    sandbox: Sandbox
    client: Any
    close_callbacks: list[Callable[[], Awaitable[None]]] = dataclasses.field(default_factory=list)
    _components: dict[Any, Any] = dataclasses.field(default_factory=dict)

    def component(self, factory: Callable[[Node], T]) -> T:
        """This node's one `factory(node)`, made on first use: caches and the like."""
        found: T | None = self._components.get(factory)
        if found is None:
            found = self._components[factory] = factory(self)
        return found

    async def close(self) -> None:
        for end in self.close_callbacks:
            await end()
        await self.client.close()
        await self.sandbox.close()
        await self.db.close()
