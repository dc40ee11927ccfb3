"""Whether somebody may like, comment on, boost or quote a post: its policy and how the two stand. Owns no table.

Every such deed asks here, whoever does it and wherever; doors ask before they offer it.
"""

from __future__ import annotations

from node.accounts import accounts, relationships
from node.database import Reader
from node.errors import NotAllowed, NotFound
from node.models import interaction_policy
from node.models.account import Account
from node.models.interaction_policy import Answer, Deed, Facts
from node.models.post import Post
from node.models.visibility import may_see
from node.posts import mentions

_REFUSALS: dict[Deed, str] = {
    "like": "Whoever posted this does not want it to be liked.",
    "comment": "Whoever posted this lets only some people comment.",
    "boost": "This post is not public, so it cannot be boosted.",
    "quote": "Whoever posted this does not want it to be quoted.",
}
_ASKING = "Whoever posted this wants to be asked first, which is not possible from here yet."


def answer(tx: Reader, who: Account, post: Post, deed: Deed, *, is_seen: bool = False) -> Answer:
    """`yes`, `no`, or `ask`. Who may not see the post may do nothing with it.

    `is_seen`: in this unit of work they have been found to see it.
    """
    if not is_seen and not may_see(tx, who, post):
        return "no"
    policy = interaction_policy.narrowed(post.allows, post.visibility)
    rule = policy.rule(deed)
    if post.account_id == who.id or rule == interaction_policy.EVERYONE:
        return "yes"
    author = accounts.get(tx, post.account_id)
    facts = Facts(
        sees=True,
        follows=_is_following(tx, who, author),
        followed=_is_following(tx, author, who),
        mentioned=any(one.account.id == who.id for one in mentions.of(tx, post)),
    )
    return interaction_policy.may(policy, deed, facts)


def check_sees(tx: Reader, who: Account, post: Post, *, is_seen: bool = False) -> None:
    """Raises NotFound for what they may not see. `is_seen` as for `answer`."""
    if not is_seen and not may_see(tx, who, post):
        raise NotFound("There is no such post.")


def check(tx: Reader, who: Account, post: Post, deed: Deed, *, is_seen: bool = False) -> None:
    """Raises NotFound for what they may not see, and NotAllowed with the reason."""
    check_sees(tx, who, post, is_seen=is_seen)
    given = answer(tx, who, post, deed, is_seen=True)
    if given == "yes":
        return
    if deed == "comment" and not post.comments_enabled:
        raise NotAllowed("Comments on this post are turned off.")
    raise NotAllowed(_ASKING if given == "ask" else _REFUSALS[deed])


def _is_following(tx: Reader, who: Account, other: Account) -> bool:
    found = relationships.between(tx, who, other)
    return found is not None and found.is_accepted
