"""Markers: up to where somebody has read a timeline, shared by all their apps."""

from __future__ import annotations

from typing import Any

from node.database import Reader, Writer
from node.errors import Invalid
from node.ids import parse_id
from node.notifications import markers
from node.notifications.markers import TIMELINES, Marker
from node.timelines import notification_list
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entity_fields import format_datetime

routes = RouteTable()


def _entities(found: dict[str, Marker]) -> dict[str, Any]:
    return {
        name: {
            "last_read_id": str(marker.last_read_id),
            "version": marker.version,
            "updated_at": format_datetime(marker.updated_at),
        }
        for name, marker in found.items()
    }


@routes.read("/api/v1/markers", "read:statuses")
def show(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the markers of the timelines that are asked for with `timeline[]`; one that was never set is missing."""
    found = markers.by_account(tx, request.caller, request.params.all_values("timeline"))
    return request.json_response(_entities(found))


@routes.write("POST", "/api/v1/markers", "write:statuses")
def store(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Sets the markers that are sent, as `home[last_read_id]`. That of the notifications marks them as read on pages too."""
    sent = [name for name in TIMELINES if request.params.is_sent(name)]
    for name in sent:
        last_read_id = parse_id(request.params.text(f"{name}[last_read_id]"))
        if not last_read_id:
            raise Invalid("last_read_id is the id of a post or notification.", field=f"{name}[last_read_id]")
        if name == "notifications":
            notification_list.mark_read(tx, request.caller, last_read_id)
        markers.store(tx, request.caller, name, last_read_id)
    return request.json_response(_entities(markers.by_account(tx, request.caller, sent)))
