"""Tokens of apps themselves, which act for nobody (RFC 6749, 4.4). Owns `app_tokens`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from node.auth.issued_tokens import hash_of
from node.auth.oauth.apps import ClientApp, build_app
from node.database import Reader, Writer
from node.ids import now_ms

PREFIX = "app."  # tells them from tokens of people without asking the database
MAX_PER_APP = 20
RETENTION_MS = 90 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class AppToken:
    app: ClientApp
    scopes: frozenset[str]


def create(tx: Writer, app: ClientApp, scopes: Iterable[str]) -> str:
    """Creates a token and returns it; of those of an app the newest `MAX_PER_APP` stay."""
    token = PREFIX + secrets.token_urlsafe(32)
    tx.run(
        """DELETE FROM app_tokens WHERE hash IN (SELECT hash FROM app_tokens WHERE app_id = :app
               ORDER BY created_at DESC, hash LIMIT 1000 OFFSET :kept)""",
        app=app.id,
        kept=MAX_PER_APP - 1,
    )
    tx.run(
        "INSERT INTO app_tokens (hash, app_id, scopes, created_at) VALUES (:hash, :app, :scopes, :now)",
        hash=hash_of(token),
        app=app.id,
        scopes=" ".join(sorted(scopes)),
        now=now_ms(),
    )
    return token


def is_app_token(token: str) -> bool:
    """Returns whether a token would be one of an app itself, by its form."""
    return token.startswith(PREFIX)


def by_token(tx: Reader, token: str) -> AppToken | None:
    """Returns the app and scopes of a token."""
    row = tx.one(
        """SELECT t.scopes AS token_scopes, a.* FROM app_tokens t JOIN apps a ON a.id = t.app_id
           WHERE t.hash = :hash""",
        hash=hash_of(token),
    )
    return AppToken(build_app(row), frozenset(row["token_scopes"].split())) if row else None


def revoke(tx: Writer, app_id: int, token: str) -> bool:
    """Deletes a token that its app gives back. Returns whether it had one."""
    sql = "DELETE FROM app_tokens WHERE hash = :hash AND app_id = :app"
    return tx.run(sql, hash=hash_of(token), app=app_id) > 0


def clean_up(tx: Writer, now: int, after: str | None) -> str | None:
    """Deletes those of the next tokens that are 90 days old; returns where to go on, None at the end."""
    rows = tx.all(
        "SELECT hash, created_at FROM app_tokens WHERE hash > :after ORDER BY hash LIMIT 500",
        after=after or "",
    )
    old = [row["hash"] for row in rows if row["created_at"] < now - RETENTION_MS]
    tx.run("DELETE FROM app_tokens WHERE hash IN (:hashes)", hashes=old)
    return rows[-1]["hash"] if rows else None
