"""The database, SQLite or PostgreSQL behind the same interface.

A unit of work is a plain function whose first argument is a `Reader` (only SELECT) or a `Writer`.
`await db.read(unit, …)` and `await db.write(unit, …)` run all of it on the database's thread, in one
transaction: it cannot be cancelled half-way and never waits for the network.
"""

from node.database.core import Database, Reader, Row, Site, Writer, build, build_all, columns
from node.database.open import open_database

__all__ = ["Database", "Reader", "Row", "Site", "Writer", "build", "build_all", "columns", "open_database"]
