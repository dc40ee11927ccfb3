"""`Node`: the parts of one server. No module keeps state, so several nodes run in one process."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from media.sandbox import Sandbox
from media.storage import Storage
from node.config import Config, load_secret
from node.database import Database, Site
from node.errors import DatabaseUnavailable

log = logging.getLogger("tintype.node")

CALLBACK_SECONDS = 1.0

T = TypeVar("T")


def site_from_config(options: Config) -> Site:
    """Returns the name, secret and domains of a node with these options.

    Makes the secret if there is none.
    """
    return Site(
        options.server.scheme,
        options.node.domain,
        load_secret(options),
        is_allowlist_mode=options.federation.mode == "allowlist",
        configured_handle_domain=options.node.handle_domain,
        sends_mail=bool(options.mail.url),
        staff_needs_second_step=options.security.staff_two_step,
    )


@dataclasses.dataclass(eq=False)
class Node:
    """One server. Made and closed by `web.wiring.open_node`.

    `client` is the HTTP client that refuses private addresses, the only way to make outgoing requests
    (activitypub.client.client.Client). A part with something to end when the node closes adds it to
    `close_callbacks`.
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
        """Returns this node's one `factory(node)`, made on first use: caches and the like."""
        found: T | None = self._components.get(factory)
        if found is None:
            found = self._components[factory] = factory(self)
        return found

    async def close(self) -> None:
        for callback in self.close_callbacks:
            try:
                async with asyncio.timeout(CALLBACK_SECONDS):
                    await callback()
            except (DatabaseUnavailable, TimeoutError) as error:
                log.warning("not everything was written before the node closed: %s", error)
        await self.client.close()
        await self.sandbox.close()
        await self.db.close()
