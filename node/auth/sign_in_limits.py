"""How often somebody may try to sign in, and taking such a lock off. Owns no table: `rate_limits` counts.

Attempts are limited for a network, for a name in a network, and for an account wherever they come from. The last limit
is not for a browser in which somebody has signed in to the account before, not for passkeys, and a new password by mail
ends it: whoever guesses from many networks does not keep its owner out.
"""

from __future__ import annotations

from collections.abc import Sequence

from node import rate_limits
from node.auth import addresses, users
from node.auth.second_step import recovery_codes
from node.auth.users import Credentials
from node.database import Writer
from node.models.account import Account
from node.node import Node

MAX_ATTEMPTS_PER_NAME = 10
MAX_ATTEMPTS_PER_NETWORK = 60
ATTEMPT_WINDOW_SECONDS = 15 * 60
MAX_ATTEMPTS_PER_ACCOUNT = 50
ACCOUNT_WINDOW_SECONDS = 60 * 60
MAX_CODES_PER_NETWORK = 6
MAX_CODES_PER_ACCOUNT = 15
CODE_WINDOW_SECONDS = 12 * 60 * 60
_CODE_KINDS = ("code", "recovery code", "code in a known browser", "recovery code in a known browser")


async def _count(node: Node, key: str, limit: int, seconds: int = ATTEMPT_WINDOW_SECONDS) -> None:
    await node.db.write(rate_limits.count_attempt, key, limit=limit, seconds=seconds)


async def count_password(node: Node, address: str, name: str) -> None:
    """Counts an attempt from a network, and at a name from there. Raises TooManyRequests."""
    network = rate_limits.client_network(address)
    await _count(node, f"sign-in {network}", MAX_ATTEMPTS_PER_NETWORK)
    await _count(node, _name_key(network, name), MAX_ATTEMPTS_PER_NAME)


async def count_at_name(node: Node, name: str) -> None:
    """Counts an attempt at a name, or an address, from wherever. Raises TooManyRequests."""
    await _count(node, f"sign-in to {name}", MAX_ATTEMPTS_PER_ACCOUNT, ACCOUNT_WINDOW_SECONDS)


def count_guess(tx: Writer, address: str, account_ids: Sequence[int]) -> set[int]:
    """Counts a guess at each account, by whatever name it is called; returns those at which it may be tried.

    Nobody is told of this limit: that one name uses up the guesses of another would tell whose address it is.
    """
    network = rate_limits.client_network(address)
    allowed = set()
    # As many are counted whether or not somebody is registered: the time it takes must not tell either.
    padding = range(-1, len(account_ids) - users.MAX_SAME_EMAIL - 1, -1)
    for account_id in [*account_ids, *padding]:
        in_network = rate_limits.count_quietly(
            tx,
            _guesses_key(network, account_id),
            limit=MAX_ATTEMPTS_PER_NAME,
            seconds=ATTEMPT_WINDOW_SECONDS,
        )
        in_all = rate_limits.count_quietly(
            tx, f"guess {account_id}", limit=MAX_ATTEMPTS_PER_ACCOUNT, seconds=ACCOUNT_WINDOW_SECONDS
        )
        if in_network and in_all:
            allowed.add(account_id)
    return allowed


def forget_guesses(tx: Writer, address: str, name: str, account: Account) -> None:
    """Forgets the attempts from a network at an account: a password was right."""
    network = rate_limits.client_network(address)
    rate_limits.reset(tx, _name_key(network, name))
    rate_limits.reset(tx, _guesses_key(network, account.id))


async def count_code(node: Node, account: Account, code: str, *, address: str, is_known: bool) -> None:
    """Counts a code that somebody tries who knows the password. Raises TooManyRequests.

    A browser in which somebody has signed in before has limits of its own, and recovery codes are counted apart: so
    whoever has stolen a password cannot use up the attempts of the owner.
    """
    kind = _CODE_KINDS[recovery_codes.looks_like_one(code) + 2 * is_known]
    network = rate_limits.client_network(address)
    await _count(node, f"{kind} {network} {account.id}", MAX_CODES_PER_NETWORK)
    await _count(node, f"{kind} {account.id}", MAX_CODES_PER_ACCOUNT, CODE_WINDOW_SECONDS)


async def count_passkey(node: Node, address: str) -> None:
    """Counts a use of a passkey from a network. Raises TooManyRequests."""
    await _count(node, f"passkey {rate_limits.client_network(address)}", MAX_ATTEMPTS_PER_NETWORK)


async def count_proof(node: Node, account: Account) -> None:
    """Counts an attempt of somebody who is signed in to prove again who they are. Raises TooManyRequests."""
    await _count(node, f"prove {account.id}", MAX_ATTEMPTS_PER_NAME)


def forget_proofs(tx: Writer, account: Account) -> None:
    """Forgets the attempts to prove who somebody is: one was right."""
    rate_limits.reset(tx, f"prove {account.id}")


def unlock(tx: Writer, person: Credentials, *, address: str = "") -> None:
    """Forgets the attempts at an account, by whatever name; with an address also all that came from its network."""
    account = person.account
    names = {addresses.normalize_login(tx.site, one) for one in (account.name, person.user.email)}
    keys = [f"guess {account.id}", f"prove {account.id}", *(f"sign-in to {name}" for name in names)]
    keys += [f"{kind} {account.id}" for kind in _CODE_KINDS]
    if address:
        network = rate_limits.client_network(address)
        keys += [f"sign-in {network}", f"passkey {network}", _guesses_key(network, account.id)]
        keys += [_name_key(network, name) for name in names]
        keys += [f"{kind} {network} {account.id}" for kind in _CODE_KINDS]
    for key in keys:
        rate_limits.reset(tx, key)


def _name_key(network: str, name: str) -> str:
    return f"sign-in {network} {name}"


def _guesses_key(network: str, account_id: int) -> str:
    return f"guess {network} {account_id}"
