"""Notifications: what happened to the caller."""

from __future__ import annotations

from node.database import Reader, Writer
from node.errors import NotFound
from node.notifications import notifications
from node.timelines import notification_list
from web.api.endpoint import Answer, Call
from web.api.entities import NOTIFICATION_TYPES

# The official Pixelfed app says `like` where the documentation says `favourite`.
TYPES = {kind: {name} | ({"like"} if kind == "like" else set()) for kind, name in NOTIFICATION_TYPES.items()}


def _kinds(call: Call) -> list[str]:
    """Our kinds, as narrowed by `types` and `exclude_types`. Types that never happen here match nothing."""
    wanted, unwanted = set(call.params.all("types")), set(call.params.all("exclude_types"))
    return [kind for kind, names in TYPES.items() if (not wanted or names & wanted) and not names & unwanted]


def page(tx: Reader, call: Call) -> Answer:
    asked = call.page(40, 80)
    found = notification_list.page(tx, call.who, asked, _kinds(call))
    if by := call.params.id("account_id"):
        found = [one for one in found if one.by.id == by]
    bodies = [call.entities.notification(one, call.who) for one in found]
    return call.listed(bodies, asked, [one.id for one in found], "types", "exclude_types", "account_id")


def show(tx: Reader, call: Call) -> Answer:
    found = notification_list.by_id(tx, call.who, call.id())
    if found is None or found.kind not in TYPES:
        raise NotFound
    return Answer(call.entities.notification(found, call.who))


def unread_count(tx: Reader, call: Call) -> Answer:
    most = call.params.number("limit", 100, least=1, most=1000)
    return call.json({"count": notification_list.unread_count(tx, call.who, most)})


def clear(tx: Writer, call: Call) -> Answer:
    notifications.clear(tx, call.who)
    return call.json({})


def dismiss(tx: Writer, call: Call) -> Answer:
    notifications.dismiss(tx, call.who, call.id())
    return call.json({})


def dismiss_named(tx: Writer, call: Call) -> Answer:
    """The older form, with the id as a parameter."""
    notifications.dismiss(tx, call.who, call.params.id("id") or 0)
    return call.json({})
