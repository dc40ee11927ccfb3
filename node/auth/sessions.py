"""Browser sessions: signing in and out. Owns `sessions`.

The cookie holds a token (`issued_tokens`) and the table only its hash.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from node import rate_limits
from node.accounts.accounts import by_id
from node.auth import issued_tokens, passwords, users
from node.auth.issued_tokens import TokenKind
from node.auth.oauth import authorization_codes
from node.database import Reader, Site, Writer, build, columns
from node.errors import Invalid, NotAllowed
from node.ids import now_ms
from node.mail.outgoing_mail import MailKind, queue_mail
from node.models import deletion_hooks
from node.models.account import Account
from node.node import Node
from node.text import display_names

RETENTION_MS = 60 * 24 * 60 * 60 * 1000
MAX_PER_ACCOUNT = 50
MAX_ATTEMPTS_PER_NAME = 10
MAX_ATTEMPTS_PER_NETWORK = 60
ATTEMPT_WINDOW_SECONDS = 15 * 60
MAX_ATTEMPTS_PER_ACCOUNT = 50
ACCOUNT_WINDOW_SECONDS = 60 * 60


@dataclass(frozen=True, slots=True)
class Session:
    hash: str
    account_id: int
    user_agent: str
    created_at: int
    seen_at: int

    @property
    def id(self) -> str:
        """The start of the hash, which names the session on the settings page."""
        return self.hash[:16]


async def sign_in(
    node: Node, login: str, password: str, *, address: str, user_agent: str, known_browser: str = ""
) -> str:
    """Starts a session and returns its token, for the cookie. Raises Invalid, NotAllowed or TooManyRequests.

    `login` is a name or an e-mail address, `address` the IP address of the client. Attempts are limited for a network,
    for a name in a network, and for an account wherever they come from. The last limit is not for a browser in which
    somebody has signed in to the account before (`known_browser`, the mark that it keeps), so that whoever guesses from
    many networks does not lock its owner out. An account that is guessed at under its name and its address has both
    limits once: beyond them a password counts as wrong (`_count_guess`).
    """
    network = rate_limits.client_network(address)
    name = users.normalize_login(node.site, login)
    name_key = f"sign-in {network} {name}"
    await node.db.write(
        rate_limits.count_attempt,
        f"sign-in {network}",
        limit=MAX_ATTEMPTS_PER_NETWORK,
        seconds=ATTEMPT_WINDOW_SECONDS,
    )
    await node.db.write(
        rate_limits.count_attempt, name_key, limit=MAX_ATTEMPTS_PER_NAME, seconds=ATTEMPT_WINDOW_SECONDS
    )
    candidates = await node.db.read(users.all_by_login, login)
    by_email = users.is_email(node.site, login)
    known = [one for one in candidates if is_known_browser(node.site, one.account, known_browser)]
    found = await _with_password(known, password)
    if found is None and (by_email or not known):
        # What is counted and verified must not tell who is registered with an address.
        await node.db.write(
            rate_limits.count_attempt,
            f"sign-in to {name}",
            limit=MAX_ATTEMPTS_PER_ACCOUNT,
            seconds=ACCOUNT_WINDOW_SECONDS,
        )
        others = [one for one in candidates if one not in known]
        allowed = await node.db.write(_count_guess, network, [one.account.id for one in others])
        others = [one for one in others if one.account.id in allowed]
        times = users.MAX_SAME_EMAIL - len(known) if by_email else 1
        found = await _with_password(others, password, times)
    if found is None:
        raise Invalid("Wrong username, e-mail or password.", field="password")
    if found.user.state == "pending":
        raise NotAllowed("Your sign-up is pending approval.")
    if found.user.state != "active" or found.account.is_inactive:
        raise NotAllowed("Your account has been suspended by the moderators of this server.")
    new_hash = await passwords.hash(password) if passwords.needs_rehash(found.password_hash) else None

    def unit(tx: Writer) -> str:
        rate_limits.reset(tx, name_key)
        rate_limits.reset(tx, _guesses_key(network, found.account.id))
        if new_hash is not None:
            users.set_password(tx, found.account.id, new_hash)
        if found not in known and found.user.seen_at is not None:
            _tell(tx, found.account, MailKind.NEW_SIGN_IN, about=display_names.clean_line(user_agent, 200))
        return start(tx, found.account, user_agent)

    return await node.db.write(unit)


def _guesses_key(network: str, account_id: int) -> str:
    return f"guess {network} {account_id}"


def _count_guess(tx: Writer, network: str, account_ids: Sequence[int]) -> set[int]:
    """Counts a guess at each account, by whatever name it is called; returns those at which it may be tried.

    Nobody is told of this limit: that one name uses up the guesses of another would tell whose address it is.
    """
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


async def _with_password(
    candidates: Sequence[users.Credentials], password: str, times: int = 0
) -> users.Credentials | None:
    """Returns the first user whose password this is. It verifies `times` passwords at least, whoever's it is."""
    hashes = [one.password_hash for one in candidates]
    right = [await passwords.verify(one, password) for one in [*hashes, *[None] * (times - len(hashes))]]
    return next((one for one, is_right in zip(candidates, right, strict=False) if is_right), None)


def known_browser_mark(site: Site, account: Account) -> str:
    """Returns what a browser keeps after signing in, to be told from those that never did."""
    return hmac.digest(site.subkey("known browsers"), str(account.id).encode(), "sha256").hex()[:32]


def is_known_browser(site: Site, account: Account, mark: str) -> bool:
    return hmac.compare_digest(known_browser_mark(site, account).encode(), mark.encode())


