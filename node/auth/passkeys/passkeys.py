"""Passkeys of accounts, and the random handle by which they know an account. Owns `passkeys` and `passkey_handles`.

A handle says nothing of the account: not its id, not its name. Rules about the last one are in `ways_in`.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from node.database import Reader, Writer, build, columns
from node.errors import Conflict, NotAllowed, NotFound
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.text import display_names

MAX_PER_ACCOUNT = 20
MAX_NAME_LENGTH = 60
HANDLE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Passkey:
    """`credential` is the id that the device gave it; `is_synced`: its copies are on several devices."""

    id: int
    account_id: int
    credential: str
    public_key: str
    sign_count: int
    transports: str
    is_synced: bool
    name: str
    created_at: int
    used_at: int | None

    @property
    def public_key_bytes(self) -> bytes:
        return base64.b64decode(self.public_key)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that a device has just made, verified."""

    credential: str
    public_key: bytes
    sign_count: int
    model: str
    transports: str
    is_synced: bool


def handle(tx: Writer, account: Account) -> str:
    """Returns the handle of an account, base64url; it is made at the first call."""
    tx.run(
        """INSERT INTO passkey_handles (account_id, handle) VALUES (:account, :handle)
           ON CONFLICT (account_id) DO NOTHING""",
        account=account.id,
        handle=secrets.token_urlsafe(HANDLE_BYTES),
    )
    return known_handle(tx, account)


def known_handle(tx: Reader, account: Account) -> str:
    """Returns the handle of an account, '' if it has none."""
    found = tx.value("SELECT handle FROM passkey_handles WHERE account_id = :id", id=account.id)
    return found or ""


def add(tx: Writer, account: Account, new: NewPasskey, name: str) -> None:
    """Stores a passkey. Raises Conflict for one that is stored already, NotAllowed for too many."""
    if count(tx, account.id) >= MAX_PER_ACCOUNT:
        raise NotAllowed(f"You can have {MAX_PER_ACCOUNT} passkeys at most. Please remove one first.")
    if not tx.run(
        """INSERT INTO passkeys (id, account_id, credential, public_key, sign_count, model, transports,
               is_synced, name, created_at)
           VALUES (:id, :account, :credential, :public_key, :sign_count, :model, :transports, :is_synced,
               :name, :now) ON CONFLICT DO NOTHING""",
        id=new_id(),
        account=account.id,
        credential=new.credential,
        public_key=base64.b64encode(new.public_key).decode(),
        sign_count=new.sign_count,
        model=new.model,
        transports=new.transports,
        is_synced=new.is_synced,
        name=_clean_name(name),
        now=now_ms(),
    ):
        raise Conflict("This passkey is here already.")


def _clean_name(name: str) -> str:
    return display_names.clean_line(name, MAX_NAME_LENGTH) or "Passkey"


def count(tx: Reader, account_id: int) -> int:
    return int(tx.value("SELECT COUNT(*) FROM passkeys WHERE account_id = :id", id=account_id))


def by_account(tx: Reader, account_id: int) -> list[Passkey]:
    """Returns the passkeys of an account, oldest first."""
    sql = f"SELECT {columns(Passkey)} FROM passkeys WHERE account_id = :id ORDER BY id"  # noqa: S608
    return [build(Passkey, row) for row in tx.all(sql, id=account_id)]


def by_credential(tx: Reader, credential: str) -> Passkey | None:
    sql = f"SELECT {columns(Passkey)} FROM passkeys WHERE credential = :credential"  # noqa: S608
    row = tx.one(sql, credential=credential)
    return build(Passkey, row) if row else None


def record_use(tx: Writer, passkey: Passkey, sign_count: int) -> bool:
    """Stores that a passkey was used; returns whether it is still there."""
    sql = "UPDATE passkeys SET used_at = :now, sign_count = :sign_count WHERE id = :id"
    return tx.run(sql, now=now_ms(), sign_count=sign_count, id=passkey.id) > 0


def rename(tx: Writer, account: Account, id_: int, name: str) -> None:
    """Changes what a passkey is called. Raises NotFound."""
    sql = "UPDATE passkeys SET name = :name WHERE id = :id AND account_id = :account"
    if not tx.run(sql, name=_clean_name(name), id=id_, account=account.id):
        raise NotFound()


def remove(tx: Writer, account: Account, id_: int) -> None:
    """Deletes a passkey. Raises NotFound."""
    if not tx.run(
        "DELETE FROM passkeys WHERE id = :id AND account_id = :account", id=id_, account=account.id
    ):
        raise NotFound()


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the passkeys of an account."""
    tx.run("DELETE FROM passkeys WHERE account_id = :id", id=account.id)
    tx.run("DELETE FROM passkey_handles WHERE account_id = :id", id=account.id)
