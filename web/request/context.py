"""The current request: its node, its signed-in user, and the one way pages reach the database.

`read` and `write` run a page's unit of work together with the look-up of the session, in one transaction. So who
makes the request is always known in the same moment that decides what they may see.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from quart import current_app, g, request

from node import rate_limits
from node.admin import reports
from node.auth import sessions, sign_ups
from node.auth.second_step import staff_rules
from node.auth.users import SEEN_UPDATE_INTERVAL_MS, User
from node.database import Reader, Writer
from node.errors import DatabaseUnavailable, NotAllowed, NotFound, Refused
from node.ids import has_passed
from node.interactions import follows
from node.models.account import Account
from node.node import Node
from node.timelines import notification_list
from web.i18n.translations import N_, _
from web.request import addresses, session
from web.request.known_sessions import FindSession, KnownSessions

P = ParamSpec("P")
T = TypeVar("T")

STAFF_ROLES = ("moderator", "admin")
NO_SECOND_STEP = N_("Moderators and admins of this server have to set up two-step sign-in first.")


class SignInRequired(Refused):
    """The request needs a signed-in user."""

    status = 401


class ProofRequired(Refused):
    """The request needs somebody who has signed in, or proved who they are, within the last minutes."""

    status = 403


class SecondStepNeeded(Refused):
    """The request is for staff, who have to set up a second step on this server first."""

    status = 403


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """The signed-in user, and the numbers that every page shows them."""

    account: Account
    user: User
    unread_count: int = 0
    follow_requests_count: int = 0
    open_reports_count: int = 0
    pending_sign_ups_count: int = 0

    @property
    def staff_count(self) -> int:
        """What waits for moderators."""
        return self.open_reports_count + self.pending_sign_ups_count

    @property
    def is_staff(self) -> bool:
        return self.user.role in STAFF_ROLES


def current_node() -> Node:
    node: Node = current_app.config["NODE"]
    return node


def signed_in_user() -> SignedInUser | None:
    """Returns the signed-in user, once `read` or `write` has run; None before, and for a visitor."""
    user: SignedInUser | None = getattr(g, "signed_in_user", None)
    return user


def load_user_again() -> None:
    """Forgets the signed-in user, so that the next read loads them with what this request has changed."""
    g.pop("signed_in_user", None)


def _find_session() -> FindSession:
    return current_node().component(KnownSessions).finder(session.session_token())


def _load_user(tx: Reader, find_session: FindSession, *, with_counts: bool) -> SignedInUser | None:
    found = find_session(tx)
    if found is None:
        return None
    account, user = found
    if not with_counts:
        return SignedInUser(account, user)
    follow_requests = follows.requests_count(tx, account) if account.is_locked else 0
    unread = notification_list.unread_count(tx, account)
    if user.role not in STAFF_ROLES:
        return SignedInUser(account, user, unread, follow_requests)
    return SignedInUser(
        account, user, unread, follow_requests, reports.count_open(tx), sign_ups.count_pending(tx)
    )


def _run_read(
    tx: Any,
    find_session: FindSession,
    with_counts: bool,
    needs: str,
    unit: Callable[..., T],
    args: Any,
    kwargs: Any,
) -> tuple[SignedInUser | None, T | None, Refused | None]:
    user = _load_user(tx, find_session, with_counts=with_counts)
    if needs and user is None:
        return None, None, SignInRequired(_("Sign in to do that."))
    if needs == "staff" and not (user and user.is_staff):
        return user, None, NotFound()
    if user and needs == "staff" and staff_rules.lacks_second_step(tx, user.account):
        return user, None, SecondStepNeeded(_(NO_SECOND_STEP))
    try:
        return user, unit(tx, user.account if user else None, *args, **kwargs), None
    except Refused as refused:
        # A read changed nothing, so the error page can still know who is signed in.
        return user, None, refused


def _run_write(
    tx: Writer, find_session: FindSession, needs: str, unit: Callable[..., T], args: Any, kwargs: Any
) -> tuple[SignedInUser, T]:
    user = _load_user(tx, find_session, with_counts=False)
    if user is None:
        raise SignInRequired(_("Sign in to do that."))
    if needs != "user" and not user.is_staff:
        raise NotAllowed(_("Only moderators can do that."))
    if needs == "admin" and not user.user.is_admin:
        raise NotAllowed(_("Only an admin can do that."))
    if needs != "user" and staff_rules.lacks_second_step(tx, user.account):
        raise SecondStepNeeded(_(NO_SECOND_STEP))
    return user, unit(tx, user.account, *args, **kwargs)


async def _read(needs: str, unit: Callable[..., T], args: Any, kwargs: Any) -> T:
    with_counts = not hasattr(g, "signed_in_user")
    user, found, refused = await current_node().db.read(
        _run_read, _find_session(), with_counts, needs, unit, args, kwargs
    )
    if with_counts:
        g.signed_in_user = user
        if user is not None and has_passed(SEEN_UPDATE_INTERVAL_MS, user.user.seen_at or 0):
            with contextlib.suppress(DatabaseUnavailable):  # the page can be read all the same
                await current_node().db.write(sessions.touch, session.session_token())
    if refused is not None:
        raise refused
    return found  # type: ignore[return-value]


async def _write(needs: str, unit: Callable[..., T], args: Any, kwargs: Any) -> T:
    user, found = await current_node().db.write(_run_write, _find_session(), needs, unit, args, kwargs)
    if not hasattr(g, "signed_in_user"):
        g.signed_in_user = user
    return found


async def read(
    unit: Callable[Concatenate[Reader, Account | None, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `unit(tx, viewer, …)`; the viewer is None where nobody is signed in."""
    return await _read("", unit, args, kwargs)


