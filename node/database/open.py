"""Opens the database that a URL names: the only place that chooses between SQLite and PostgreSQL.

A driver is imported when it is used: psycopg alone takes 50 ms and 12 MB.
"""

from __future__ import annotations

from node.database.core import Database, Site


async def open_database(url: str, site: Site, *, read_only: bool = False) -> Database:
    """Opens `sqlite:path` or `postgresql://…`, migrates it, and returns it.

    Raises `migrate.DatabaseTooNew` when a newer program has already changed it, and `lock.DatabaseInUse` while
    another process writes the SQLite file. `read_only` opens a SQLite file beside that process, unmigrated.
    """
    if url.startswith("sqlite:"):
        from node.database.sqlite import open_read_only, open_sqlite

        path = url.removeprefix("sqlite:")
        return await (open_read_only if read_only else open_sqlite)(path, site)
    from node.database.postgres import open_postgres

    return await open_postgres(url, site)
