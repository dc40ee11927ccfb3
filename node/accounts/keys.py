"""Public keys of all accounts, private keys of local ones. Owns `keys`.

A key id belongs to the account it was first seen with and is never bound to another, so an actor that
lists somebody else's key gains nothing. It must have the origin of its actor. Private keys are encrypted
with the node's secret before they reach the table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from node.accounts import base58
from node.database import Reader, Writer, build, columns
from node.errors import NotFound
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.models.remote_actor import ActorKey
from node.sealing import seal, unseal

RSA_BITS = 2048
MAX_KEYS = 10
SEALED_AS = "keys"
REPLACED_KEY_RETENTION_MS = 7 * 24 * 3600 * 1000
_ED25519_PUBLIC = b"\xed\x01"  # multicodec prefix


@dataclass(frozen=True, slots=True)
class AccountKey:
    """A stored key. `public` is PEM for 'rsa', multibase for 'ed25519'."""

    id: str
    account_id: int
    algorithm: str
    public: str
    fetched_at: int


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The keys of a local account: RSA for HTTP signatures, Ed25519 for integrity proofs (FEP-8b32)."""

    private_pem: str
    public_pem: str
    ed25519_private: bytes
    ed25519_public: str


def generate() -> KeyPair:
    """Generates both keys. Takes tens of milliseconds, so call it in a thread and before the unit of work."""
    return KeyPair(*generate_rsa(), *generate_ed25519())


