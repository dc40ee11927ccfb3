"""The servers this node knows, as an admin looks at them: who is there, how they do, how they are treated.

Reads only, and only a page at a time: the people of a server are counted along an index, everything else is
asked for the names of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.database import Reader, build_all, columns
from node.database.core import escaped
from node.federation import deliveries, server_availability
from node.federation.server_availability import Host
from node.interactions import severed_follows
from node.interactions.severed_follows import Ties
from node.models.account import Account
from node.models.domain_policy import DomainPolicy
from node.moderation import domain_policy
from node.moderation.domain_policy import DomainBlock
from node.text.hostnames import covers, normal

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Health:
    """What became of what we had for a server lately. `host` is there only while something is remembered."""

    host: Host | None
    delivered: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class Server:
    """One line of the list; `domain` is as in handles, with a port that is not the usual one."""

    domain: str
    people: int
    policy: DomainPolicy
    health: Health


@dataclass(frozen=True, slots=True)
class Whole:
    """A server's own page. `rule` is the one about exactly this domain, `deciding` the nearest there is."""

    domain: str
    people: int
    posts: int
    policy: DomainPolicy
    rule: DomainBlock | None
    deciding: DomainBlock | None
    allowed_by: str | None
    health: list[tuple[str, Health]]
    ties: Ties
    known: list[Account]


def page(tx: Reader, *, query: str = "", after: str = "", limit: int = 50) -> list[Server]:
    """Servers with people known here, by name, those that contain `query`."""
    asked = query.strip().lower()
    rows = tx.all(
        """SELECT domain, COUNT(*) AS people FROM accounts
           WHERE NOT is_local AND domain > :after AND (:query = '' OR domain LIKE :query ESCAPE '!')
           GROUP BY domain ORDER BY domain LIMIT :limit""",
        after=after,
        query=f"%{escaped(normal(asked) or asked)}%" if asked else "",
        limit=limit,
    )
    return _servers(tx, [(row["domain"], row["people"]) for row in rows])


def failing(tx: Reader, *, limit: int = 200) -> list[Server]:
    """Servers that do not answer, the longest silent first."""
    names = [host.host for host in server_availability.failing(tx, limit=limit)]
    rows = tx.all(
        """SELECT domain, COUNT(*) AS people FROM accounts
           WHERE NOT is_local AND domain IN (:names) GROUP BY domain""",
        names=names,
    )
    people = {row["domain"]: row["people"] for row in rows}
    return _servers(tx, [(name, people.get(name, 0)) for name in names])


def _servers(tx: Reader, found: Sequence[tuple[str, int]]) -> list[Server]:
    names = [name for name, _ in found]
    treated = domain_policy.policies(tx, names) if names else {}
    health = _health(tx, names)
    return [Server(name, people, treated[name], health[name]) for name, people in found]


def _health(tx: Reader, names: Sequence[str]) -> dict[str, Health]:
    known = server_availability.by_names(tx, names)
    told = deliveries.by_hosts(tx, names)
    return {
        name: Health(
            known.get(name),
            told.get(name, {}).get("delivered", 0),
            told.get(name, {}).get("waiting", 0),
            sum(told.get(name, {}).get(state, 0) for state in ("failed", "gone")),
        )
        for name in names
    }


def of(tx: Reader, domain: str) -> Whole:
    """Everything about one server and what is under it. Raises Invalid for what is no other server."""
    name = domain_policy.checked(tx, domain)
    pairs = [
        (row["domain"], row["host"])
        for row in tx.all("SELECT DISTINCT domain, host FROM accounts WHERE NOT is_local")
        if covers(name, normal(row["domain"])) or covers(name, normal(row["host"]))
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
    names = list(dict.fromkeys([host for _, host in pairs]))[:SHOWN] or [name]
    return Whole(
        domain=name,
        people=sum(int(row["people"]) for row in totals if row is not None),
        posts=sum(int(row["posts"]) for row in totals if row is not None),
        policy=domain_policy.policy(tx, name),
        rule=domain_policy.by_domain(tx, name),
        deciding=domain_policy.deciding(tx, name),
        allowed_by=domain_policy.allowed_by(tx, name),
        health=list(_health(tx, names).items()),
        ties=severed_follows.ties(tx, pairs),
        known=_most_followed(tx, [at for at, _ in pairs]),
    )


def _most_followed(tx: Reader, names: Sequence[str]) -> list[Account]:
    """Some of the people there, those with the most followers known here first."""
    rows = tx.all(
        f"""SELECT {columns(Account)} FROM accounts
            WHERE domain IN (:names) AND NOT is_local AND deleted_at IS NULL
            ORDER BY followers_count DESC, id LIMIT :most""",  # noqa: S608
        names=list(dict.fromkeys(names)),
        most=SHOWN,
    )
    return build_all(Account, rows)
