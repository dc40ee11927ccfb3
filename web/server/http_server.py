"""Serves an ASGI app over HTTP/1.1 and HTTP/2: the one way in to `web/server/`.

There are two servers with the same behaviour. The fast one reads HTTP/1.1 with llhttp and replaces
undocumented parts of hypercorn; the plain one is hypercorn as released, but for one part. The fast one serves where the option
says so and hypercorn has everything that it needs (see `web.server.private_api`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from hypercorn.config import Config

from web.server import plain, private_api
from web.server.heads import refuse_large_heads

log = logging.getLogger("tintype.serve")


async def serve(
    app: Any,
    config: Config,
    *,
    shutdown_trigger: Callable[[], Awaitable[Any]],
    fast: bool = True,
    needed: Iterable[private_api.Name] = private_api.NAMES,
) -> None:
    """Serves an ASGI app until `shutdown_trigger` returns. Raises OSError.

    Without `fast`, or where hypercorn has not all that is `needed`, by hypercorn as released.
    """
    app = refuse_large_heads(app)
    if fast and not _is_changed(needed):
        from web.server import hypercorn_connections

        await hypercorn_connections.serve(app, config, shutdown_trigger=shutdown_trigger)
    else:
        await plain.serve(app, config, shutdown_trigger=shutdown_trigger)


def _is_changed(needed: Iterable[private_api.Name]) -> bool:
    absent = private_api.missing(needed)
    if absent:
        log.warning(
            "the fast HTTP server does not fit this release of hypercorn, so the slower plain one serves: %s",
            "; ".join(absent),
        )
    return bool(absent)
