"""The servers and accounts this node knows, as admins see them: accounts, health of deliveries, policy. Owns no table.

The admin pages call it. It only reads, one page at a time: the accounts of a server are counted along an index, and
everything else is looked up for the domains of the page alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.accounts import accounts
from node.admin import reports
from node.auth import users
from node.auth.users import User
from node.database import Reader, build_all, columns
from node.database.core import escape_like
from node.errors import NotFound
from node.federation import delivery_reports, server_availability
from node.federation.server_availability import ServerAvailability
from node.interactions import severed_follows
from node.interactions.severed_follows import FollowCounts
from node.models.account import Account
from node.models.domain_policy import DomainPolicy
from node.moderation import domain_rules
from node.moderation.domain_rules import DomainBlock
from node.text.hostnames import covers, normalize

MAX_SHOWN = 12
MAX_CANDIDATES = 500
MAX_COUNTED_PEOPLE = 1_000
MAX_LEAPS = 1_000_000


@dataclass(frozen=True, slots=True)
class DeliveryHealth:
    """Recent deliveries to one host, by result. `host` is None when nothing is stored about its availability.

    `failed` includes the deliveries that were answered with 410 Gone.
    """

    host: ServerAvailability | None
    delivered: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class ServerSummary:
    """One row of the list. `domain` is as in handles, with the port if it is not the default; `people` are accounts."""

    domain: str
    people: int
    policy: DomainPolicy
    health: DeliveryHealth


@dataclass(frozen=True, slots=True)
class ServerDetails:
    """Everything on a server's own page; counts include the domains under it.

    `rule` is the one for exactly this domain, `effective_rule` the nearest that applies; `health` is by host.
    """

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


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """An account of any server as staff see it, suspended or not. `user` is None for a remote one.

    `is_with_server`: it is suspended because its server is, so the rule about the server has to change instead.
    """

    account: Account
    user: User | None
    reports: int
    is_with_server: bool


def account_details(tx: Reader, account_id: int) -> AccountDetails:
    """Returns what staff see of an account. Raises NotFound for one that is deleted or no person's."""
    account = accounts.get(tx, account_id)
    if account.deleted_at is not None or account.id == accounts.instance_actor(tx).id:
        raise NotFound("There is no account by that name here.")
    is_with_server = not account.is_local and domain_rules.is_blocked(tx, account.domain)
    return AccountDetails(
        account, users.by_account(tx, account), reports.count_about(tx, account), is_with_server
    )


def accounts_by_name(tx: Reader, text: str, limit: int = 20) -> list[Account]:
    """Returns remote accounts with this name, or this handle, suspended ones too; the most followed first.

    Of many with one name, the first `MAX_CANDIDATES` by domain are compared.
    """
    name, _, domain = text.strip().removeprefix("@").partition("@")
    rows = tx.all(
        f"""SELECT {columns(Account)} FROM accounts WHERE id IN (
                SELECT id FROM (SELECT id FROM accounts
                    WHERE lower(name) = lower(:name) AND NOT is_local AND deleted_at IS NULL
                      AND (:domain = '' OR domain = :domain)
                    ORDER BY domain LIMIT :most) AS named)
            ORDER BY followers_count DESC, id LIMIT :limit""",  # noqa: S608
        name=name,
        domain=domain.lower(),
        most=MAX_CANDIDATES,
        limit=limit,
    )
    return build_all(Account, rows)