def generate_rsa() -> tuple[str, str]:
    """Generates an RSA pair as (private PEM, public PEM). Takes tens of milliseconds."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def generate_ed25519() -> tuple[bytes, str]:
    """Generates an Ed25519 pair as (private bytes, public multibase as FEP-521a wants it)."""
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes_raw(), encode_multibase(_ED25519_PUBLIC + key.public_key().public_bytes_raw())


def encode_multibase(data: bytes) -> str:
    """Encodes as base58btc with its prefix `z`, as Multikey wants it."""
    return "z" + base58.encode(data)


def create(tx: Writer, account: Account, pair: KeyPair) -> None:
    """Stores the keys of a new local account, the private ones encrypted."""
    now = now_ms()
    for key_id, algorithm, public, private in _rows(account, pair):
        tx.run(
            """INSERT INTO keys (id, account_id, algorithm, public, private, fetched_at)
               VALUES (:id, :account, :algorithm, :public, :private, :now)""",
            id=key_id,
            account=account.id,
            algorithm=algorithm,
            public=public,
            private=seal(tx.site, SEALED_AS, key_id, private),
            now=now,
        )


def _rows(account: Account, pair: KeyPair) -> tuple[tuple[str, str, str, bytes], ...]:
    return (
        (f"{account.uri}#main-key", "rsa", pair.public_pem, pair.private_pem.encode()),
        (f"{account.uri}#ed25519-key", "ed25519", pair.ed25519_public, pair.ed25519_private),
    )


def rotate(tx: Writer, account: Account, pair: KeyPair) -> None:
    """Replaces the keys of a local account under the same ids; the old ones stay for `REPLACED_KEY_RETENTION_MS`."""
    for key_id, algorithm, public, private in _rows(account, pair):
        tx.run(
            """UPDATE keys SET public = :public, replaced = private, private = :private,
                      fetched_at = CASE WHEN fetched_at < :now THEN :now ELSE fetched_at + 1 END
               WHERE id = :id AND account_id = :account AND algorithm = :algorithm AND private IS NOT NULL""",
            id=key_id,
            account=account.id,
            algorithm=algorithm,
            public=public,
            private=seal(tx.site, SEALED_AS, key_id, private),
            now=now_ms(),
        )


def versions_by_account(tx: Reader, account_ids: Iterable[int]) -> dict[int, int]:
    """Returns a number that changes with the keys, for those of these accounts that have private keys."""
    rows = tx.all(
        """SELECT account_id, MAX(fetched_at) AS version FROM keys
           WHERE account_id IN (:ids) AND private IS NOT NULL GROUP BY account_id""",
        ids=list(account_ids),
    )
    return {row["account_id"]: row["version"] for row in rows}


def previous_private_pem(tx: Reader, account: Account) -> tuple[str, str] | None:
    """Returns the key id and the previous private RSA key of a local account, while it is kept.

    Remote servers that cached the old public key verify only what it signs.
    """
    row = tx.one(
        """SELECT id, replaced FROM keys
           WHERE account_id = :id AND algorithm = 'rsa' AND replaced IS NOT NULL AND fetched_at > :since""",
        id=account.id,
        since=now_ms() - REPLACED_KEY_RETENTION_MS,
    )
    return (
        None if row is None else (row["id"], unseal(tx.site, SEALED_AS, row["id"], row["replaced"]).decode())
    )


def clean_up(tx: Writer, now: int) -> int:
    """Deletes replaced keys whose retention is over."""
    return tx.run(
        "UPDATE keys SET replaced = NULL WHERE replaced IS NOT NULL AND fetched_at < :before",
        before=now - REPLACED_KEY_RETENTION_MS,
    )


def save_public(tx: Writer, account: Account, listed: Iterable[ActorKey], now: int) -> None:
    """Stores the keys that an actor document lists and deletes those it no longer does.

    At most `MAX_KEYS`; skipped are keys of another origin or another account, and ids of local keys.
    """
    origin = _origin(account.uri)
    stored_ids = []
    for key in list(listed)[:MAX_KEYS]:
        if _origin(key.id) != origin:
            continue
        stored = tx.value(
            """INSERT INTO keys (id, account_id, algorithm, public, fetched_at)
               VALUES (:id, :account, :algorithm, :public, :now)
               ON CONFLICT (id) DO UPDATE
               SET algorithm = excluded.algorithm, public = excluded.public, fetched_at = excluded.fetched_at
               WHERE keys.account_id = excluded.account_id AND keys.private IS NULL
               RETURNING id""",
            id=key.id,
            account=account.id,
            algorithm=key.algorithm,
            public=key.public,
            now=now,
        )
        if stored is not None:
            stored_ids.append(key.id)
    tx.run(
        """DELETE FROM keys
           WHERE account_id = :account AND private IS NULL AND id NOT IN (:ids)""",
        account=account.id,
        ids=stored_ids or [""],
    )


def by_id(tx: Reader, key_id: str) -> AccountKey | None:
    row = tx.one(f"SELECT {columns(AccountKey)} FROM keys WHERE id = :id", id=key_id)  # noqa: S608
    return build(AccountKey, row) if row else None


def by_account(tx: Reader, account: Account) -> list[AccountKey]:
    """Returns all keys of an account, RSA first."""
    rows = tx.all(
        f"SELECT {columns(AccountKey)} FROM keys WHERE account_id = :id ORDER BY algorithm DESC, id",  # noqa: S608
        id=account.id,
    )
    return [build(AccountKey, row) for row in rows]


def private_pem(tx: Reader, account: Account) -> tuple[str, str]:
    """Returns the key id and the private RSA key (PEM) of a local account, which sign requests.

    Raises NotFound for others.
    """
    row = tx.one(
        """SELECT id, private FROM keys
           WHERE account_id = :id AND algorithm = 'rsa' AND private IS NOT NULL""",
        id=account.id,
    )
    if row is None:
        raise NotFound(detail=f"no private rsa key of {account.full_handle} here")
    return row["id"], unseal(tx.site, SEALED_AS, row["id"], row["private"]).decode()


def check_secret(tx: Reader) -> None:
    """Raises NotFound if the node's secret is another one than private keys were encrypted with.

    It tries the keys of one local account: all are encrypted with the same secret.
    """
    row = tx.one(
        """SELECT k.id, k.private FROM accounts a JOIN keys k ON k.account_id = a.id
           WHERE a.is_local AND k.private IS NOT NULL LIMIT 1"""
    )
    if row is not None:
        unseal(tx.site, SEALED_AS, row["id"], row["private"])


def delete_all(tx: Writer, account: Account) -> None:
    """Deletes all keys of an account."""
    tx.run("DELETE FROM keys WHERE account_id = :id", id=account.id)


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the keys of a remote account. A local one keeps them: its Delete has yet to be signed."""
    if not account.is_local:
        delete_all(tx, account)


def _origin(uri: str) -> tuple[str, str]:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "", uri
    return parts.scheme.lower(), parts.netloc.lower()
