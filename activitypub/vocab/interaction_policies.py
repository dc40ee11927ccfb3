"""Parses and renders the interaction policy of a post in the formats of GoToSocial and Pixelfed.

GoToSocial's `interactionPolicy` (with `canQuote` of FEP-044f) is the detailed one: for each interaction, who is
approved automatically and who manually, as addresses of accounts and collections. Pixelfed's `capabilities` and
`commentsEnabled` are yes or no. Both are parsed and both are rendered; where a post has both, GoToSocial's counts,
but comments that are turned off are off.

A rendered policy parses back to the same policy. Only audience groups of the author are understood: a single other
account named in a policy is ignored, which never allows more than was meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from activitypub.uris import Malformed, normalize_id
from activitypub.vocab import PUBLIC
from activitypub.vocab.values import boolean, objects, recipients
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
    """The addresses that a policy may name: the author, their two collections, and the mentioned accounts."""

    author: str
    followers: str | None = None
    following: str | None = None
    mentioned: frozenset[str] = frozenset()


def parse(doc: dict[str, Any], uris: AudienceUris) -> InteractionPolicy:
    """Parses the policy in the document of a post. Never raises; what cannot be understood counts as missing."""
    return InteractionPolicy(
        **{interaction: _parse_rule(doc, interaction, uris) for interaction in _GOTOSOCIAL}
    )


def render(policy: InteractionPolicy, uris: AudienceUris) -> dict[str, Any]:
    """Renders the properties of a document that express the policy, in both formats."""
    return {
        "commentsEnabled": bool(policy.comment),
        "capabilities": {
            name: PUBLIC if "everyone" in policy.rule(interaction).automatic_approval else []
            for interaction, name in sorted(_PIXELFED.items(), key=lambda item: item[1])
        },
        "interactionPolicy": {
            name: _render_rule(policy.rule(interaction), uris) for interaction, name in _GOTOSOCIAL.items()
        },
    }


def _parse_rule(doc: dict[str, Any], interaction: Interaction, uris: AudienceUris) -> InteractionRule:
    comments_enabled = boolean(doc.get("commentsEnabled"), True)
    has_comments_switch = boolean(doc.get("commentsEnabled")) == comments_enabled
    if interaction == "comment" and not comments_enabled:
        return NOBODY
    detailed = next(objects(doc.get("interactionPolicy"), 1), {})
    found = _parse_gotosocial_rule(next(objects(detailed.get(_GOTOSOCIAL[interaction]), 1), {}), uris)
    if found is not None:
        # GoToSocial lets mentioned accounts reply even where its policy says nobody.
        if interaction == "comment" and not found and not has_comments_switch:
            return rule_for("mentioned")
        return found
    simple = next(objects(doc.get("capabilities"), 1), {})
    name = _PIXELFED.get(interaction)
    if name is not None and name in simple:
        # "Nobody" is `[]`, null, or the text "[]".
        return InteractionRule(_match_groups(recipients(simple[name]), uris))
    return DEFAULT_POLICY.rule(interaction)


def _parse_gotosocial_rule(doc: dict[str, Any], uris: AudienceUris) -> InteractionRule | None:
    """Returns the rule, or None when it is missing.

    Empty lists vanish in JSON-LD, so they count as missing.
    """
    automatic, manual = _first_listed(doc, _AUTOMATIC), _first_listed(doc, _MANUAL)
    if not automatic and not manual:
        return None
    return InteractionRule(_match_groups(automatic, uris), _match_groups(manual, uris))


def _first_listed(doc: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return next((found for name in names if (found := recipients(doc.get(name)))), [])


def _match_groups(addresses: Iterable[str], known: AudienceUris) -> frozenset[AudienceGroup]:
    given = {_normalized(address) for address in addresses}
    mentioned = {_normalized(address) for address in known.mentioned} - {_normalized(known.author)}
    found: dict[AudienceGroup, bool] = {
        "everyone": PUBLIC in given,
        "followers": known.followers is not None and _normalized(known.followers) in given,
        "followed": known.following is not None and _normalized(known.following) in given,
        "mentioned": bool(mentioned) and mentioned <= given,
    }
    return frozenset(group for group, is_named in found.items() if is_named)


def _render_rule(rule: InteractionRule, uris: AudienceUris) -> dict[str, Any]:
    if rule == EVERYONE:
        return {_AUTOMATIC[0]: [PUBLIC]}
    # An empty list vanishes in JSON-LD, so "nobody" is rendered as "only the author".
    found = {_AUTOMATIC[0]: [uris.author, *_group_uris(rule.automatic_approval, uris)]}
    if rule.manual_approval:
        found[_MANUAL[0]] = _group_uris(rule.manual_approval, uris)
    return found


def _group_uris(chosen: frozenset[AudienceGroup], uris: AudienceUris) -> list[str]:
    named: dict[AudienceGroup, list[str | None]] = {
        "everyone": [PUBLIC],
        "followers": [uris.followers],
        "followed": [uris.following],
        "mentioned": [*sorted(uris.mentioned - {uris.author})],
    }
    return [
        address
        for group in AUDIENCE_GROUPS
        if group in chosen
        for address in named[group]
        if address is not None
    ]


def _normalized(address: str) -> str:
    try:
        return normalize_id(address)
    except Malformed:
        return address
