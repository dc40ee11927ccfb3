"""Follow requests: who is waiting to be let in, and the answer."""

from __future__ import annotations

from node.accounts import relationships
from node.accounts.relationships import Follow
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import follows
from web.api.endpoint import Answer, Call
from web.api.entity_fields import relationship
from web.api.v1.accounts import LISTED_DEFAULT, LISTED_MOST, people


def waiting(tx: Reader, call: Call) -> Answer:
    page = call.page(LISTED_DEFAULT, LISTED_MOST)
    bodies, ids = people(call, follows.requests(tx, call.who, page))
    return call.listed(bodies, page, ids)


def _request(tx: Reader, call: Call) -> Follow:
    """The request of the person in the path."""
    asked = relationships.between(tx, call.person(tx), call.who)
    if asked is None or asked.is_accepted:
        raise NotFound
    return asked


def _now(tx: Reader, call: Call) -> Answer:
    (between,) = relationships.of(tx, call.who, [call.id()])
    return call.json(relationship(between))


def authorize(tx: Writer, call: Call) -> Answer:
    follows.accept(tx, _request(tx, call))
    return _now(tx, call)


def reject(tx: Writer, call: Call) -> Answer:
    follows.reject(tx, _request(tx, call))
    return _now(tx, call)
