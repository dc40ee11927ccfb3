"""Whether somebody may like, comment on, boost or quote a post: its policy and how the two stand. Owns no table.

Every such deed asks here, whoever does it and wherever; doors ask before they offer it.
"""

from __future__ import annotations

from node.accounts import accounts, relationships
from node.database import Reader
from node.errors import NotAllowed, NotFound
from node.models import interaction_policy
from node.models.account import Account
from node.models.interaction_policy import Decision, Interaction, RequesterFacts
from node.models.post import Post
from node.models.visibility import may_see
from node.posts import mentions

_REFUSALS: dict[Interaction, str] = {
    "like": "Whoever posted this does not want it to be liked.",
    "comment": "Whoever posted this lets only some people comment.",
    "boost": "This post is not public, so it cannot be boosted.",
    "quote": "Whoever posted this does not want it to be quoted.",
}
_APPROVAL_REQUIRED = "Whoever posted this wants to be asked first, which is not possible from here yet."


def decide(
    tx: Reader, who: Account, post: Post, interaction: Interaction, *, is_visible: bool = False
) -> Decision:
    """`yes`, `no`, or `ask`. Who may not see the post may do nothing with it.

    `is_visible`: in this unit of work they have been found to see it.
    """
    if not is_visible and not may_see(tx, who, post):
        return "no"
    policy = interaction_policy.restrict_to_visibility(post.interaction_policy, post.visibility)
    rule = policy.rule(interaction)
    if post.account_id == who.id or rule == interaction_policy.EVERYONE:
        return "yes"
    author = accounts.get(tx, post.account_id)
    facts = RequesterFacts(
        can_see=True,
        is_follower=_is_following(tx, who, author),
        is_followed=_is_following(tx, author, who),
        is_mentioned=any(one.account.id == who.id for one in mentions.by_post(tx, post)),
    )
    return interaction_policy.decide(policy, interaction, facts)


def check_sees(tx: Reader, who: Account, post: Post, *, is_seen: bool = False) -> None:
    """Raises NotFound for what they may not see. `is_seen` as for `answer`."""
    if not is_seen and not may_see(tx, who, post):
        raise NotFound("There is no such post.")


def check(
    tx: Reader, who: Account, post: Post, interaction: Interaction, *, is_visible: bool = False
) -> None:
    """Raises NotFound for what they may not see, and NotAllowed with the reason."""
    check_sees(tx, who, post, is_seen=is_visible)
    given = decide(tx, who, post, interaction, is_visible=True)
    if given == "yes":
        return
    if interaction == "comment" and not post.comments_enabled:
        raise NotAllowed("Comments on this post are turned off.")
    raise NotAllowed(_APPROVAL_REQUIRED if given == "ask" else _REFUSALS[interaction])


def _is_following(tx: Reader, who: Account, other: Account) -> bool:
    found = relationships.follow_between(tx, who, other)
    return found is not None and found.is_accepted
