"""Authorization codes: what an app exchanges for an access token (RFC 6749, 4.1). Owns `authorization_codes`.

A code works once, for ten minutes, for its app, redirect URI and PKCE verifier. Only its hash is kept, and the row for a
day: when a code is used again, the token that it gave is revoked (RFC 6749, 10.5). What signs apps out ends codes too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.auth import access_tokens
from node.auth.issued_tokens import hash_of
from node.auth.oauth import apps
from node.auth.oauth.apps import ClientApp
from node.database import Reader, Writer, build, columns
from node.ids import has_passed, now_ms
from node.models import deletion_hooks
from node.models.account import Account

LIFETIME_MS = 10 * 60 * 1000
RETENTION_MS = 24 * 3_600_000
MAX_PER_ACCOUNT = 100


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """The row of a code. `challenge` is that of PKCE (S256), '' without; `token_id` what it was exchanged for."""

    hash: str
    app_id: int
    account_id: int
    redirect_uri: str
    scopes: str
    challenge: str
    created_at: int
    token_id: int | None

    @property
    def is_usable(self) -> bool:
        return self.token_id is None and not has_passed(LIFETIME_MS, self.created_at)


def create(
    tx: Writer,
    code: str,
    app: ClientApp,
    account: Account,
    *,
    redirect_uri: str,
    scopes: Iterable[str],
    challenge: str,
) -> None:
    """Stores a new code. Of an account's codes the newest `MAX_PER_ACCOUNT` are kept."""
    tx.run(
        """DELETE FROM authorization_codes WHERE hash IN (SELECT hash FROM authorization_codes
               WHERE account_id = :account ORDER BY created_at DESC LIMIT 1000 OFFSET :kept)""",
        account=account.id,
        kept=MAX_PER_ACCOUNT - 1,
    )
    apps.mark_used(tx, app)
    tx.run(
        """INSERT INTO authorization_codes (hash, app_id, account_id, redirect_uri, scopes, challenge, created_at)
           VALUES (:hash, :app, :account, :redirect_uri, :scopes, :challenge, :now)""",
        hash=hash_of(code),
        app=app.id,
        account=account.id,
        redirect_uri=redirect_uri,
        scopes=" ".join(sorted(scopes)),
        challenge=challenge,
        now=now_ms(),
    )


def find(tx: Reader, code: str, app: ClientApp) -> AuthorizationCode | None:
    """Returns a code of this app, used and ended ones included."""
    row = tx.one(
        f"SELECT {columns(AuthorizationCode)} FROM authorization_codes WHERE hash = :hash AND app_id = :app",  # noqa: S608
        hash=hash_of(code),
        app=app.id,
    )
    return build(AuthorizationCode, row) if row else None


def mark_used(tx: Writer, code: AuthorizationCode, token_id: int) -> bool:
    """Stores what a code was exchanged for. Returns whether it had not been used before, in a race of two requests."""
    sql = "UPDATE authorization_codes SET token_id = :token WHERE hash = :hash AND token_id IS NULL"
    return tx.run(sql, token=token_id, hash=code.hash) > 0


def revoke_token_of(tx: Writer, code: AuthorizationCode) -> None:
    """Revokes what a code was exchanged for, since somebody uses it again."""
    token_id = tx.value("SELECT token_id FROM authorization_codes WHERE hash = :hash", hash=code.hash)
    if token_id is not None:
        access_tokens.revoke_by_id(tx, token_id)


def sign_out_apps(tx: Writer, account: Account) -> int:
    """Revokes all tokens of an account, and its codes that apps have yet to exchange; returns how many tokens."""
    delete_by_account(tx, account)
    return access_tokens.revoke_all(tx, account)


def sign_out_app(tx: Writer, account: Account, token_id: int) -> bool:
    """Revokes a token of an account, and all its codes: one might be of the same app. Returns whether there was a token."""
    delete_by_account(tx, account)
    return access_tokens.revoke(tx, account, token_id)


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the codes of an account."""
    tx.run("DELETE FROM authorization_codes WHERE account_id = :id", id=account.id)


def clean_up(tx: Writer, now: int) -> int:
    """Deletes codes of more than a day ago, some at a time; returns how many."""
    return tx.run(
        """DELETE FROM authorization_codes WHERE hash IN (SELECT hash FROM authorization_codes
               WHERE created_at < :before ORDER BY created_at LIMIT 500)""",
        before=now - RETENTION_MS,
    )
