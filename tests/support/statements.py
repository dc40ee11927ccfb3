"""What is asked of a database: `node.db = Recording(node.db)` keeps every statement with its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node.database import Database

Statement = tuple[str, dict[str, Any]]


class Asked:
    """A writer that keeps what passes through it."""

    def __init__(self, tx: Any, statements: list[Statement]) -> None:
        self._tx, self._statements = tx, statements

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if name not in ("all", "one", "value", "run"):
            return found

        def asking(sql: str, /, **values: Any) -> Any:
            self._statements.append((sql, values))
            return found(sql, **values)

        return asking


class Recording:
    """A database that keeps what its units of work ask."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.statements: list[Statement] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def read(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return await self._db.read(self._recorded, unit, *args, **kwargs)

    async def write(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return await self._db.write(self._recorded, unit, *args, **kwargs)

    def _recorded(self, tx: Any, unit: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return unit(Asked(tx, self.statements), *args, **kwargs)

    def visibility_checks(self) -> int:
        """How many statements asked whether somebody may see a post."""
        return sum("FROM mentions vn" in sql for sql, _values in self.statements)

    def repeated(self) -> list[str]:
        """Questions that were asked twice with the same values."""
        asked = [(sql, repr(values)) for sql, values in self.statements if sql.lstrip().startswith("SELECT")]
        return [sql for n, (sql, values) in enumerate(asked) if (sql, values) in asked[:n]]
