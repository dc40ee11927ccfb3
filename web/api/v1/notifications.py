"""Notifications: what happened to the caller."""

from __future__ import annotations

from node.database import Reader, Writer
from node.errors import NotFound
from node.notifications import notifications
from node.timelines import notification_list
from web.api.endpoint import ApiRequest, JsonResponse
from web.api.entities import NOTIFICATION_TYPES

# The official Pixelfed app says `like` where the documentation says `favourite`.
API_TYPES = {
    kind: {name} | ({"like"} if kind == "like" else set()) for kind, name in NOTIFICATION_TYPES.items()
}


def _requested_kinds(call: ApiRequest) -> list[str]:
    """Our kinds, as narrowed by `types` and `exclude_types`. Types that never happen here match nothing."""
    wanted, unwanted = set(call.params.all_values("types")), set(call.params.all_values("exclude_types"))
    return [
        kind for kind, names in API_TYPES.items() if (not wanted or names & wanted) and not names & unwanted
    ]


def list_page(tx: Reader, call: ApiRequest) -> JsonResponse:
    asked = call.requested_page(40, 80)
    found = notification_list.page(tx, call.caller, asked, _requested_kinds(call))
    if by := call.params.id("account_id"):
        found = [one for one in found if one.by.id == by]
    bodies = [call.entities.notification(one, call.caller) for one in found]
    return call.page_response(
        bodies, asked, [one.id for one in found], "types", "exclude_types", "account_id"
    )


def show(tx: Reader, call: ApiRequest) -> JsonResponse:
    found = notification_list.by_id(tx, call.caller, call.path_id())
    if found is None or found.kind not in API_TYPES:
        raise NotFound
    return JsonResponse(call.entities.notification(found, call.caller))


def unread_count(tx: Reader, call: ApiRequest) -> JsonResponse:
    most = call.params.number("limit", 100, minimum=1, maximum=1000)
    return call.json_response({"count": notification_list.unread_count(tx, call.caller, most)})


def clear(tx: Writer, call: ApiRequest) -> JsonResponse:
    notifications.clear(tx, call.caller)
    return call.json_response({})


def dismiss(tx: Writer, call: ApiRequest) -> JsonResponse:
    notifications.dismiss(tx, call.caller, call.path_id())
    return call.json_response({})


def dismiss_by_param(tx: Writer, call: ApiRequest) -> JsonResponse:
    """The older form, with the id as a parameter."""
    notifications.dismiss(tx, call.caller, call.params.id("id") or 0)
    return call.json_response({})
