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

from activitypub.uris import Malformed, normalize_id
from activitypub.vocab import PUBLIC
from activitypub.vocab.values import first, objects, recipients
from node.models.interaction_policy import (
    AUDIENCE_GROUPS,
    DEFAULT_POLICY,
    EVERYONE,
    NOBODY,
    AudienceGroup,
    Interaction,
    InteractionPolicy,
    InteractionRule,
    rule_for,
)

_GOTOSOCIAL: dict[Interaction, str] = {
    "like": "canLike",
    "comment": "canReply",
    "boost": "canAnnounce",
    "quote": "canQuote",
}
_PIXELFED: dict[Interaction, str] = {"like": "like", "comment": "reply", "boost": "announce"}
# The names GoToSocial uses now, and those before 0.20.
_AUTOMATIC = ("automaticApproval", "always")
_MANUAL = ("manualApproval", "approvalRequired")


@dataclass(frozen=True, slots=True)
class AudienceUris:
    """The addresses that a policy names: the author's, their collections', and those of the people mentioned."""

    author: str
    followers: str | None = None
    following: str | None = None
    mentioned: frozenset[str] = frozenset()


def parse(doc: dict[str, Any], uris: AudienceUris) -> InteractionPolicy:
    """The policy in the document of a post. Never raises; what cannot be understood counts as not said."""
    return InteractionPolicy(**{deed: _parse_rule(doc, deed, uris) for deed in _GOTOSOCIAL})


def render(policy: InteractionPolicy, uris: AudienceUris) -> dict[str, Any]:
    """The properties of a document that say the policy, for everyone who reads one of them."""
    return {
        "commentsEnabled": bool(policy.comment),
        "capabilities": {
            name: PUBLIC if "everyone" in policy.rule(deed).automatic_approval else []
            for deed, name in sorted(_PIXELFED.items(), key=lambda item: item[1])
        },
        "interactionPolicy": {
            name: _render_rule(policy.rule(deed), uris) for deed, name in _GOTOSOCIAL.items()
        },
    }


def _parse_rule(doc: dict[str, Any], deed: Interaction, circles: AudienceUris) -> InteractionRule:
    may_be_commented = first(doc.get("commentsEnabled"))
    speaks_of_comments = isinstance(may_be_commented, bool)
    if deed == "comment" and may_be_commented is False:
        return NOBODY
    detailed = next(objects(doc.get("interactionPolicy"), 1), {})
    found = _parse_gotosocial_rule(next(objects(detailed.get(_GOTOSOCIAL[deed]), 1), {}), circles)
    if found is not None:
        # GoToSocial lets the people a post mentions answer even where it says nobody.
        if deed == "comment" and not found and not speaks_of_comments:
            return rule_for("mentioned")
        return found
    simple = next(objects(doc.get("capabilities"), 1), {})
    name = _PIXELFED.get(deed)
    if name is not None and name in simple:
        # Nobody is `[]`, null, or the text "[]".
        return InteractionRule(_match_groups(recipients(simple[name]), circles))
    return DEFAULT_POLICY.rule(deed)


def _parse_gotosocial_rule(said: dict[str, Any], circles: AudienceUris) -> InteractionRule | None:
    """The rule, or None when nothing is said: empty lists vanish in JSON-LD, so they are nothing."""
    allowed, asked = _first_listed(said, _AUTOMATIC), _first_listed(said, _MANUAL)
    if not allowed and not asked:
        return None
    return InteractionRule(_match_groups(allowed, circles), _match_groups(asked, circles))


def _first_listed(said: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return next((found for name in names if (found := recipients(said.get(name)))), [])


def _match_groups(addresses: Iterable[str], known: AudienceUris) -> frozenset[AudienceGroup]:
    given = {_normalized(address) for address in addresses}
    mentioned = {_normalized(address) for address in known.mentioned} - {_normalized(known.author)}
    found: dict[AudienceGroup, bool] = {
        "everyone": PUBLIC in given,
        "followers": known.followers is not None and _normalized(known.followers) in given,
        "followed": known.following is not None and _normalized(known.following) in given,
        "mentioned": bool(mentioned) and mentioned <= given,
    }
    return frozenset(circle for circle, is_named in found.items() if is_named)


def _render_rule(rule: InteractionRule, circles: AudienceUris) -> dict[str, Any]:
    if rule == EVERYONE:
        return {_AUTOMATIC[0]: [PUBLIC]}
    # An empty list vanishes in JSON-LD, so "nobody" is said as "only the author".
    found = {_AUTOMATIC[0]: [circles.author, *_group_uris(rule.automatic_approval, circles)]}
    if rule.manual_approval:
        found[_MANUAL[0]] = _group_uris(rule.manual_approval, circles)
    return found


def _group_uris(chosen: frozenset[AudienceGroup], circles: AudienceUris) -> list[str]:
    named: dict[AudienceGroup, list[str | None]] = {
        "everyone": [PUBLIC],
        "followers": [circles.followers],
        "followed": [circles.following],
        "mentioned": [*sorted(circles.mentioned - {circles.author})],
    }
    return [
        address
        for circle in AUDIENCE_GROUPS
        if circle in chosen
        for address in named[circle]
        if address is not None
    ]


def _normalized(address: str) -> str:
    try:
        return normalize_id(address)
    except Malformed:
        return address
