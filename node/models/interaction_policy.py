"""Interaction policies (GoToSocial): who may like, comment on, boost and quote a post. Owns no table.

The author of a post decides who may do each of these at once, and who only after approval. A policy narrows
what `visibility` allows and never widens it: an account that may not see a post may do nothing with it.
`posts.permissions` applies `decide` before an action is offered and before it is done, for local and remote
accounts alike.

Without a policy, everyone who sees a post may like, comment and boost it, and nobody may quote it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from node.models.audience import OPEN_VISIBILITIES

AudienceGroup = Literal["everyone", "followers", "followed", "mentioned"]
"""Groups of accounts as seen from the author of a post; `followed` are those the author follows."""

Interaction = Literal["like", "comment", "boost", "quote"]
Decision = Literal["yes", "ask", "no"]

AUDIENCE_GROUPS: tuple[AudienceGroup, ...] = ("everyone", "followers", "followed", "mentioned")
INTERACTIONS: tuple[Interaction, ...] = ("like", "comment", "boost", "quote")

# The narrower group decides before the wider one.
_GROUPS_BY_PRECEDENCE: tuple[tuple[AudienceGroup, ...], ...] = (
    ("mentioned",),
    ("followers", "followed"),
    ("everyone",),
)


@dataclass(frozen=True, slots=True)
class InteractionRule:
    """The groups that may at once, and those that may after the author approves. The author always may."""

    automatic_approval: frozenset[AudienceGroup] = frozenset()
    manual_approval: frozenset[AudienceGroup] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "manual_approval", self.manual_approval - self.automatic_approval)

    def __bool__(self) -> bool:
        """Returns whether any group may, at once or after approval."""
        return bool(self.automatic_approval or self.manual_approval)

    @property
    def summary(self) -> str:
        """The rule in one word: a group, `nobody`, or `mixed`."""
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
    """Builds a rule: `rule_for("followers")`, `rule_for("mentioned", manual_approval=("everyone",))`."""
    return InteractionRule(frozenset(groups), frozenset(manual_approval))


@dataclass(frozen=True, slots=True)
class InteractionPolicy:
    """One rule for each interaction; the defaults are those of a post without a policy."""

    like: InteractionRule = EVERYONE
    comment: InteractionRule = EVERYONE
    boost: InteractionRule = EVERYONE
    quote: InteractionRule = NOBODY

    def rule(self, interaction: Interaction) -> InteractionRule:
        rule: InteractionRule = getattr(self, interaction)
        return rule


DEFAULT_POLICY = InteractionPolicy()


@dataclass(frozen=True, slots=True)
class RequesterFacts:
    """The relation of an account to a post and its author, as far as a rule reads it.

    `can_see`: may see the post at all. `is_follower`: follows the author, accepted. `is_followed`: the author
    follows them. `is_mentioned`: named in the post, or the author of what it comments on.
    """

    can_see: bool
    is_author: bool = False
    is_follower: bool = False
    is_followed: bool = False
    is_mentioned: bool = False


def decide(policy: InteractionPolicy, interaction: Interaction, requester: RequesterFacts) -> Decision:
    """Returns `yes`, `no`, or `ask`: the interaction waits for the author's approval."""
    if not requester.can_see:
        return "no"
    if requester.is_author:
        return "yes"
    rule = policy.rule(interaction)
    if interaction == "comment" and requester.is_mentioned and rule:
        # An account that is mentioned may always reply, except where comments are off for all.
        return "yes"
    for groups in _GROUPS_BY_PRECEDENCE:
        own_groups = {group for group in groups if _is_in_group(requester, group)}
        if own_groups & rule.automatic_approval:
            return "yes"
        if own_groups & rule.manual_approval:
            return "ask"
    return "no"


def restrict_to_visibility(policy: InteractionPolicy, visibility: str) -> InteractionPolicy:
    """Returns the policy of a post with that visibility:
    a post that is not open is boosted and quoted by its author alone."""
    return policy if visibility in OPEN_VISIBILITIES else replace(policy, boost=NOBODY, quote=NOBODY)


def dump(policy: InteractionPolicy) -> str:
    """Serializes a policy for a column; "" for the default policy."""
    rules = {
        field.name: {
            name: sorted(groups)
            for name, groups in (("allowed", rule.automatic_approval), ("asked", rule.manual_approval))
            if groups
        }
        for field in fields(InteractionPolicy)
        if (rule := getattr(policy, field.name)) != field.default
    }
    return json.dumps(rules, sort_keys=True, separators=(",", ":")) if rules else ""


def load(text: str) -> InteractionPolicy:
    """Parses what `dump` wrote."""
    if not text:
        return DEFAULT_POLICY
    rules: dict[str, dict[str, list[Any]]] = json.loads(text)
    return InteractionPolicy(
        **{
            name: InteractionRule(frozenset(rule.get("allowed", ())), frozenset(rule.get("asked", ())))
            for name, rule in rules.items()
        }
    )


def _is_in_group(requester: RequesterFacts, group: AudienceGroup) -> bool:
    match group:
        case "everyone":
            return True
        case "followers":
            return requester.is_follower
        case "followed":
            return requester.is_followed
        case "mentioned":
            return requester.is_mentioned
