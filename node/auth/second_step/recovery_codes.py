"""Recovery codes: ten that count once each, for somebody whose phone or key is lost. Owns `recovery_codes`.

Only a hash of each is kept, keyed with the node's secret. They are random, so nothing slower is needed: without that
secret a copy of the table tells nothing, and guesses at the node are limited.
"""

from __future__ import annotations

import hmac
import secrets

from node.database import Reader, Site, Writer
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account

NUMBER = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 10


def replace(tx: Writer, account: Account) -> list[str]:
    """Makes new recovery codes and returns them, which is the only time they can be seen; earlier ones end."""
    delete_by_account(tx, account)
    codes = [_new() for _ in range(NUMBER)]
    for code in codes:
        tx.run(
            "INSERT INTO recovery_codes (hash, account_id, created_at) VALUES (:hash, :account, :now)",
            hash=_hash(tx.site, account.id, code),
            account=account.id,
            now=now_ms(),
        )
    return codes


def count(tx: Reader, account_id: int) -> int:
    """Returns how many codes are left."""
    return int(tx.value("SELECT COUNT(*) FROM recovery_codes WHERE account_id = :id", id=account_id))


def use(tx: Writer, account_id: int, typed: str) -> bool:
    """Returns whether this is a code of the account, which ends with that."""
    sql = "DELETE FROM recovery_codes WHERE hash = :hash AND account_id = :id"
    return tx.run(sql, hash=_hash(tx.site, account_id, typed), id=account_id) > 0


def looks_like_one(typed: str) -> bool:
    """Returns whether a typed text is as long as a recovery code; those of apps are shorter."""
    return len(_normalize(typed)) == LENGTH


def _new() -> str:
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def _normalize(typed: str) -> str:
    return "".join(filter(str.isalnum, typed.lower()))


def _hash(site: Site, account_id: int, code: str) -> str:
    text = f"{account_id} {_normalize(code)}".encode()
    return hmac.digest(site.subkey("recovery codes"), text, "sha256").hex()


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the recovery codes of an account."""
    tx.run("DELETE FROM recovery_codes WHERE account_id = :id", id=account.id)
