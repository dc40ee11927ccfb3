"""Bearer tokens of client apps, and their scopes. Owns `apps`, `tokens`.

Only the hash of a token (`issued_tokens`) is kept. A scope without a colon includes all of its kind: `read` includes
`read:statuses`; `follow` is the older name for the follows, blocks and mutes of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.auth import issued_tokens
from node.auth.issued_tokens import TokenKind
from node.database import Reader, Row, Writer
from node.errors import Invalid
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account

UNUSED_APP_RETENTION_MS = 24 * 3_600_000

_READ = "accounts blocks bookmarks favourites filters follows lists mutes notifications search statuses"
_WRITE = "accounts blocks bookmarks conversations favourites filters follows lists media mutes notifications reports statuses"
_FOLLOW = frozenset(f"{verb}:{noun}" for verb in ("read", "write") for noun in ("blocks", "follows", "mutes"))
SCOPES = frozenset(
    ["read", "write", "follow", "push", "profile"]
    + [f"read:{noun}" for noun in _READ.split()]
    + [f"write:{noun}" for noun in _WRITE.split()]
)

MAX_LISTED = 100
USED_UPDATE_INTERVAL_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class ClientApp:
    id: int
    name: str
    website: str
    created_at: int


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


def allows(scopes: Iterable[str], needed: str) -> bool:
    """Returns whether the granted scopes cover `needed`, such as 'read:statuses'."""
    granted = frozenset(scopes)
    if needed in granted or needed.partition(":")[0] in granted:
        return True
    return "follow" in granted and needed in _FOLLOW


def parse_scopes(text: str) -> frozenset[str]:
    """Parses scopes separated by spaces. Raises Invalid for one that does not exist, and for none."""
    scopes = frozenset(text.replace("+", " ").split())
    unknown = sorted(scopes - SCOPES)
    if unknown or not scopes:
        rejected = ", ".join(unknown) if unknown else "none"
        raise Invalid(
            f"Scopes are read, write, follow and their parts; {rejected} is not one.", field="scopes"
        )
    return scopes


def create(tx: Writer, account: Account, scopes: Iterable[str], app_name: str, website: str = "") -> str:
    """Creates a bearer token and returns it; only its hash is stored. An app of a new name is created with it."""
    row = tx.one(
        "SELECT id FROM apps WHERE name = :name AND website = :website ORDER BY id LIMIT 1",
        name=app_name,
        website=website,
    )
    app_id = row["id"] if row else new_id()
    now = now_ms()
    if row is None:
        tx.run(
            "INSERT INTO apps (id, name, website, created_at) VALUES (:id, :name, :website, :now)",
            id=app_id,
            name=app_name,
            website=website,
            now=now,
        )
    token = issued_tokens.issue(tx.site, TokenKind.ACCESS, account)
    tx.run(
        """INSERT INTO tokens (hash, id, account_id, app_id, scopes, created_at)
           VALUES (:hash, :id, :account, :app, :scopes, :now)""",
        hash=issued_tokens.hash_of(token),
        id=new_id(),
        account=account.id,
        app=app_id,
        scopes=" ".join(sorted(scopes)),
        now=now,
    )
    return token


_SELECT = """SELECT t.id, t.account_id, t.scopes, t.created_at, t.used_at,
        a.id AS app_id, a.name, a.website, a.created_at AS app_created_at
    FROM tokens t JOIN apps a ON a.id = t.app_id"""


def by_token(tx: Reader, token: str) -> AccessToken | None:
    """Returns the access token, if it exists. The caller must check that its account is still active."""
    if not _is_issued(tx, token):
        return None
    row = tx.one(f"{_SELECT} WHERE t.hash = :hash", hash=issued_tokens.hash_of(token))
    return _build(row) if row else None


def _is_issued(tx: Reader, token: str) -> bool:
    return issued_tokens.account_id(tx.site, TokenKind.ACCESS, token) is not None


def by_account(tx: Reader, account: Account) -> list[AccessToken]:
    """Returns the newest `MAX_LISTED` tokens of an account, newest first."""
    rows = tx.all(
        f"{_SELECT} WHERE t.account_id = :account ORDER BY t.id DESC LIMIT :limit",
        account=account.id,
        limit=MAX_LISTED,
    )
    return [_build(row) for row in rows]


def _build(row: Row) -> AccessToken:
    app = ClientApp(row["app_id"], row["name"], row["website"], row["app_created_at"])
    scopes = frozenset(row["scopes"].split())
    return AccessToken(row["id"], row["account_id"], scopes, row["created_at"], app, row["used_at"])


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


def clean_up(tx: Writer, now: int, after: int | None) -> int | None:
    """Deletes those of the next apps that have had no token for a day; returns where to go on, None at the end."""
    rows = tx.all(
        """SELECT a.id, a.created_at < :before
               AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.app_id = a.id) AS is_unused
           FROM apps a WHERE a.id > :after ORDER BY a.id LIMIT 500""",
        before=now - UNUSED_APP_RETENTION_MS,
        after=after or 0,
    )
    tx.run("DELETE FROM apps WHERE id IN (:ids)", ids=[row["id"] for row in rows if row["is_unused"]])
    return rows[-1]["id"] if rows else None
