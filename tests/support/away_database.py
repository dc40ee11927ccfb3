"""A database that a test takes away from a node, and gives back: `node.db = AwayDatabase(node.db)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node.database import Database
from node.errors import DatabaseUnavailable


class AwayDatabase:
    """A database that is away when a test says so."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.is_away = False
        self.loses_answers_of: Callable[..., Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def read(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self.is_away:
            raise DatabaseUnavailable("a test took it away")
        return await self._db.read(unit, *args, **kwargs)

    async def write(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self.is_away:
            raise DatabaseUnavailable("a test took it away")
        found = await self._db.write(unit, *args, **kwargs)
        if unit is self.loses_answers_of:
            self.loses_answers_of = None
            raise DatabaseUnavailable("the connection was lost while it was committed")
        return found
