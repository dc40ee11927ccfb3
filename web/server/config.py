"""How hypercorn is configured, and the limits on connections that hold for the fast and for the plain server."""

from __future__ import annotations

import logging
from typing import Any, Self

from hypercorn.config import Config as Hypercorn

from node.config import Config
from web.server.heads import MAX_HEAD

MAX_UNREAD_BODY = (
    262_144  # bytes of a request body that wait for the app before no more is read from the socket
)
STALL_FACTOR = 4  # a request under way may stand still this many times as long as a connection may be idle
REQUEST_GRACE = 2.5  # seconds in which requests may finish when the node stops


class CopiedConfig(Hypercorn):
    """The same options in a class of their own, which can override a method or be recognised."""

    @classmethod
    def copy_of(cls, config: Hypercorn) -> Self:
        copy = cls()
        vars(copy).update(vars(config))
        return copy


def allows_h2c(config: Any) -> bool:
    """Returns whether HTTP/2 without TLS is served to a client that knows of it before (RFC 9113, section 3.3).

    An upgrade to it never is: RFC 9113 has removed that, and it smuggles requests past proxies that pass it on.
    """
    return getattr(config, "h2c", True)


def hypercorn_config(options: Config) -> Hypercorn:
    """Makes hypercorn's options from the node's,
    with the limits on connections that hypercorn keeps itself."""
    server: Any = Hypercorn()
    server.bind = list(options.server.bind)
    if options.server.tls_certificate:
        server.insecure_bind = []
        server.certfile = options.server.tls_certificate
        server.keyfile = options.server.tls_key
    server.h2c = options.server.h2c
    server.h2_max_header_list_size = MAX_HEAD
    server.accesslog = None
    server.errorlog = logging.getLogger("tintype.http")
    server.include_server_header = False
    server.graceful_timeout = REQUEST_GRACE
    server.shutdown_timeout = 1.0
    server.keep_alive_timeout = 30.0
    server.keep_alive_max_requests = 100_000
    server.ssl_handshake_timeout = 10.0
    server.backlog = 1024
    return server  # type: ignore[no-any-return]
