"""Opens the database that a URL names: the only place that chooses between SQLite and PostgreSQL."""

from __future__ import annotations

from node.database.core import Database, Site
from node.database.postgres import open_postgres


async def open_database(url: str, site: Site, *, reads_only: bool = False) -> Database:
    """Open `sqlite:path` or `postgresql://…`, bring it up to date, and return it.

    Raises `migrate.TooNew` when a newer program has already changed it, and `lock.InUse` while another
    process writes the SQLite file; beside that one, `reads_only` still opens it.
    """
    if url.startswith("sqlite:"):
        from node.database.sqlite import open_beside, open_sqlite

        path = url.removeprefix("sqlite:")
        return await (open_beside if reads_only else open_sqlite)(path, site)

    return await open_postgres(url, site)
