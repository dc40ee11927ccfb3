"""The servers this node knows, as an admin looks at them: who is there, how they do, how they are treated.

Reads only, and only a page at a time: the people of a server are counted along an index, everything else is
asked for the names of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.database import Reader, build_all, columns
from node.database.core import escape_like
from node.federation import delivery_reports, server_availability
from node.federation.server_availability import ServerAvailability
from node.interactions import severed_follows
from node.interactions.severed_follows import FollowCounts
from node.models.account import Account
from node.models.domain_policy import DomainPolicy
from node.moderation import domain_policy
from node.moderation.domain_policy import DomainBlock
from node.text.hostnames import covers, normalize

MAX_SHOWN = 12


@dataclass(frozen=True, slots=True)
class DeliveryHealth:
    """What became of what we had for a server lately. `host` is there only while something is remembered."""

    host: ServerAvailability | None
    delivered: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class ServerSummary:
    """One line of the list; `domain` is as in handles, with a port that is not the usual one."""

    domain: str
    people: int
    policy: DomainPolicy
    health: DeliveryHealth


@dataclass(frozen=True, slots=True)
class ServerDetails:
    """A server's own page. `rule` is the one about exactly this domain, `effective_rule` the nearest there is."""

    domain: str
    people: int
    posts: int
    policy: DomainPolicy
    rule: DomainBlock | None
    effective_rule: DomainBlock | None
    allowed_by: str | None
    health: list[tuple[str, DeliveryHealth]]
    follow_counts: FollowCounts
    top_accounts: list[Account]


def page(tx: Reader, *, query: str = "", after: str = "", limit: int = 50) -> list[ServerSummary]:
    """Servers with people known here, by name, those that contain `query`."""
    asked = query.strip().lower()
    rows = tx.all(
        """SELECT domain, COUNT(*) AS people FROM accounts
           WHERE NOT is_local AND domain > :after AND (:query = '' OR domain LIKE :query ESCAPE '!')
           GROUP BY domain ORDER BY domain LIMIT :limit""",
        after=after,
        query=f"%{escape_like(normalize(asked) or asked)}%" if asked else "",
        limit=limit,
    )
    return _summaries(tx, [(row["domain"], row["people"]) for row in rows])


def failing(tx: Reader, *, limit: int = 200) -> list[ServerSummary]:
    """Servers that do not answer, the longest silent first."""
    names = [host.host for host in server_availability.failing(tx, limit=limit)]
    rows = tx.all(
        """SELECT domain, COUNT(*) AS people FROM accounts
           WHERE NOT is_local AND domain IN (:names) GROUP BY domain""",
        names=names,
    )
    people = {row["domain"]: row["people"] for row in rows}
    return _summaries(tx, [(name, people.get(name, 0)) for name in names])


def _summaries(tx: Reader, found: Sequence[tuple[str, int]]) -> list[ServerSummary]:
    names = [name for name, _ in found]
    treated = domain_policy.policies(tx, names) if names else {}
    health = _health(tx, names)
    return [ServerSummary(name, people, treated[name], health[name]) for name, people in found]


def _health(tx: Reader, names: Sequence[str]) -> dict[str, DeliveryHealth]:
    known = server_availability.by_hosts(tx, names)
    told = delivery_reports.counts_by_host(tx, names)
    return {
        name: DeliveryHealth(
            known.get(name),
            told.get(name, {}).get("delivered", 0),
            told.get(name, {}).get("waiting", 0),
            sum(told.get(name, {}).get(state, 0) for state in ("failed", "gone")),
        )
        for name in names
    }


def details(tx: Reader, domain: str) -> ServerDetails:
    """Everything about one server and what is under it. Raises Invalid for what is no other server."""
    name = domain_policy.validate_domain(tx, domain)
    pairs = [
        (row["domain"], row["host"])
        for row in tx.all("SELECT DISTINCT domain, host FROM accounts WHERE NOT is_local")
        if covers(name, normalize(row["domain"])) or covers(name, normalize(row["host"]))
    ]
    totals = [
        tx.one(
            """SELECT COUNT(*) AS people, COALESCE(SUM(posts_count), 0) AS posts FROM accounts
               WHERE domain = :domain AND host = :host AND NOT is_local""",
            domain=at,
            host=host,
        )
        for at, host in pairs
    ]
    names = list(dict.fromkeys([host for _, host in pairs]))[:MAX_SHOWN] or [name]
    return ServerDetails(
        domain=name,
        people=sum(int(row["people"]) for row in totals if row is not None),
        posts=sum(int(row["posts"]) for row in totals if row is not None),
        policy=domain_policy.policy(tx, name),
        rule=domain_policy.by_domain(tx, name),
        effective_rule=domain_policy.effective_rule(tx, name),
        allowed_by=domain_policy.allow_list_entry(tx, name),
        health=list(_health(tx, names).items()),
        follow_counts=severed_follows.follow_counts(tx, pairs),
        top_accounts=_most_followed(tx, [at for at, _ in pairs]),
    )


def _most_followed(tx: Reader, names: Sequence[str]) -> list[Account]:
    """Some of the people there, those with the most followers known here first."""
    rows = tx.all(
        f"""SELECT {columns(Account)} FROM accounts
            WHERE domain IN (:names) AND NOT is_local AND deleted_at IS NULL
            ORDER BY followers_count DESC, id LIMIT :most""",  # noqa: S608
        names=list(dict.fromkeys(names)),
        most=MAX_SHOWN,
    )
    return build_all(Account, rows)
