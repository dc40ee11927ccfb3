"""Flag: another server tells what its people find wrong with ours.

It may come from a person or from their server in its own name, and name people and posts in any order. What
is not of this node is left aside; however much is named, few people are reported by one Flag, and a server
that reports all the time is not listened to for a while.
"""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity, is_local_uri
from activitypub.uris import parse_uri
from node import rate_limits
from node.accounts import accounts
from node.admin import reports
from node.database import Reader, Writer
from node.federation import recipients
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.models.visibility import may_see
from node.moderation import domain_rules
from node.posts import posts
from node.text import hostnames

MAX_ACCOUNTS = 10
MAX_REPORTS_PER_HOUR = 60


def handle_flag(tx: Writer, heard: ReceivedActivity) -> None:
    by, host = heard.actor, hostnames.from_uri(heard.actor.uri)
    if any(domain_rules.policy(tx, name).rejects_reports for name in {by.domain, host}):
        raise Ignored("reports of that server are not wanted")
    about = _reported_accounts(tx, heard)
    if not about:
        raise Ignored("it is about nobody here")
    rate_limits.count_attempt(tx, f"reports {host}", limit=MAX_REPORTS_PER_HOUR, seconds=3600)
    for target, chosen in about:
        reports.receive(tx, by, target, heard.activity.content, chosen)


def _reported_accounts(tx: Reader, heard: ReceivedActivity) -> list[tuple[Account, list[Post]]]:
    """The people of ours that are named, by themselves or through a post, and the posts of each."""
    people: dict[int, Account] = {}
    found: dict[int, list[Post]] = {}
    for uri in dict.fromkeys(ref.uri for ref in heard.activity.objects):
        if uri is None or not is_local_uri(tx, uri):
            continue
        target = accounts.by_uri(tx, uri)
        post = posts.by_uri(tx, uri) if target is None else None
        if post is not None and _is_visible_to_server(tx, heard.actor, post):
            target = accounts.by_id(tx, post.account_id)
        if target is None or not target.is_local or target.kind == "Application":
            continue
        if target.deleted_at is not None or (target.id not in people and len(people) >= MAX_ACCOUNTS):
            continue
        people[target.id] = target
        if post is not None:
            found.setdefault(target.id, []).append(post)
    return [(target, found.get(id_, [])) for id_, target in people.items()]


def _is_visible_to_server(tx: Reader, by: Account, post: Post) -> bool:
    """Whether somebody on that server may see the post: a server reports on behalf of its people."""
    if post.deleted_at is not None or not post.is_local:
        return False
    if post.visibility in OPEN_VISIBILITIES:
        return True
    asking = [by, *recipients.audience_on_server(tx, post, parse_uri(by.uri).origin + "/")]
    return any(may_see(tx, person, post) for person in asking)