def start(tx: Writer, account: Account, user_agent: str) -> str:
    """Creates a session and returns its token. Beyond `MAX_PER_ACCOUNT` those used longest ago end."""
    token = issued_tokens.issue(tx.site, TokenKind.SESSION, account)
    tx.run(
        """DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE account_id = :account
               ORDER BY seen_at DESC, created_at DESC LIMIT 1000 OFFSET :kept)""",
        account=account.id,
        kept=MAX_PER_ACCOUNT - 1,
    )
    tx.run(
        """INSERT INTO sessions (hash, account_id, user_agent, created_at, seen_at)
           VALUES (:hash, :account, :user_agent, :now, :now)""",
        hash=issued_tokens.hash_of(token),
        account=account.id,
        user_agent=display_names.clean_line(user_agent, 200),
        now=now_ms(),
    )
    users.mark_seen(tx, account.id)
    return token


def by_token(tx: Reader, token: str) -> tuple[Account, users.User] | None:
    """Returns the account and user of a session; None if it expired,
    or if the account may no longer sign in."""
    if issued_tokens.account_id(tx.site, TokenKind.SESSION, token) is None:
        return None
    account_id = tx.value(
        "SELECT account_id FROM sessions WHERE hash = :hash AND seen_at > :oldest",
        hash=issued_tokens.hash_of(token),
        oldest=now_ms() - RETENTION_MS,
    )
    if account_id is None:
        return None
    account = by_id(tx, account_id)
    user = users.by_account(tx, account) if account else None
    if account is None or account.is_inactive or user is None or user.state != "active":
        return None
    return account, user


def touch(tx: Writer, token: str) -> None:
    """Extends a session that is used. Needed only when `User.seen_at` is older than `SEEN_UPDATE_INTERVAL_MS`."""
    account_id = tx.value(
        "UPDATE sessions SET seen_at = :now WHERE hash = :hash RETURNING account_id",
        hash=issued_tokens.hash_of(token),
        now=now_ms(),
    )
    if account_id is not None:
        users.mark_seen(tx, account_id)


def by_account(tx: Reader, account: Account) -> list[Session]:
    """Returns the sessions of an account, the last used first."""
    rows = tx.all(
        f"""SELECT {columns(Session)} FROM sessions
            WHERE account_id = :id AND seen_at > :oldest ORDER BY seen_at DESC, created_at DESC""",  # noqa: S608
        id=account.id,
        oldest=now_ms() - RETENTION_MS,
    )
    return [build(Session, row) for row in rows]


def id_from_token(token: str) -> str:
    """Returns the `Session.id` of a cookie, to mark the current session in the list."""
    return issued_tokens.hash_of(token)[:16]


def end(tx: Writer, token: str) -> None:
    tx.run("DELETE FROM sessions WHERE hash = :hash", hash=issued_tokens.hash_of(token))


def end_by_id(tx: Writer, account: Account, id_: str) -> None:
    """Ends a session of this account, named by its `Session.id`."""
    for session in by_account(tx, account):
        if session.id == id_:
            tx.run("DELETE FROM sessions WHERE hash = :hash", hash=session.hash)


def end_all(tx: Writer, account: Account, except_token: str = "") -> None:
    """Ends all sessions of an account except that of `except_token`."""
    tx.run(
        "DELETE FROM sessions WHERE account_id = :id AND hash <> :kept",
        id=account.id,
        kept=issued_tokens.hash_of(except_token) if except_token else "",
    )


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes all sessions of an account."""
    end_all(tx, account)


def clean_up(tx: Writer, now: int, after: str | None) -> str | None:
    """Deletes those of the next sessions that were not used for `RETENTION_MS`; returns where to go on, None at the end."""
    rows = tx.all(
        "SELECT hash, seen_at FROM sessions WHERE hash > :after ORDER BY hash LIMIT 500", after=after or ""
    )
    unused = [row["hash"] for row in rows if row["seen_at"] < now - RETENTION_MS]
    tx.run("DELETE FROM sessions WHERE hash IN (:hashes)", hashes=unused)
    return rows[-1]["hash"] if rows else None


async def change_password(
    node: Node, account: Account, current: str, new: str, *, keep_token: str, keeps_apps: bool = False
) -> None:
    """Changes the password, and ends all other sessions and, unless they are kept, the tokens of all apps.

    Raises Invalid, field 'current' or 'password'.
    """
    passwords.check(new)
    if not await passwords.verify(await node.db.read(users.password_hash, account.id), current):
        raise Invalid("The password is wrong.", field="current")
    hashed = await passwords.hash(new)
    await node.db.write(
        replace_password, account, hashed, keep_session_token=keep_token, keeps_apps=keeps_apps
    )


def _tell(tx: Writer, account: Account, kind: MailKind, *, about: str = "") -> None:
    """Queues a mail to the address of a user, unless somebody else's may stand there: one that was never confirmed."""
    user = users.by_account(tx, account)
    if user is not None and user.email_confirmed_at is not None:
        queue_mail(tx, kind, user.email, account=account, language=user.language, about=about)


def replace_password(
    tx: Writer, account: Account, hashed: str, *, keep_session_token: str = "", keeps_apps: bool = False
) -> None:
    """Sets a new password hash, ends what was signed in with the old password, and says so by mail. Raises NotFound."""
    users.set_password(tx, account.id, hashed)
    _tell(tx, account, MailKind.PASSWORD_CHANGED)
    end_all(tx, account, except_token=keep_session_token)
    if not keeps_apps:
        authorization_codes.sign_out_apps(tx, account)
