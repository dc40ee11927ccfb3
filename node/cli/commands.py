"""The database work of command-line commands, by name. Owns no table.

`node.__main__` runs them through `control_socket.run_command`. The parameters and results of a command are only what
JSON can hold, because with SQLite it may run in another process than the one the admin started: the serving one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from node import settings
from node.accounts import accounts, keys
from node.accounts.keys import KeyPair
from node.admin import account_actions
from node.auth import access_tokens, sessions, sign_in_limits, users
from node.auth.oauth import authorization_codes
from node.auth.second_step import ways_in
from node.database import Database, Reader, Writer, migrate
from node.errors import Conflict, Invalid, NotAllowed, NotFound
from node.federation import outbox
from node.ids import now_ms
from node.lifecycle import password_reset, registration
from node.models.account import Account
from node.paging import MAX_LIMIT, Page
from node.text import storable


@dataclass(frozen=True, slots=True)
class Command:
    """`unit(tx, …)` does the work; it gets a Writer if `writes`, else a Reader."""

    unit: Callable[..., Any]
    writes: bool


async def perform(db: Database, name: str, values: Mapping[str, Any]) -> Any:
    """Runs a command in this process. Raises Refused, and Invalid for an unknown name."""
    command = COMMANDS.get(name)
    if command is None:
        raise Invalid("The running server does not know this command. Is it an older version?")
    storable.check(dict(values))
    if command.writes:
        return await db.write(command.unit, **values)
    return await db.read(command.unit, **values)


def create_account(
    tx: Writer, *, name: str, email: str, password_hash: str, pair: dict[str, str], role: str
) -> str:
    """Creates a user; returns the full handle. Raises Invalid and Conflict."""
    user = registration.create_user(
        tx,
        name=name,
        email=email,
        password_hash=password_hash,
        pair=_unpack_keys(pair),
        role=role,
    )
    return accounts.get(tx, user.account_id).full_handle


def pack_keys(pair: KeyPair) -> dict[str, str]:
    """Converts keys to a value that JSON can hold."""
    return {**dataclasses.asdict(pair), "ed25519_private": pair.ed25519_private.hex()}


def _unpack_keys(pair: dict[str, str]) -> KeyPair:
    return KeyPair(
        private_pem=pair["private_pem"],
        public_pem=pair["public_pem"],
        ed25519_private=bytes.fromhex(pair["ed25519_private"]),
        ed25519_public=pair["ed25519_public"],
    )


def find_account(tx: Reader, *, name: str) -> str:
    """Returns the name of a user, by name or e-mail address. Raises NotFound."""
    return _user_by_login(tx, name).account.name


def _user_by_login(tx: Reader, name: str) -> users.Credentials:
    found = users.all_by_login(tx, name)
    if not found:
        raise NotFound(f"Nobody here is called {name}. `tintype account list` shows who is.")
    if len(found) > 1:
        raise Conflict(f"Several accounts have the address {name}. Please use the username.")
    return found[0]


def set_password(tx: Writer, *, name: str, password_hash: str, keeps_apps: bool = False) -> None:
    """Sets a user's password and ends all their sessions and, unless they are kept, their tokens. Raises NotFound."""
    account = _user_by_login(tx, name).account
    sessions.replace_password(tx, account, password_hash, keeps_apps=keeps_apps)


def set_role(tx: Writer, *, name: str, role: str) -> str:
    """Changes the role of a user; returns the full handle. Raises NotFound, and NotAllowed for the last admin."""
    account = _user_by_login(tx, name).account
    users.set_role(tx, None, account, role)
    return account.full_handle


def suspend_account(tx: Writer, *, name: str) -> str:
    """Suspends a user, or an account of another server by its handle; returns the full handle."""
    account = _account_of_any_server(tx, name)
    account_actions.suspend(tx, None, account)
    return account.full_handle


def unsuspend_account(tx: Writer, *, name: str) -> str:
    """Ends the suspension of an account, as `suspend_account` finds it; returns the full handle."""
    account = _account_of_any_server(tx, name)
    account_actions.unsuspend(tx, None, account)
    if accounts.get(tx, account.id).suspended_at is not None:
        raise NotAllowed(f"{account.full_handle} stays suspended, because its server is.")
    return account.full_handle


def _account_of_any_server(tx: Reader, name: str) -> Account:
    found = accounts.by_handle(tx, name) if "@" in name.removeprefix("@") else None
    is_remote = found is not None and not found.is_local and found.deleted_at is None
    return found if found is not None and is_remote else _user_by_login(tx, name).account


