"""Values that the node stores about itself, by key. Owns `settings`."""

from __future__ import annotations

from datetime import UTC, datetime

from node.database import Reader, Writer


def get(tx: Reader, key: str) -> str | None:
    value: str | None = tx.value("SELECT value FROM settings WHERE key = :key", key=key)
    return value


def put(tx: Writer, key: str, value: str) -> None:
    """Stores a value; it replaces an earlier one."""
    tx.run(
        """INSERT INTO settings (key, value) VALUES (:key, :value)
           ON CONFLICT (key) DO UPDATE SET value = excluded.value""",
        key=key,
        value=value,
    )


def remove(tx: Writer, key: str) -> None:
    tx.run("DELETE FROM settings WHERE key = :key", key=key)


def database_time(tx: Reader) -> datetime:
    """Returns the clock of the database, with its time zone (UTC on SQLite)."""
    now = tx.value("SELECT CURRENT_TIMESTAMP")
    return datetime.fromisoformat(now).replace(tzinfo=UTC) if isinstance(now, str) else now
