"""The rows of `federation` on PostgreSQL, in CPU time of this process; that of the database server is not counted.

The database server is the tests' own, without fsync, beside this process on the same machine.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import psycopg
import uvloop

from tests.bench import federation
from tests.support.postgres import Server, binaries


def rows() -> list[tuple[str, str, str]]:
    programs = binaries()
    if programs is None:
        return [("PostgreSQL", "not measured", "it is not installed here")]
    server = Server(programs)
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            return runner.run(federation._rows(Path(folder), server.url("bench")))
    finally:
        server.stop()
