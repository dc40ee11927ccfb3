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

from node.models.audience import OPEN

Circle = Literal["everyone", "followers", "followed", "mentioned"]
"""Groups of people round the author of a post; `followed` are those the author follows."""

Deed = Literal["like", "comment", "boost", "quote"]
Answer = Literal["yes", "ask", "no"]

CIRCLES: tuple[Circle, ...] = ("everyone", "followers", "followed", "mentioned")
DEEDS: tuple[Deed, ...] = ("like", "comment", "boost", "quote")

# The circle that says more about somebody decides before the wider one.
_BY_NEARNESS: tuple[tuple[Circle, ...], ...] = (("mentioned",), ("followers", "followed"), ("everyone",))


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may at once, and who may after the author has said yes. The author always may."""

    allowed: frozenset[Circle] = frozenset()
    asked: frozenset[Circle] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "asked", self.asked - self.allowed)

    def __bool__(self) -> bool:
        """Whether anybody but the author may, now or when asked."""
        return bool(self.allowed or self.asked)

    @property
    def word(self) -> str:
        """The one word for the rule: a circle, `nobody`, or `mixed`."""
        if not self:
            return "nobody"
        return next(iter(self.allowed)) if len(self.allowed) == 1 and not self.asked else "mixed"


EVERYONE = Rule(frozenset({"everyone"}))
NOBODY = Rule()


def only(*circles: Circle, asking: tuple[Circle, ...] = ()) -> Rule:
    """`only("followers")`, `only("mentioned", asking=("everyone",))`."""
    return Rule(frozenset(circles), frozenset(asking))


@dataclass(frozen=True, slots=True)
class InteractionPolicy:
    like: Rule = EVERYONE
    comment: Rule = EVERYONE
    boost: Rule = EVERYONE
    quote: Rule = NOBODY

    def rule(self, deed: Deed) -> Rule:
        found: Rule = getattr(self, deed)
        return found


DEFAULT = InteractionPolicy()


@dataclass(frozen=True, slots=True)
class Facts:
    """How somebody stands to a post and its author.

    `sees`: may see the post at all. `follows` the author, accepted; is `followed` by the author.
    `mentioned`: named in the post, or the author of what it comments on.
    """

    sees: bool
    is_author: bool = False
    follows: bool = False
    followed: bool = False
    mentioned: bool = False


def may(policy: InteractionPolicy, deed: Deed, who: Facts) -> Answer:
    """`yes`, `no`, or `ask`: it waits until the author says yes."""
    if not who.sees:
        return "no"
    if who.is_author:
        return "yes"
    rule = policy.rule(deed)
    if deed == "comment" and who.mentioned and rule:
        # Nobody is talked about without a way to answer, except where there are no comments at all.
        return "yes"
    for circles in _BY_NEARNESS:
        inside = {circle for circle in circles if _is_in(who, circle)}
        if inside & rule.allowed:
            return "yes"
        if inside & rule.asked:
            return "ask"
    return "no"


def narrowed(policy: InteractionPolicy, visibility: str) -> InteractionPolicy:
    """The policy of a post with that visibility: what is not for everyone is passed on by its author alone."""
    return policy if visibility in OPEN else replace(policy, boost=NOBODY, quote=NOBODY)


def dump(policy: InteractionPolicy) -> str:
    """Text for a column; "" for the usual policy."""
    said = {
        field.name: {
            name: sorted(circles)
            for name, circles in (("allowed", rule.allowed), ("asked", rule.asked))
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
            name: Rule(frozenset(rule.get("allowed", ())), frozenset(rule.get("asked", ())))
            for name, rule in said.items()
        }
    )


def _is_in(who: Facts, circle: Circle) -> bool:
    match circle:
        case "everyone":
            return True
        case "followers":
            return who.follows
        case "followed":
            return who.followed
        case "mentioned":
            return who.mentioned
