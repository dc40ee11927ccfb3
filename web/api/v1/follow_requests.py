"""Follow requests: who is waiting to be let in, and the answer."""

from __future__ import annotations

from node.accounts import relationships
from node.accounts.relationships import Follow
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import follows
from web.api.endpoint import ApiRequest, JsonResponse
from web.api.entity_fields import relationship
from web.api.v1.accounts import DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT, account_entities


def list_requests(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    bodies, ids = account_entities(call, follows.requests(tx, call.caller, page))
    return call.page_response(bodies, page, ids)


def _pending_request(tx: Reader, call: ApiRequest) -> Follow:
    """The request of the person in the path."""
    asked = relationships.follow_between(tx, call.path_account(tx), call.caller)
    if asked is None or asked.is_accepted:
        raise NotFound
    return asked


def _relationship_response(tx: Reader, call: ApiRequest) -> JsonResponse:
    (between,) = relationships.with_accounts(tx, call.caller, [call.path_id()])
    return call.json_response(relationship(between))


def authorize(tx: Writer, call: ApiRequest) -> JsonResponse:
    follows.accept(tx, _pending_request(tx, call))
    return _relationship_response(tx, call)


def reject(tx: Writer, call: ApiRequest) -> JsonResponse:
    follows.reject(tx, _pending_request(tx, call))
    return _relationship_response(tx, call)