def page(tx: Reader, *, query: str = "", after: str = "", limit: int = 50) -> list[ServerSummary]:
    """Returns a page of servers with known accounts whose domain contains `query`,
    by domain, those behind `after`.

    It leaps from one domain to the next, since a server may have a hundred thousand accounts, and counts the accounts
    of each up to `MAX_COUNTED_PEOPLE`.
    """
    text = query.strip().lower()
    rows = tx.all(
        """WITH RECURSIVE domains (domain, leap) AS (
               SELECT MIN(domain), 1 FROM accounts WHERE NOT is_local AND domain > :after
               UNION ALL SELECT (SELECT MIN(a.domain) FROM accounts a WHERE NOT a.is_local AND a.domain > d.domain),
                   d.leap + 1 FROM domains d WHERE d.domain IS NOT NULL AND d.leap < :leaps)
           SELECT shown.domain, (SELECT COUNT(*) FROM (SELECT 1 FROM accounts c
                   WHERE NOT c.is_local AND c.domain = shown.domain LIMIT :most) AS counted) AS people
           FROM (SELECT domain FROM domains WHERE domain IS NOT NULL AND domain LIKE :query ESCAPE '!'
                 ORDER BY domain LIMIT :limit) AS shown
           ORDER BY shown.domain""",
        after=after,
        query=f"%{escape_like(normalize(text) or text)}%",
        leaps=MAX_LEAPS if text else limit,
        limit=limit,
        most=MAX_COUNTED_PEOPLE,
    )
    return _summaries(tx, [(row["domain"], row["people"]) for row in rows])


def failing(tx: Reader, *, limit: int = 200) -> list[ServerSummary]:
    """Returns the servers to which deliveries fail, those failing longest first."""
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
    policies = domain_rules.policies(tx, names) if names else {}
    health = _health(tx, names)
    return [ServerSummary(name, people, policies[name], health[name]) for name, people in found]


def _health(tx: Reader, names: Sequence[str]) -> dict[str, DeliveryHealth]:
    availability = server_availability.by_hosts(tx, names)
    counts = delivery_reports.counts_by_host(tx, names)
    return {
        name: DeliveryHealth(
            availability.get(name),
            counts.get(name, {}).get("delivered", 0),
            counts.get(name, {}).get("waiting", 0),
            sum(counts.get(name, {}).get(state, 0) for state in ("failed", "gone")),
        )
        for name in names
    }


def details(tx: Reader, domain: str) -> ServerDetails:
    """Returns everything about one server, known or not, with the domains under it.

    Raises Invalid for a name that is not a domain, and for one that covers this node.
    """
    name = domain_rules.validate_domain(tx, domain)
    pairs = [
        (row["domain"], row["host"])
        for row in tx.all("SELECT DISTINCT domain, host FROM accounts WHERE NOT is_local")
        if covers(name, normalize(row["domain"])) or covers(name, normalize(row["host"]))
    ]
    totals = [
        tx.one(
            """SELECT COUNT(*) AS people, COALESCE(SUM(posts_count), 0) AS posts FROM accounts
               WHERE domain = :domain AND host = :host AND NOT is_local""",
            domain=account_domain,
            host=host,
        )
        for account_domain, host in pairs
    ]
    names = list(dict.fromkeys([host for _, host in pairs]))[:MAX_SHOWN] or [name]
    return ServerDetails(
        domain=name,
        people=sum(int(row["people"]) for row in totals if row is not None),
        posts=sum(int(row["posts"]) for row in totals if row is not None),
        policy=domain_rules.policy(tx, name),
        rule=domain_rules.by_domain(tx, name),
        effective_rule=domain_rules.effective_rule(tx, name),
        allowed_by=domain_rules.allow_list_entry(tx, name),
        health=list(_health(tx, names).items()),
        follow_counts=severed_follows.follow_counts(tx, pairs),
        top_accounts=_most_followed(tx, [account_domain for account_domain, _ in pairs]),
    )


def _most_followed(tx: Reader, names: Sequence[str]) -> list[Account]:
    """Returns the accounts of these domains with the most followers known to this node, at most
    `MAX_SHOWN`."""
    rows = tx.all(
        f"""SELECT {columns(Account)} FROM accounts
            WHERE domain IN (:names) AND NOT is_local AND deleted_at IS NULL
            ORDER BY followers_count DESC, id LIMIT :limit""",  # noqa: S608
        names=list(dict.fromkeys(names)),
        limit=MAX_SHOWN,
    )
    return build_all(Account, rows)
