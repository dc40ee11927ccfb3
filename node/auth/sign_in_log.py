"""The log of an account's sign-ins, for its owner: 90 days of them. Owns `sign_ins`.

It holds the network that somebody signed in from only as far as its owner needs to recognise it.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, Writer, build, columns
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.text import display_names

RETENTION_MS = 90 * 24 * 3600 * 1000
MAX_LISTED = 50
SAME_FAILURE_MS = 3600 * 1000


class SignInKind(enum.StrEnum):
    """How somebody signed in, or what failed."""

    PASSWORD = "password"  # noqa: S105
    CODE = "code"
    RECOVERY_CODE = "recovery_code"
    PASSKEY = "passkey"
    NEW_ACCOUNT = "new_account"
    WRONG_CODE = "wrong_code"
    MANY_GUESSES = "many_guesses"


FAILURES = frozenset({SignInKind.WRONG_CODE, SignInKind.MANY_GUESSES})


@dataclass(frozen=True, slots=True)
class SignIn:
    """An entry. `network` is the first half or so of an IP address, '' where it is not known."""

    id: int
    kind: str
    user_agent: str
    network: str
    created_at: int

    @property
    def has_failed(self) -> bool:
        return self.kind in FAILURES


def record(tx: Writer, account: Account, kind: SignInKind, *, user_agent: str, address: str) -> None:
    """Adds an entry."""
    tx.run(
        """INSERT INTO sign_ins (id, account_id, kind, user_agent, network, created_at)
           VALUES (:id, :account, :kind, :user_agent, :network, :now)""",
        id=new_id(),
        account=account.id,
        kind=kind.value,
        user_agent=display_names.clean_line(user_agent, 200),
        network=shorten(address),
        now=now_ms(),
    )


def record_guesses(tx: Writer, people: Iterable[Account], *, user_agent: str, address: str) -> None:
    """Adds an entry about guesses at a password to each account, unless there is one of the last hour."""
    for account in people:
        sql = "SELECT 1 FROM sign_ins WHERE account_id = :id AND kind = :kind AND created_at > :since LIMIT 1"
        kind, since = SignInKind.MANY_GUESSES, now_ms() - SAME_FAILURE_MS
        if tx.value(sql, id=account.id, kind=kind.value, since=since) is None:
            record(tx, account, kind, user_agent=user_agent, address=address)


def by_account(tx: Reader, account: Account) -> list[SignIn]:
    """Returns the newest `MAX_LISTED` entries, newest first."""
    rows = tx.all(
        f"SELECT {columns(SignIn)} FROM sign_ins WHERE account_id = :id ORDER BY id DESC LIMIT :most",  # noqa: S608
        id=account.id,
        most=MAX_LISTED,
    )
    return [build(SignIn, row) for row in rows]


def shorten(address: str) -> str:
    """Returns the part of an IP address that names its network: 192.0.2.x, 2001:db8:1::/48. '' for what is none."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip.version == 4:
        return f"{str(ip).rpartition('.')[0]}.x"
    return str(ipaddress.ip_network((ip, 48), strict=False))


def clean_up(tx: Writer, now: int) -> int:
    """Deletes a batch of entries that are older than `RETENTION_MS`; returns how many."""
    return tx.run(
        """DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE created_at < :before LIMIT 500)""",
        before=now - RETENTION_MS,
    )


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the log of an account."""
    tx.run("DELETE FROM sign_ins WHERE account_id = :id", id=account.id)
