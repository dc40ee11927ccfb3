"""Who a read is for: each class has its own share of the connections, and a time limit.

`reader_class` is set once, where a request comes in, and holds for every read of that request. Jobs and commands
set nothing. People who are signed in, their apps, jobs and commands share the ordinary connections. Other servers
have one connection of their own, and visitors who are not signed in have another, so that neither can take a
connection that a member needs, however many of them come and however much their queries cost.
"""

from __future__ import annotations

import contextlib
import enum
import logging
from collections.abc import Iterator
from contextvars import ContextVar

from node.errors import Overloaded

log = logging.getLogger("tintype.database")

MAX_LOGGED_SQL = 1000  # characters


class ReaderClass(enum.Enum):
    """The classes, each with its limit in seconds; 0 is no limit.

    With SQLite the limit is that of a whole unit of work, with PostgreSQL that of each statement.
    """

    WORK = 0.0
    MEMBER = 10.0
    SERVER = 5.0
    VISITOR = 2.0

    @property
    def limit(self) -> float:
        return self.value

    @property
    def has_own_connection(self) -> bool:
        return self in SEPARATE


SEPARATE = (ReaderClass.SERVER, ReaderClass.VISITOR)

reader_class: ContextVar[ReaderClass] = ContextVar("reader_class", default=ReaderClass.WORK)


@contextlib.contextmanager
def reading_as(kind: ReaderClass) -> Iterator[None]:
    """Sets the class of the reads in a `with` block, those of tasks that it starts included."""
    token = reader_class.set(kind)
    try:
        yield
    finally:
        reader_class.reset(token)


def report_stopped(sql: str, kind: ReaderClass) -> Overloaded:
    """Logs which query was stopped at its time limit, and returns the error for whoever asked."""
    text = " ".join(sql.split())[:MAX_LOGGED_SQL]
    log.warning("a query for a %s was stopped after %g seconds: %s", kind.name.lower(), kind.limit, text)
    return Overloaded("That took too long, so it was stopped. Please try again in a moment.")