async def read_signed_in(
    unit: Callable[Concatenate[Reader, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `unit(tx, account, …)` for a signed-in user.

    Raises SignInRequired, which leads to the sign-in page.
    """
    return await _read("user", unit, args, kwargs)


async def read_as_staff(
    unit: Callable[Concatenate[Reader, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `unit(tx, account, …)` for moderators and admins.

    Raises SignInRequired, or NotFound for other users.
    """
    return await _read("staff", unit, args, kwargs)


async def write(
    unit: Callable[Concatenate[Writer, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `unit(tx, account, …)` in a write transaction for the signed-in user. Raises SignInRequired."""
    return await _write("user", unit, args, kwargs)


async def write_as_staff(
    unit: Callable[Concatenate[Writer, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `unit(tx, account, …)` in a write transaction for moderators and admins.

    Raises NotAllowed for other users.
    """
    return await _write("staff", unit, args, kwargs)


async def write_as_admin(
    unit: Callable[Concatenate[Writer, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `unit(tx, account, …)` in a write transaction for admins; moderators may only read that.

    Raises NotAllowed for other users.
    """
    return await _write("admin", unit, args, kwargs)


def read_nothing(tx: Reader, viewer: Account | None) -> None:
    """Reads nothing: a unit for callers that only need the signed-in user."""


async def require_account() -> Account:
    """Returns the account of the signed-in user. Raises SignInRequired."""
    await read_signed_in(read_nothing)
    user = signed_in_user()
    if user is None:
        raise SignInRequired(_("Sign in to do that."))
    return user.account


async def require_proof() -> Account:
    """Returns the account of somebody who proved a moment ago who they are. Raises SignInRequired or ProofRequired."""
    account = await require_account()
    if not await current_node().db.read(sessions.is_proved, session.session_token()):
        raise ProofRequired(_("Please confirm that it is you."))
    return account


async def require_admin() -> None:
    """Raises SignInRequired, or NotAllowed for anybody but an admin: before a large body is read."""
    await require_account()
    user = signed_in_user()
    if user is None or not user.user.is_admin:
        raise NotAllowed(_("Only an admin can do that."))


def client_address() -> str:
    """Returns the address of the client: the nearest hop that is not one of the trusted proxies."""
    return addresses.nearest_untrusted(
        request.remote_addr or "",
        ",".join(request.headers.getlist("X-Forwarded-For")),
        current_node().config.server.trusted_proxies,
    )


async def limit_rate(key: str, *, max_attempts: int, seconds: int) -> None:
    """Counts one attempt under a key. Raises TooManyRequests above `max_attempts` in `seconds`."""
    await current_node().db.write(rate_limits.count_attempt, key, limit=max_attempts, seconds=seconds)
