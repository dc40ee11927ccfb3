"""The request at hand: its node, who is asking, and the one way pages reach the database.

`look` and `act` run a page's unit of work together with the look-up of the session, in one hop. So who is
asking is always known in the same moment that decides what they may see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from quart import current_app, g, request

from node import rate_limits
from node.admin import reports
from node.auth import sessions
from node.auth.users import SEEN_AGAIN_AFTER, User
from node.database import Reader, Writer
from node.errors import NotAllowed, NotFound, Refused
from node.ids import now_ms
from node.interactions import follows
from node.models.account import Account
from node.node import Node
from node.timelines import notification_list
from web.i18n.translations import _
from web.request import session

P = ParamSpec("P")
T = TypeVar("T")

STAFF = ("moderator", "admin")


class SignInFirst(Refused):
    """Only someone who is signed in can do that."""

    status = 401


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, and the numbers that every page shows them."""

    account: Account
    user: User
    unread: int = 0
    requests: int = 0
    reports: int = 0

    @property
    def is_staff(self) -> bool:
        return self.user.role in STAFF


def node() -> Node:
    found: Node = current_app.config["NODE"]
    return found


def person() -> Person | None:
    """Who is asking, once `look` or `act` has run."""
    found: Person | None = getattr(g, "person", None)
    return found


def _who(tx: Reader, token: str, *, counted: bool) -> Person | None:
    found = sessions.by_token(tx, token) if token else None
    if found is None:
        return None
    account, user = found
    if not counted:
        return Person(account, user)
    asked = follows.requests_count(tx, account) if account.is_locked else 0
    reported = reports.count_open(tx) if user.role in STAFF else 0
    return Person(account, user, notification_list.unread_count(tx, account), asked, reported)


def _run(
    tx: Any, token: str, counted: bool, needs: str, unit: Callable[..., T], args: Any, kwargs: Any
) -> tuple[Person | None, T | None, Refused | None]:
    who = _who(tx, token, counted=counted)
    if needs and who is None:
        return None, None, SignInFirst(_("Sign in to do that."))
    if needs == "staff" and not (who and who.is_staff):
        return who, None, NotFound()
    try:
        return who, unit(tx, who.account if who else None, *args, **kwargs), None
    except Refused as refused:
        # Looking changed nothing, so the page that says no can still know who is asking.
        return who, None, refused


def _acting(
    tx: Writer, token: str, needs: str, unit: Callable[..., T], args: Any, kwargs: Any
) -> tuple[Person, T]:
    who = _who(tx, token, counted=False)
    if who is None:
        raise SignInFirst(_("Sign in to do that."))
    if needs and needs != "person" and not who.is_staff:
        raise NotAllowed(_("Only moderators can do that."))
    if needs == "admin" and not who.user.is_admin:
        raise NotAllowed(_("Only an admin can do that."))
    return who, unit(tx, who.account, *args, **kwargs)


async def _look(needs: str, unit: Callable[..., T], args: Any, kwargs: Any) -> T:
    counted = not hasattr(g, "person")
    who, found, refused = await node().db.read(_run, session.token(), counted, needs, unit, args, kwargs)
    if counted:
        g.person = who
        if who is not None and (who.user.seen_at or 0) < now_ms() - SEEN_AGAIN_AFTER:
            await node().db.write(sessions.touch, session.token())
    if refused is not None:
        raise refused
    return found  # type: ignore[return-value]


async def look(
    unit: Callable[Concatenate[Reader, Account | None, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run `unit(tx, viewer, …)`, where the viewer may be nobody."""
    return await _look("", unit, args, kwargs)


async def look_signed_in(
    unit: Callable[Concatenate[Reader, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """As `look`, for somebody. Raises SignInFirst, which leads to the sign-in page."""
    return await _look("person", unit, args, kwargs)


async def look_as_staff(
    unit: Callable[Concatenate[Reader, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """As `look`, for those who run the node; for anyone else there is nothing here."""
    return await _look("staff", unit, args, kwargs)


async def act(unit: Callable[Concatenate[Writer, Account, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `unit(tx, who, …)`, which may change things, for whoever is signed in."""
    who, found = await node().db.write(_acting, session.token(), "person", unit, args, kwargs)
    if not hasattr(g, "person"):
        g.person = who
    return found


async def act_as_staff(
    unit: Callable[Concatenate[Writer, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    who, found = await node().db.write(_acting, session.token(), "staff", unit, args, kwargs)
    if not hasattr(g, "person"):
        g.person = who
    return found


async def act_as_admin(
    unit: Callable[Concatenate[Writer, Account, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """As `act`, for what moderators may only look at."""
    who, found = await node().db.write(_acting, session.token(), "admin", unit, args, kwargs)
    if not hasattr(g, "person"):
        g.person = who
    return found


def nothing(tx: Reader, viewer: Account | None) -> None:
    """A unit that looks at nothing: who is asking is all that is wanted."""


async def asking() -> Account:
    """Who is signed in. Raises SignInFirst."""
    await look_signed_in(nothing)
    who = person()
    if who is None:
        raise SignInFirst(_("Sign in to do that."))
    return who.account


def address() -> str:
    """Where the request comes from: the nearest hop that is not one of our own proxies."""
    trusted = node().config.server.trusted_proxies
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    here = request.remote_addr or ""
    while hops and (here in trusted or here in ("", "<local>") or here.startswith("unix:")):
        here = hops.pop()
    return here


async def limit(key: str, *, most: int, seconds: int) -> None:
    """Count one attempt under a key; raises TooMuch."""
    await node().db.write(rate_limits.count, key, limit=most, seconds=seconds)
