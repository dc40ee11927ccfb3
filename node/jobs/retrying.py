"""Writes that must not be lost while the database is away. Owns no table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from node.database import Database, Writer
from node.errors import DatabaseUnavailable

P = ParamSpec("P")
T = TypeVar("T")

PAUSE_SECONDS = 1.0


async def write_when_available(
    db: Database,
    unit: Callable[Concatenate[Writer, P], T],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Runs a unit of work, again and again while the database is away, until cancelled.

    For what has been done already outside, such as a request to another server: it would be done twice if nobody
    remembered it. Raises DatabaseUnavailable for what waiting does not help, such as a damaged file. The unit may have been committed before it is run again, so it must allow for that.
    """
    while True:
        try:
            return await db.write(unit, *args, **kwargs)
        except DatabaseUnavailable as error:
            if not error.is_temporary:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
