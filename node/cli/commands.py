"""What the command line asks of a node's database, by name. Owns no table.

A command's unit takes and gives only what JSON can hold, because with SQLite it may run in another process
than the one the admin started: in the one that serves (`control`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from node import settings
from node.accounts import accounts, keys
from node.accounts.keys import KeyPair
from node.auth import access_tokens, sessions, users
from node.database import Database, Reader, Writer, migrate
from node.errors import Invalid, NotFound
from node.federation import outbox
from node.ids import now_ms
from node.lifecycle import registration
from node.paging import MOST, Page


@dataclass(frozen=True, slots=True)
class Command:
    """`unit(tx, …)` does it; one that writes gets a Writer."""

    unit: Callable[..., Any]
    writes: bool


async def perform(db: Database, name: str, values: Mapping[str, Any]) -> Any:
    """Do a command here. Raises Refused."""
    command = COMMANDS.get(name)
    if command is None:
        raise Invalid("The running server does not know this command. Is it an older version?")
    if command.writes:
        return await db.write(command.unit, **values)
    return await db.read(command.unit, **values)


def create_account(
    tx: Writer, *, name: str, email: str, password_hash: str, pair: dict[str, str], role: str
) -> str:
    """A new person who can sign in; their whole handle."""
    user = registration.create_person(
        tx,
        name=name,
        email=email,
        password_hash=password_hash,
        pair=_unpacked(pair),
        role=role,
    )
    return accounts.get(tx, user.account_id).full_handle


def packed(pair: KeyPair) -> dict[str, str]:
    """Keys as a command's value."""
    return {**dataclasses.asdict(pair), "ed25519_private": pair.ed25519_private.hex()}


def _unpacked(pair: dict[str, str]) -> KeyPair:
    return KeyPair(
        private_pem=pair["private_pem"],
        public_pem=pair["public_pem"],
        ed25519_private=bytes.fromhex(pair["ed25519_private"]),
        ed25519_public=pair["ed25519_public"],
    )


def find_account(tx: Reader, *, name: str) -> str:
    """The name of somebody who can sign in, by name or e-mail address. Raises NotFound."""
    return _login(tx, name).account.name


def _login(tx: Reader, name: str) -> users.Login:
    found = users.by_login(tx, name)
    if found is None:
        raise NotFound(f"Nobody here is called {name}. `tintype account list` shows who is.")
    return found


def set_password(tx: Writer, *, name: str, password_hash: str) -> None:
    """Let somebody sign in with another password, and with nothing they had before."""
    account = _login(tx, name).account
    users.set_password(tx, account.id, password_hash)
    sessions.end_all(tx, account)


def rotate_keys(tx: Writer, *, name: str, pair: dict[str, str]) -> str:
    """Give somebody new keys and tell other servers; their whole handle.

    What they said before is signed with the new key when it is tried again.
    """
    account = _login(tx, name).account
    keys.replace(tx, account, _unpacked(pair))
    outbox.record(tx, account, "Update", account.uri)
    return account.full_handle


def list_accounts(tx: Reader, *, max_id: int) -> list[dict[str, Any]]:
    """Some of our people, newest first, below an id (0: from the newest on)."""
    return [
        {
            "id": person.account.id,
            "name": person.account.name,
            "role": person.user.role,
            "state": (
                "suspended"
                if person.account.suspended_at and person.user.state == "active"
                else person.user.state
            ),
            "created_at": person.user.created_at,
            "posts": person.account.posts_count,
            "email": person.user.email,
        }
        for person in users.list_people(tx, Page(max_id=max_id, limit=MOST))
    ]


def create_token(tx: Writer, *, name: str, scopes: list[str], app: str) -> str:
    """A bearer token, told this once."""
    return access_tokens.create(tx, _login(tx, name).account, set(scopes), app)


def migration(tx: Reader) -> int:
    """The number of the newest migration that has run."""
    return migrate.latest(tx)


def check(tx: Writer) -> int:
    """Write something and read something: the number of the newest migration."""
    settings.put(tx, "checked_at", str(now_ms()))
    return migrate.latest(tx)


COMMANDS: dict[str, Command] = {
    "account create": Command(create_account, writes=True),
    "account find": Command(find_account, writes=False),
    "account password": Command(set_password, writes=True),
    "account rotate-keys": Command(rotate_keys, writes=True),
    "account list": Command(list_accounts, writes=False),
    "token create": Command(create_token, writes=True),
    "migration": Command(migration, writes=False),
    "check": Command(check, writes=True),
}