def delete_account(tx: Writer, *, name: str) -> str:
    """Deletes a user with all their posts, for good; returns the full handle. Raises NotFound and NotAllowed."""
    account = _user_by_login(tx, name).account
    account_actions.delete(tx, None, account)
    return account.full_handle


def make_password_link(tx: Reader, *, name: str) -> str:
    """Returns the URL of a page that sets a new password once, within an hour. Raises NotFound."""
    return tx.site.uri(password_reset.path(tx.site, _user_by_login(tx, name)))


def rotate_keys(tx: Writer, *, name: str, pair: dict[str, str]) -> str:
    """Gives a user new keys and announces them to other servers; returns the full handle. Raises NotFound.

    Deliveries of earlier activities are signed with the new key when they are retried.
    """
    account = _user_by_login(tx, name).account
    keys.rotate(tx, account, _unpack_keys(pair))
    outbox.record(tx, account, "Update", account.uri)
    return account.full_handle


def list_accounts(tx: Reader, *, max_id: int) -> list[dict[str, Any]]:
    """Returns a page of users, newest first, with ids below `max_id` (0: from the newest on)."""
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
        for person in users.list_users(tx, Page(max_id=max_id, limit=MAX_LIMIT))
    ]


def list_sessions(tx: Reader, *, name: str) -> list[dict[str, Any]]:
    """Returns the sessions of a user, the last used first. Raises NotFound."""
    return [
        {"user_agent": one.user_agent, "created_at": one.created_at, "seen_at": one.seen_at}
        for one in sessions.by_account(tx, _user_by_login(tx, name).account)
    ]


def unlock_account(tx: Writer, *, name: str, address: str) -> str:
    """Forgets the attempts to sign in to an account, and those from a network; returns its name. Raises NotFound."""
    person = _user_by_login(tx, name)
    sign_in_limits.unlock(tx, person, address=address)
    return person.account.name


def turn_off_second_step(tx: Writer, *, name: str) -> str:
    """Makes the password of an account enough, for somebody who has lost phone and codes; returns its name.

    Raises NotFound.
    """
    account = _user_by_login(tx, name).account
    ways_in.turn_off_second_step(tx, account, by_admin=True)
    return account.name


def create_token(tx: Writer, *, name: str, scopes: list[str], app: str) -> str:
    """Creates a bearer token, which is returned only this once. Raises NotFound."""
    return access_tokens.create(tx, _user_by_login(tx, name).account, set(scopes), app)


def list_tokens(tx: Reader, *, name: str) -> list[dict[str, Any]]:
    """Returns the tokens of a user, newest first. Raises NotFound."""
    return [
        {
            "id": token.id,
            "app": token.app.name,
            "scopes": sorted(token.scopes),
            "created_at": token.created_at,
            "used_at": token.used_at,
        }
        for token in access_tokens.by_account(tx, _user_by_login(tx, name).account)
    ]


def revoke_token(tx: Writer, *, name: str, id: int) -> int:
    """Revokes a token of a user, or all of them for an id of 0; returns how many. Raises NotFound."""
    account = _user_by_login(tx, name).account
    if not id:
        return authorization_codes.sign_out_apps(tx, account)
    if not authorization_codes.sign_out_app(tx, account, id):
        raise NotFound(f"There is no such token. `tintype token list {name}` shows which there are.")
    return 1


def latest_migration(tx: Reader) -> int:
    """Returns the number of the newest migration that has run."""
    return migrate.latest(tx)


def check_database(tx: Writer) -> int:
    """Writes and reads a row, to see that the database works; returns the number of the newest migration."""
    settings.put(tx, "checked_at", str(now_ms()))
    return migrate.latest(tx)


COMMANDS: dict[str, Command] = {
    "account create": Command(create_account, writes=True),
    "account find": Command(find_account, writes=False),
    "account password": Command(set_password, writes=True),
    "account role": Command(set_role, writes=True),
    "account suspend": Command(suspend_account, writes=True),
    "account unsuspend": Command(unsuspend_account, writes=True),
    "account delete": Command(delete_account, writes=True),
    "account link": Command(make_password_link, writes=False),
    "account rotate-keys": Command(rotate_keys, writes=True),
    "account sessions": Command(list_sessions, writes=False),
    "account two-step-off": Command(turn_off_second_step, writes=True),
    "account unlock": Command(unlock_account, writes=True),
    "account list": Command(list_accounts, writes=False),
    "token create": Command(create_token, writes=True),
    "token list": Command(list_tokens, writes=False),
    "token revoke": Command(revoke_token, writes=True),
    "migration": Command(latest_migration, writes=False),
    "check": Command(check_database, writes=True),
}
