"""Records the statements of a database: `node.db = Recording(node.db)` keeps each with its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node.database import Database

Statement = tuple[str, dict[str, Any]]


class RecordingTransaction:
    """A reader or writer that records its statements."""

    def __init__(self, tx: Any, statements: list[Statement]) -> None:
        self._tx, self._statements = tx, statements

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._tx, name)
        if name not in ("all", "one", "value", "run"):
            return method

        def recorded(sql: str, /, **values: Any) -> Any:
            self._statements.append((sql, values))
            return method(sql, **values)

        return recorded


class Recording:
    """A database that records the statements of its units of work."""

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
        return unit(RecordingTransaction(tx, self.statements), *args, **kwargs)

    def visibility_checks(self) -> int:
        """The number of statements that check the visibility of a post."""
        return sum("FROM mentions vn" in sql for sql, _values in self.statements)

    def repeated(self) -> list[str]:
        """The queries that ran twice with the same values."""
        queries = [
            (sql, repr(values)) for sql, values in self.statements if sql.lstrip().startswith("SELECT")
        ]
        return [sql for n, (sql, values) in enumerate(queries) if (sql, values) in queries[:n]]
