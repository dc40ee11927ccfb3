"""Decides whether an account may like, comment on, boost or quote a post. Owns no table.

The answer depends on the post's interaction policy and on follows and mentions between the two. Each of these
actions calls `check`, for local and remote accounts; pages and the client API call `decide` before they offer one.
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


def decide(
    tx: Reader, account: Account, post: Post, interaction: Interaction, *, visibility_checked: bool = False
) -> Decision:
    """Returns `yes`, `no`, or `ask` (the author has to approve). Always `no` for a post the account may not see.

    `visibility_checked`: the caller has checked in this unit of work that the account may see the post.
    """
    if not visibility_checked and not may_see(tx, account, post):
        return "no"
    policy = interaction_policy.restrict_to_visibility(post.interaction_policy, post.visibility)
    rule = policy.rule(interaction)
    if post.account_id == account.id or rule == interaction_policy.EVERYONE:
        return "yes"
    author = accounts.get(tx, post.account_id)
    facts = RequesterFacts(
        can_see=True,
        is_follower=_is_following(tx, account, author),
        is_followed=_is_following(tx, author, account),
        is_mentioned=any(one.account.id == account.id for one in mentions.by_post(tx, post)),
    )
    return interaction_policy.decide(policy, interaction, facts)


def check_sees(tx: Reader, account: Account, post: Post, *, visibility_checked: bool = False) -> None:
    """Raises NotFound for a post the account may not see. `visibility_checked`: as for `decide`."""
    if not visibility_checked and not may_see(tx, account, post):
        raise NotFound("There is no such post.")


def check(
    tx: Reader, account: Account, post: Post, interaction: Interaction, *, visibility_checked: bool = False
) -> None:
    """Raises NotFound for a post the account may not see, and NotAllowed with the reason. `visibility_checked`: as for `decide`."""
    check_sees(tx, account, post, visibility_checked=visibility_checked)
    decision = decide(tx, account, post, interaction, visibility_checked=True)
    if decision == "yes":
        return
    raise _refusal(post, interaction, decision)


def _refusal(post: Post, interaction: Interaction, decision: Decision) -> NotAllowed:
    """Returns the error for a person. Each text stands in a call, where the catalogue of texts finds it."""
    if interaction == "comment" and not post.comments_enabled:
        return NotAllowed("Comments on this post are turned off.")
    if decision == "ask":
        return NotAllowed(
            "The author has to approve this first, and this server cannot request approval yet."
        )
    match interaction:
        case "like":
            return NotAllowed("The author has turned off likes for this post.")
        case "comment":
            return NotAllowed("The author has limited who can comment on this post.")
        case "boost":
            return NotAllowed("This post is not public, so it cannot be boosted.")
        case "quote":
            return NotAllowed("The author has turned off quotes of this post.")


def _is_following(tx: Reader, account: Account, other: Account) -> bool:
    found = relationships.follow_between(tx, account, other)
    return found is not None and found.is_accepted
