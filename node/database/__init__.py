"""The tables, behind two small classes: SQLite and PostgreSQL.

A unit of work is a plain function whose first argument is a `Reader` (looks) or a `Writer` (changes).
`await db.read(unit, …)` and `await db.write(unit, …)` run it whole, on the database's thread, in one
transaction: it cannot be cancelled half-way and never waits for the network.
"""

from node.database.core import Database, Reader, Row, Site, Writer, build, build_all, columns
from node.database.open import open_database

__all__ = ["Database", "Reader", "Row", "Site", "Writer", "build", "build_all", "columns", "open_database"]
