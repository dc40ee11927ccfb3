"""Free ports for the servers that tests start."""

from __future__ import annotations

import contextlib
import os
import random
import socket

LOWEST, HIGHEST = 10_000, 32_000  # below those that the kernel gives to outgoing connections


def free_ports(number: int) -> list[int]:
    """Returns ports that nobody listens on, and that the kernel does not give to outgoing connections.

    Parallel workers of one run choose from different ports, so none takes what another has just found free.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % workers
    found: set[int] = set()
    while len(found) < number:
        port = random.randrange(LOWEST + worker, HIGHEST, workers)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)


def free_port() -> int:
    return free_ports(1)[0]
