"""Policies of posts in the words of other software, both ways.

GoToSocial's `interactionPolicy` (with `canQuote` of FEP-044f) says most: for each deed, who may at once and
who has to ask, as addresses of people and collections. Pixelfed's `capabilities` and `commentsEnabled` say
yes or no. Both are read and both are written; where a post says something in both, GoToSocial's words count,
but comments that are turned off are off.

What we write we read back as the same policy. Only circles round the author are understood: a single other
person named in a policy is passed over, which never allows more than was meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from activitypub.uris import Malformed, normal_id
from activitypub.vocab import PUBLIC
from activitypub.vocab.values import first, objects, recipients
from node.models.interaction_policy import (
    CIRCLES,
    DEFAULT,
    EVERYONE,
    NOBODY,
    Circle,
    Deed,
    InteractionPolicy,
    Rule,
    only,
)

_GOTOSOCIAL: dict[Deed, str] = {
    "like": "canLike",
    "comment": "canReply",
    "boost": "canAnnounce",
    "quote": "canQuote",
}
_PIXELFED: dict[Deed, str] = {"like": "like", "comment": "reply", "boost": "announce"}
# The names GoToSocial uses now, and those before 0.20.
_AT_ONCE = ("automaticApproval", "always")
_AFTER_ASKING = ("manualApproval", "approvalRequired")


@dataclass(frozen=True, slots=True)
class Circles:
    """The addresses that a policy names: the author's, their collections', and those of the people mentioned."""

    author: str
    followers: str | None = None
    following: str | None = None
    mentioned: frozenset[str] = frozenset()


def read(doc: dict[str, Any], circles: Circles) -> InteractionPolicy:
    """The policy in the document of a post. Never raises; what cannot be understood counts as not said."""
    return InteractionPolicy(**{deed: _rule(doc, deed, circles) for deed in _GOTOSOCIAL})


def write(policy: InteractionPolicy, circles: Circles) -> dict[str, Any]:
    """The properties of a document that say the policy, for everyone who reads one of them."""
    return {
        "commentsEnabled": bool(policy.comment),
        "capabilities": {
            name: PUBLIC if "everyone" in policy.rule(deed).allowed else []
            for deed, name in sorted(_PIXELFED.items(), key=lambda item: item[1])
        },
        "interactionPolicy": {
            name: _approvals(policy.rule(deed), circles) for deed, name in _GOTOSOCIAL.items()
        },
    }


def _rule(doc: dict[str, Any], deed: Deed, circles: Circles) -> Rule:
    may_be_commented = first(doc.get("commentsEnabled"))
    speaks_of_comments = isinstance(may_be_commented, bool)
    if deed == "comment" and may_be_commented is False:
        return NOBODY
    detailed = next(objects(doc.get("interactionPolicy"), 1), {})
    found = _gotosocial(next(objects(detailed.get(_GOTOSOCIAL[deed]), 1), {}), circles)
    if found is not None:
        # GoToSocial lets the people a post mentions answer even where it says nobody.
        if deed == "comment" and not found and not speaks_of_comments:
            return only("mentioned")
        return found
    simple = next(objects(doc.get("capabilities"), 1), {})
    name = _PIXELFED.get(deed)
    if name is not None and name in simple:
        # Nobody is `[]`, null, or the text "[]".
        return Rule(_circles(recipients(simple[name]), circles))
    return DEFAULT.rule(deed)


def _gotosocial(said: dict[str, Any], circles: Circles) -> Rule | None:
    """The rule, or None when nothing is said: empty lists vanish in JSON-LD, so they are nothing."""
    allowed, asked = _first(said, _AT_ONCE), _first(said, _AFTER_ASKING)
    if not allowed and not asked:
        return None
    return Rule(_circles(allowed, circles), _circles(asked, circles))


def _first(said: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return next((found for name in names if (found := recipients(said.get(name)))), [])


def _circles(addresses: Iterable[str], known: Circles) -> frozenset[Circle]:
    given = {_same(address) for address in addresses}
    mentioned = {_same(address) for address in known.mentioned} - {_same(known.author)}
    found: dict[Circle, bool] = {
        "everyone": PUBLIC in given,
        "followers": known.followers is not None and _same(known.followers) in given,
        "followed": known.following is not None and _same(known.following) in given,
        "mentioned": bool(mentioned) and mentioned <= given,
    }
    return frozenset(circle for circle, is_named in found.items() if is_named)


def _approvals(rule: Rule, circles: Circles) -> dict[str, Any]:
    if rule == EVERYONE:
        return {_AT_ONCE[0]: [PUBLIC]}
    # An empty list vanishes in JSON-LD, so "nobody" is said as "only the author".
    found = {_AT_ONCE[0]: [circles.author, *_addresses(rule.allowed, circles)]}
    if rule.asked:
        found[_AFTER_ASKING[0]] = _addresses(rule.asked, circles)
    return found


def _addresses(chosen: frozenset[Circle], circles: Circles) -> list[str]:
    named: dict[Circle, list[str | None]] = {
        "everyone": [PUBLIC],
        "followers": [circles.followers],
        "followed": [circles.following],
        "mentioned": [*sorted(circles.mentioned - {circles.author})],
    }
    return [
        address for circle in CIRCLES if circle in chosen for address in named[circle] if address is not None
    ]


def _same(address: str) -> str:
    try:
        return normal_id(address)
    except Malformed:
        return address
