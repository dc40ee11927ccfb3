"""Scheduled statuses: listing, moving and cancelling them. They are scheduled by posting a status with a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.publishing import saved_drafts
from node.publishing.saved_drafts import SavedDraft
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entities import API_VISIBILITIES
from web.api.entity_fields import format_optional_datetime

routes = RouteTable()


def parse_scheduled_at(text: str) -> int:
    """Parses a date and time in ISO 8601, UTC where it names no zone; returns milliseconds. Raises Invalid."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Invalid("scheduled_at is not a date and time.", field="scheduled_at") from None


def entity(request: ApiRequest, saved: SavedDraft) -> dict[str, Any]:
    """Renders a ScheduledStatus."""
    draft = saved.draft
    return {
        "id": str(saved.id),
        "scheduled_at": format_optional_datetime(saved.publish_at),
        "params": {
            "text": draft.caption,
            "poll": None,
            "media_ids": [str(id_) for id_ in draft.photo_ids] or None,
            "sensitive": draft.is_sensitive,
            "spoiler_text": draft.warning or None,
            "visibility": API_VISIBILITIES[draft.visibility],
            "in_reply_to_id": str(draft.parent_id) if draft.parent_id else None,
            "quoted_status_id": str(draft.quote_id) if draft.quote_id else None,
            "language": draft.language or None,
            "application_id": 0,
            "scheduled_at": None,
            "idempotency": None,
            "with_rate_limit": False,
        },
        "media_attachments": [request.entities.attachment(photo, request.caller) for photo in saved.photos],
    }


def _scheduled(tx: Reader, request: ApiRequest) -> SavedDraft:
    saved = saved_drafts.by_id(tx, request.caller, request.path_id())
    if saved.publish_at is None:
        raise NotFound
    return saved


@routes.read("/api/v1/scheduled_statuses", "read:statuses")
def list_scheduled(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the scheduled statuses of the caller, the newest first."""
    page = request.requested_page()
    found = saved_drafts.scheduled(tx, request.caller, page)
    bodies = [request.json_response(entity(request, saved)).body for saved in found]
    return request.page_response(bodies, page, [saved.id for saved in found])


@routes.read("/api/v1/scheduled_statuses/{id}", "read:statuses")
def show(tx: Reader, request: ApiRequest) -> JsonResponse:
    return request.json_response(entity(request, _scheduled(tx, request)))


@routes.write("PUT", "/api/v1/scheduled_statuses/{id}", "write:statuses")
def move(tx: Writer, request: ApiRequest) -> JsonResponse:
    saved = _scheduled(tx, request)
    publish_at = parse_scheduled_at(request.required_param("scheduled_at"))
    saved_drafts.move(tx, request.caller, saved.id, publish_at)
    return request.json_response(entity(request, _scheduled(tx, request)))


@routes.write("DELETE", "/api/v1/scheduled_statuses/{id}", "write:statuses")
def cancel(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Deletes a scheduled status; its photos can be used for a day more."""
    saved_drafts.delete(tx, request.caller, _scheduled(tx, request).id)
    return request.json_response({})
