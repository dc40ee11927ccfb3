"""Flag: a report from another server about local accounts and posts.

The actor may be a person or their server, and the objects may be accounts and posts in any order. Objects that
are not local are skipped; one Flag reports at most MAX_ACCOUNTS accounts, and one server sends at most
MAX_REPORTS_PER_HOUR.
"""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity, has_local_origin
from activitypub.uris import host_of
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


def handle_flag(tx: Writer, received: ReceivedActivity) -> None:
    """Files one report for each local account named. Raises TooManyRequests beyond the limit of an hour."""
    actor, host = received.actor, hostnames.from_uri(received.actor.uri)
    if any(domain_rules.policy(tx, name).rejects_reports for name in {actor.domain, host}):
        raise Ignored("reports from this server are rejected")
    reported = _reported_accounts(tx, received)
    if not reported:
        raise Ignored("it names no local account")
    rate_limits.count_attempt(tx, f"reports {host}", limit=MAX_REPORTS_PER_HOUR, seconds=3600)
    for target, its_posts in reported:
        reports.receive(tx, actor, target, received.activity.content, its_posts)


def _reported_accounts(tx: Reader, received: ReceivedActivity) -> list[tuple[Account, list[Post]]]:
    """Returns the local accounts that are named directly or through a post,
    each with its posts that are named."""
    named: dict[int, Account] = {}
    its_posts: dict[int, list[Post]] = {}
    for uri in dict.fromkeys(ref.uri for ref in received.activity.objects):
        if uri is None or not has_local_origin(tx, uri):
            continue
        target = accounts.by_uri(tx, uri)
        post = posts.by_uri(tx, uri) if target is None else None
        if post is not None and _is_visible_to_server(tx, received.actor, post):
            target = accounts.by_id(tx, post.account_id)
        if target is None or not target.is_local or target.kind == "Application":
            continue
        if target.deleted_at is not None or (target.id not in named and len(named) >= MAX_ACCOUNTS):
            continue
        named[target.id] = target
        if post is not None:
            its_posts.setdefault(target.id, []).append(post)
    return [(target, its_posts.get(id_, [])) for id_, target in named.items()]


def _is_visible_to_server(tx: Reader, actor: Account, post: Post) -> bool:
    """Returns whether any account on the actor's server may see the post:
    a server reports on behalf of its accounts."""
    if post.deleted_at is not None or not post.is_local:
        return False
    if post.visibility in OPEN_VISIBILITIES:
        return True
    return may_see(tx, actor, post) or recipients.has_reader_on_server(tx, post, host_of(actor.uri))
