"""Bearer tokens with which apps act for people. Owns `tokens`.

Only the hash of a token (`issued_tokens`) is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.auth import issued_tokens
from node.auth.issued_tokens import TokenKind
from node.auth.oauth import apps
from node.auth.oauth.apps import ClientApp, build_app
from node.auth.oauth.scopes import allows
from node.database import Reader, Row, Writer
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account

MAX_PER_ACCOUNT = 100
USED_UPDATE_INTERVAL_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The row of a token, without the token itself."""

    id: int
    account_id: int
    scopes: frozenset[str]
    created_at: int
    app: ClientApp
    used_at: int | None = None

    def allows(self, scope: str) -> bool:
        return allows(self.scopes, scope)


def create(tx: Writer, account: Account, scopes: Iterable[str], app_name: str, website: str = "") -> str:
    """Creates a bearer token and returns it; only its hash is stored. An app of a new name is created with it."""
    return issue(tx, account, scopes, apps.by_name(tx, app_name, website))[0]


def issue(tx: Writer, account: Account, scopes: Iterable[str], app_id: int) -> tuple[str, int]:
    """Creates a bearer token for an app; returns it and the id of its row.

    Beyond `MAX_PER_ACCOUNT` those used longest ago are revoked.
    """
    id_ = new_id()
    tx.run(
        """DELETE FROM tokens WHERE hash IN (SELECT hash FROM tokens WHERE account_id = :account
               ORDER BY COALESCE(used_at, created_at) DESC, id DESC LIMIT 1000 OFFSET :kept)""",
        account=account.id,
        kept=MAX_PER_ACCOUNT - 1,
    )
    token = issued_tokens.issue(tx.site, TokenKind.ACCESS, account)
    tx.run(
        """INSERT INTO tokens (hash, id, account_id, app_id, scopes, created_at)
           VALUES (:hash, :id, :account, :app, :scopes, :now)""",
        hash=issued_tokens.hash_of(token),
        id=id_,
        account=account.id,
        app=app_id,
        scopes=" ".join(sorted(scopes)),
        now=now_ms(),
    )
    return token, id_


_SELECT = """SELECT t.id AS token_id, t.account_id, t.scopes AS token_scopes, t.created_at AS token_created_at,
        t.used_at, a.* FROM tokens t JOIN apps a ON a.id = t.app_id"""


def by_token(tx: Reader, token: str) -> AccessToken | None:
    """Returns the access token, if it exists. The caller must check that its account is still active."""
    if not _is_issued(tx, token):
        return None
    row = tx.one(f"{_SELECT} WHERE t.hash = :hash", hash=issued_tokens.hash_of(token))
    return _build(row) if row else None


def _is_issued(tx: Reader, token: str) -> bool:
    return issued_tokens.account_id(tx.site, TokenKind.ACCESS, token) is not None


def by_account(tx: Reader, account: Account) -> list[AccessToken]:
    """Returns the tokens of an account, newest first: `MAX_PER_ACCOUNT` at most."""
    rows = tx.all(
        f"{_SELECT} WHERE t.account_id = :account ORDER BY t.id DESC LIMIT :limit",
        account=account.id,
        limit=MAX_PER_ACCOUNT,
    )
    return [_build(row) for row in rows]


def _build(row: Row) -> AccessToken:
    return AccessToken(
        row["token_id"],
        row["account_id"],
        frozenset(row["token_scopes"].split()),
        row["token_created_at"],
        build_app(row),
        row["used_at"],
    )


def mark_used(tx: Writer, token: AccessToken) -> None:
    """Records that a token is in use. Needed only when `used_at` is older than `USED_UPDATE_INTERVAL_MS`."""
    tx.run("UPDATE tokens SET used_at = :now WHERE id = :id", id=token.id, now=now_ms())


def version(tx: Reader, token: str) -> str | None:
    """Returns a text that changes with anything about the token, its user or their account;
    None for an unknown token.

    For an endpoint that caches these three: this one short query says whether the cached ones are still current.
    """
    if not _is_issued(tx, token):
        return None
    found: str | None = tx.value(
        """SELECT t.id || '.' || COALESCE(t.used_at, 0) || '.' || a.updated_at || '.' || a.posts_count || '.' || a.followers_count
                  || '.' || a.following_count || '.' || COALESCE(a.last_posted_at, 0)
                  || '.' || COALESCE(u.seen_at, 0) || '.' || u.notifications_read_id
                  || '.' || u.state || '.' || u.role || '.' || u.default_visibility || '.' || u.default_licence
                  || '.' || u.language
           FROM tokens t JOIN accounts a ON a.id = t.account_id JOIN users u ON u.account_id = t.account_id
           WHERE t.hash = :hash""",
        hash=issued_tokens.hash_of(token),
    )
    return found


def revoke(tx: Writer, account: Account, token_id: int) -> bool:
    """Deletes a token of this account. Returns whether there was one."""
    return (
        tx.run("DELETE FROM tokens WHERE id = :id AND account_id = :account", id=token_id, account=account.id)
        > 0
    )


def revoke_all(tx: Writer, account: Account) -> int:
    """Deletes all tokens of an account; returns how many."""
    return tx.run("DELETE FROM tokens WHERE account_id = :id", id=account.id)


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes all access tokens of an account."""
    revoke_all(tx, account)


def revoke_by_id(tx: Writer, token_id: int) -> None:
    """Deletes a token."""
    tx.run("DELETE FROM tokens WHERE id = :id", id=token_id)


def revoke_issued(tx: Writer, app_id: int, token: str) -> bool:
    """Deletes a token of an app that gives it back (RFC 7009). Returns whether it had one."""
    sql = "DELETE FROM tokens WHERE hash = :hash AND app_id = :app"
    return tx.run(sql, hash=issued_tokens.hash_of(token), app=app_id) > 0
