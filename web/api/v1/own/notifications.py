"""Notifications: listing, counting and dismissing those of the caller."""

from __future__ import annotations

from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.notifications import notifications
from node.timelines import notification_list
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entities import NOTIFICATION_TYPES

routes = RouteTable()

# The official Pixelfed app sends `like` where the documentation has `favourite`.
API_TYPES = {
    kind: {name} | ({"like"} if kind == "like" else set()) for kind, name in NOTIFICATION_TYPES.items()
}


def _requested_kinds(request: ApiRequest) -> list[str]:
    """Returns the kinds in the database that `types` and `exclude_types` select.

    Types this node has not match nothing.
    """
    wanted, unwanted = (
        set(request.params.all_values("types")),
        set(request.params.all_values("exclude_types")),
    )
    return [
        kind for kind, names in API_TYPES.items() if (not wanted or names & wanted) and not names & unwanted
    ]


@routes.read("/api/v1/notifications", "read:notifications")
def list_page(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page(40, 80)
    by_id = request.params.id("account_id")
    if by_id is None and request.params.text("account_id").strip():
        by_id = 0  # what is no id is that of nobody, and does not stand for everybody
    found = notification_list.summaries(tx, request.caller, page, _requested_kinds(request), by_id=by_id)
    bodies = request.entities.notifications(tx, request.caller, found)
    return request.page_response(
        bodies, page, found.replaced_by([one.id for one in found]), "types", "exclude_types", "account_id"
    )


@routes.read("/api/v1/notifications/{id}", "read:notifications")
def show(tx: Reader, request: ApiRequest) -> JsonResponse:
    found = notification_list.by_id(tx, request.caller, request.path_id())
    if found is None or found.kind not in API_TYPES:
        raise NotFound
    return JsonResponse(request.entities.notification(found, request.caller))


@routes.read("/api/v1/notifications/unread_count", "read:notifications")
def unread_count(tx: Reader, request: ApiRequest) -> JsonResponse:
    for name in ("types", "exclude_types", "account_id"):
        if name in request.params:
            raise Invalid("Only all unread notifications are counted.", field=name)
    most = request.params.number("limit", 100, minimum=1, maximum=1000)
    return request.json_response({"count": notification_list.unread_count(tx, request.caller, most)})


@routes.write("POST", "/api/v1/notifications/clear", "write:notifications")
def clear(tx: Writer, request: ApiRequest) -> JsonResponse:
    notifications.clear(tx, request.caller)
    return request.json_response({})


@routes.write("POST", "/api/v1/notifications/{id}/dismiss", "write:notifications")
def dismiss(tx: Writer, request: ApiRequest) -> JsonResponse:
    notifications.dismiss(tx, request.caller, request.path_id())
    return request.json_response({})


@routes.write("POST", "/api/v1/notifications/dismiss", "write:notifications")
def dismiss_by_param(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Dismisses a notification; the older form, with the id as a parameter."""
    notifications.dismiss(tx, request.caller, request.params.id("id") or 0)
    return request.json_response({})
