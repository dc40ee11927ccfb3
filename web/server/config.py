"""How hypercorn is configured, and the limits on connections that hold for the fast and for the plain server."""

from __future__ import annotations

import errno
import logging
import ssl
from pathlib import Path
from typing import Any, Self

from hypercorn.config import Config as Hypercorn

from node.config import BadConfig, Config
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


def check(options: Config) -> None:
    """Raises BadConfig, which names the option, for a certificate that cannot be read and an address that is taken."""
    files = {name: getattr(options.server, name) for name in ("tls_certificate", "tls_key")}
    for name, path in files.items():
        if path:
            try:
                Path(path).read_bytes()
            except OSError as error:
                raise BadConfig(
                    f"[server] {name} is {path!r}, which cannot be read: {error.strerror}."
                ) from None
    if all(files.values()):
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*files.values())
        except ssl.SSLError as error:
            raise BadConfig(
                f"[server] tls_certificate and tls_key are no certificate in PEM with its key: {error.reason or error}."
            ) from None
    for address in options.server.bind:
        if address.startswith("unix:"):
            continue  # to try it would take the socket from whoever has it
        server: Any = Hypercorn()
        server.bind = [address]
        try:
            sockets = server.create_sockets()
        except OSError as error:
            raise BadConfig(unusable_address(address, error)) from None
        for one in sockets.insecure_sockets:
            one.close()


def unusable_address(address: str, error: OSError) -> str:
    """Returns what is wrong with an address of `[server] bind`, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"[server] bind has {address}, where another program listens already. Stop it, or choose another port."
    return f"[server] bind has {address}, where this cannot listen: {error.strerror or error}."


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
