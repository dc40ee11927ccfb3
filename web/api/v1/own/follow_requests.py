"""Follow requests: listing, authorizing and rejecting those that wait for the caller."""

from __future__ import annotations

from node.accounts import relationships
from node.accounts.relationships import Follow
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import follows
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entity_fields import relationship
from web.api.v1.accounts import account_list_response

routes = RouteTable()


@routes.read("/api/v1/follow_requests", "read:follows")
def list_requests(tx: Reader, request: ApiRequest) -> JsonResponse:
    return account_list_response(request, lambda page: follows.requests(tx, request.caller, page))


def _pending_request(tx: Reader, request: ApiRequest) -> Follow:
    """Returns the pending follow request of the account in the path. Raises NotFound if there is none."""
    follow = relationships.follow_between(tx, request.path_account(tx), request.caller)
    if follow is None or follow.is_accepted:
        raise NotFound
    return follow


def _relationship_response(tx: Reader, request: ApiRequest) -> JsonResponse:
    (between,) = relationships.with_accounts(tx, request.caller, [request.path_id()])
    return request.json_response(relationship(between))


@routes.write("POST", "/api/v1/follow_requests/{id}/authorize", "write:follows")
def authorize(tx: Writer, request: ApiRequest) -> JsonResponse:
    follows.accept(tx, _pending_request(tx, request))
    return _relationship_response(tx, request)


@routes.write("POST", "/api/v1/follow_requests/{id}/reject", "write:follows")
def reject(tx: Writer, request: ApiRequest) -> JsonResponse:
    follows.reject(tx, _pending_request(tx, request))
    return _relationship_response(tx, request)
