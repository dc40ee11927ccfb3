"""What may be done with a post, and by whom: liking, commenting, boosting, quoting. Owns no table.

Whoever published a post may say who may do each of these at once, and who may after a yes. It narrows what
`visibility` allows and never widens it: who may not see a post may do nothing with it. Doors ask `may`
before they offer a deed, deeds before they do it, for people here and people elsewhere alike.

Where nothing is said, everyone who sees a post may like, comment and boost it, and nobody may quote it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from node.models.audience import OPEN_VISIBILITIES

AudienceGroup = Literal["everyone", "followers", "followed", "mentioned"]
"""Groups of people round the author of a post; `followed` are those the author follows."""

Interaction = Literal["like", "comment", "boost", "quote"]
Decision = Literal["yes", "ask", "no"]

AUDIENCE_GROUPS: tuple[AudienceGroup, ...] = ("everyone", "followers", "followed", "mentioned")
INTERACTIONS: tuple[Interaction, ...] = ("like", "comment", "boost", "quote")

# The circle that says more about somebody decides before the wider one.
_GROUPS_BY_PRECEDENCE: tuple[tuple[AudienceGroup, ...], ...] = (
    ("mentioned",),
    ("followers", "followed"),
    ("everyone",),
)


@dataclass(frozen=True, slots=True)
class InteractionRule:
    """Who may at once, and who may after the author has said yes. The author always may."""

    automatic_approval: frozenset[AudienceGroup] = frozenset()
    manual_approval: frozenset[AudienceGroup] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "manual_approval", self.manual_approval - self.automatic_approval)

    def __bool__(self) -> bool:
        """Whether anybody but the author may, now or when asked."""
        return bool(self.automatic_approval or self.manual_approval)

    @property
    def summary(self) -> str:
        """The one word for the rule: a circle, `nobody`, or `mixed`."""
        if not self:
            return "nobody"
        return (
            next(iter(self.automatic_approval))
            if len(self.automatic_approval) == 1 and not self.manual_approval
            else "mixed"
        )


EVERYONE = InteractionRule(frozenset({"everyone"}))
NOBODY = InteractionRule()


def rule_for(*groups: AudienceGroup, manual_approval: tuple[AudienceGroup, ...] = ()) -> InteractionRule:
    """`only("followers")`, `only("mentioned", asking=("everyone",))`."""
    return InteractionRule(frozenset(groups), frozenset(manual_approval))


@dataclass(frozen=True, slots=True)
class InteractionPolicy:
    like: InteractionRule = EVERYONE
    comment: InteractionRule = EVERYONE
    boost: InteractionRule = EVERYONE
    quote: InteractionRule = NOBODY

    def rule(self, interaction: Interaction) -> InteractionRule:
        found: InteractionRule = getattr(self, interaction)
        return found


DEFAULT_POLICY = InteractionPolicy()


@dataclass(frozen=True, slots=True)
class RequesterFacts:
    """How somebody stands to a post and its author.

    `can_see`: may see the post at all. `is_follower` the author, accepted; is `is_followed` by the author.
    `is_mentioned`: named in the post, or the author of what it comments on.
    """

    can_see: bool
    is_author: bool = False
    is_follower: bool = False
    is_followed: bool = False
    is_mentioned: bool = False


def decide(policy: InteractionPolicy, interaction: Interaction, requester: RequesterFacts) -> Decision:
    """`yes`, `no`, or `ask`: it waits until the author says yes."""
    if not requester.can_see:
        return "no"
    if requester.is_author:
        return "yes"
    rule = policy.rule(interaction)
    if interaction == "comment" and requester.is_mentioned and rule:
        # Nobody is talked about without a way to answer, except where there are no comments at all.
        return "yes"
    for circles in _GROUPS_BY_PRECEDENCE:
        inside = {circle for circle in circles if _is_in_group(requester, circle)}
        if inside & rule.automatic_approval:
            return "yes"
        if inside & rule.manual_approval:
            return "ask"
    return "no"


def restrict_to_visibility(policy: InteractionPolicy, visibility: str) -> InteractionPolicy:
    """The policy of a post with that visibility: what is not for everyone is passed on by its author alone."""
    return policy if visibility in OPEN_VISIBILITIES else replace(policy, boost=NOBODY, quote=NOBODY)


def dump(policy: InteractionPolicy) -> str:
    """Text for a column; "" for the usual policy."""
    said = {
        field.name: {
            name: sorted(circles)
            for name, circles in (("allowed", rule.automatic_approval), ("asked", rule.manual_approval))
            if circles
        }
        for field in fields(InteractionPolicy)
        if (rule := getattr(policy, field.name)) != field.default
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":")) if said else ""


def load(text: str) -> InteractionPolicy:
    """What `dump` wrote."""
    said: dict[str, dict[str, list[Any]]] = json.loads(text) if text else {}
    return InteractionPolicy(
        **{
            name: InteractionRule(frozenset(rule.get("allowed", ())), frozenset(rule.get("asked", ())))
            for name, rule in said.items()
        }
    )


def _is_in_group(who: RequesterFacts, circle: AudienceGroup) -> bool:
    match circle:
        case "everyone":
            return True
        case "followers":
            return who.is_follower
        case "followed":
            return who.is_followed
        case "mentioned":
            return who.is_mentioned
