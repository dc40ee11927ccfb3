"""Domain rules: how other servers are treated, and the allow list. Owns `domain_blocks` and `domain_allows`.

Three strengths: `suspend` (nothing is accepted, delivered or shown), `limit` (only followers see its accounts, which
must request to follow), `none` (only the flags count: no media, no reports). A rule is about a domain and everything
under it, whatever the port, case or alphabet; of several the nearest decides, so a rule of strength `none` also
excepts a part of a blocked domain. In allow-list mode, every server that is not on the list counts as suspended.

Inbox, HTTP client and delivery look a domain up here. What pages need of every row is stored as three columns of
`accounts` (`accounts.apply_policy_to_server`), written in the unit of work that changes a rule; whatever takes longer
is left to the job `apply_policy` (`admin.domain_enforcement`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node import settings
from node.accounts import accounts
from node.database import Reader, Writer, build, build_all, columns
from node.errors import Invalid, NotFound
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.models.domain_policy import STRENGTHS, DomainPolicy
from node.moderation import audit_log
from node.text import hostnames
from node.text.hostnames import normalize, with_parent_domains

MAX_COMMENT_LENGTH = 2000
MAX_SERVERS_IN_TRANSACTION = 100
ACCOUNTS_PER_BATCH = 500
_MODE_SETTING = "federation_mode"


@dataclass(frozen=True, slots=True)
class DomainBlock:
    """One rule. `list_id` is the block list it came from, None for an admin's own decision."""

    domain: str
    strength: str
    rejects_media: bool
    rejects_reports: bool
    is_obfuscated: bool
    public_comment: str
    private_comment: str
    list_id: int | None
    created_at: int

    @property
    def label(self) -> str:
        """The domain as shown to the public: with the middle half replaced by asterisks if `is_obfuscated`."""
        name = hostnames.to_unicode(self.domain)
        if not self.is_obfuscated:
            return name
        shown = max(1, len(name) // 4)
        return "".join(
            character if character == "." or n < shown or n >= len(name) - shown else "*"
            for n, character in enumerate(name)
        )


@dataclass(frozen=True, slots=True)
class DomainAllow:
    """One entry of the allow list: a domain with everything under it."""

    domain: str
    comment: str
    created_at: int


UNRESTRICTED = DomainPolicy()
SUSPENDED = DomainPolicy("suspend", rejects_media=True, rejects_reports=True)

_SELECT = f"SELECT {columns(DomainBlock)} FROM domain_blocks"  # noqa: S608


def policies(tx: Reader, domains: Iterable[str]) -> dict[str, DomainPolicy]:
    """Returns the policy for each of these domains (or hosts, with or without port).

    What is not a valid domain counts as suspended; this node's own domains are never restricted.
    """
    names = {domain: normalize(domain) for domain in domains}
    above = {parent for name in names.values() for parent in with_parent_domains(name)}
    if not above:
        return dict.fromkeys(names, SUSPENDED)
    rules = {
        row["domain"]: DomainPolicy(row["strength"], bool(row["rejects_media"]), bool(row["rejects_reports"]))
        for row in tx.all(
            """SELECT domain, strength, rejects_media, rejects_reports FROM domain_blocks
               WHERE domain IN (:names)""",
            names=list(above),
        )
    }
    allowed: set[str] | None = None
    if tx.site.is_allowlist_mode:
        rows = tx.all("SELECT domain FROM domain_allows WHERE domain IN (:names)", names=list(above))
        allowed = {row["domain"] for row in rows}
    own = {normalize(one) for one in tx.site.own_domains}
    return {
        domain: UNRESTRICTED if name in own else _resolve_policy(name, rules, allowed)
        for domain, name in names.items()
    }


def _resolve_policy(name: str, rules: Mapping[str, DomainPolicy], allowed: set[str] | None) -> DomainPolicy:
    above = with_parent_domains(name)
    if not above or (allowed is not None and allowed.isdisjoint(above)):
        return SUSPENDED
    found = next((rules[one] for one in above if one in rules), UNRESTRICTED)
    return SUSPENDED if found.is_suspended else found


def policy(tx: Reader, domain: str) -> DomainPolicy:
    """Returns the policy for one server."""
    return policies(tx, [domain])[domain]


def is_blocked(tx: Reader, domain: str) -> bool:
    """Returns whether a server is suspended."""
    return policies(tx, [domain])[domain].is_suspended


def blocked_among(tx: Reader, domains: Iterable[str]) -> set[str]:
    """Returns those of `domains` that are suspended."""
    return {domain for domain, found in policies(tx, domains).items() if found.is_suspended}


def allows_media(tx: Reader, account: Account, url: str) -> bool:
    """Returns whether an image of this account at this URL may be fetched and shown.

    Both the account's server and the host of the URL may have a rule that rejects media.
    """
    if account.is_local:
        return True
    return not account.is_without_media and not policy(tx, hostnames.from_uri(url)).rejects_media


def by_domain(tx: Reader, domain: str) -> DomainBlock | None:
    """Returns the rule for exactly this domain."""
    row = tx.one(_SELECT + " WHERE domain = :domain", domain=normalize(domain))
    return build(DomainBlock, row) if row else None


def effective_rule(tx: Reader, domain: str) -> DomainBlock | None:
    """Returns the rule that applies to a server: its own, or that of the nearest domain above."""
    above = with_parent_domains(normalize(domain))
    rules = {
        row["domain"]: build(DomainBlock, row)
        for row in tx.all(_SELECT + " WHERE domain IN (:names)", names=above)
    }
    return next((rules[name] for name in above if name in rules), None)


def all_rules(tx: Reader) -> list[DomainBlock]:
    """Returns every rule, by domain."""
    return build_all(DomainBlock, tx.all(_SELECT + " ORDER BY domain"))


def by_domains(tx: Reader, names: Sequence[str]) -> list[DomainBlock]:
    """Returns the rules for exactly these domains."""
    rows = tx.all(_SELECT + " WHERE domain IN (:names) ORDER BY domain", names=list(names))
    return build_all(DomainBlock, rows)


def search_rules(tx: Reader, *, query: str = "", after: str = "", limit: int = 50) -> list[DomainBlock]:
    """Returns a page of rules whose domain contains `query`, by domain, those that sort behind `after`."""
    rows = tx.all(
        _SELECT
        + """ WHERE domain > :after AND (:query = '' OR domain LIKE :query ESCAPE '!')
              ORDER BY domain LIMIT :limit""",
        after=after,
        query=f"%{hostnames.normalize(query) or query.strip().lower()}%".replace("_", "!_") if query else "",
        limit=limit,
    )
    return build_all(DomainBlock, rows)


def validate_domain(tx: Reader, domain: str) -> str:
    """Normalizes the domain of another server, or that of a URL. Raises Invalid for what is none, or would cover this node."""
    name = hostnames.from_typed(domain)
    if not name:
        raise Invalid("Please enter the domain of another server, such as server.example.", field="domain")
    if any(hostnames.covers(name, normalize(own)) for own in tx.site.own_domains):
        raise Invalid("The rule would apply to this server itself.", field="domain")
    return name


def block(
    tx: Writer,
    domain: str,
    public_comment: str = "",
    *,
    strength: str = "suspend",
    rejects_media: bool = False,
    rejects_reports: bool = False,
    is_obfuscated: bool = False,
    private_comment: str = "",
    moderator: Account | None = None,
) -> None:
    """Sets the rule for a domain and what is under it, in place of an earlier one. Raises Invalid."""
    if strength not in STRENGTHS:
        raise Invalid("Please select a severity.", field="strength", detail=strength)
    rule = DomainBlock(
        validate_domain(tx, domain),
        strength,
        rejects_media,
        rejects_reports,
        is_obfuscated,
        public_comment.strip()[:MAX_COMMENT_LENGTH],
        private_comment.strip()[:MAX_COMMENT_LENGTH],
        None,
        now_ms(),
    )
    save_rules(tx, [rule], moderator=moderator)


def save_rules(tx: Writer, rules: Sequence[DomainBlock], *, moderator: Account | None = None) -> None:
    """Stores many rules at once, and applies them. The caller has validated their domains."""
    tx.many(
        f"""INSERT INTO domain_blocks ({columns(DomainBlock)})
            VALUES (:domain, :strength, :rejects_media, :rejects_reports, :is_obfuscated, :public_comment,
                :private_comment, :list_id, :created_at)
            ON CONFLICT (domain) DO UPDATE SET strength = excluded.strength,
                rejects_media = excluded.rejects_media, rejects_reports = excluded.rejects_reports,
                is_obfuscated = excluded.is_obfuscated, public_comment = excluded.public_comment,
                private_comment = excluded.private_comment, list_id = excluded.list_id""",  # noqa: S608
        [{name: getattr(rule, name) for name in DomainBlock.__slots__} for rule in rules],
    )
    for rule in rules:
        flags = [
            name
            for name, is_set in (("media", rule.rejects_media), ("reports", rule.rejects_reports))
            if is_set
        ]
        audit_log.record(tx, moderator, "rule", rule.domain, " ".join([rule.strength, *flags]))
    apply_rules(tx, [rule.domain for rule in rules])


def unblock(tx: Writer, domain: str, *, moderator: Account | None = None) -> None:
    """Removes a rule. What it hid is visible again, and the follows it ended come back."""
    remove_rules(tx, [normalize(domain)], moderator=moderator)


def remove_rules(tx: Writer, names: Sequence[str], *, moderator: Account | None = None) -> None:
    """Removes many rules at once; domains without one are ignored."""
    rows = tx.all("DELETE FROM domain_blocks WHERE domain IN (:names) RETURNING domain", names=list(names))
    for row in rows:
        audit_log.record(tx, moderator, "lift", row["domain"])
    apply_rules(tx, [row["domain"] for row in rows])


def detach_from_list(tx: Writer, list_id: int, names: Sequence[str]) -> None:
    """Makes rules of a list the admins' own."""
    tx.run(
        "UPDATE domain_blocks SET list_id = NULL WHERE list_id = :list AND domain IN (:names)",
        list=list_id,
        names=list(names),
    )


def allow_list(tx: Reader) -> list[DomainAllow]:
    """Returns the allow list, by domain."""
    rows = tx.all(f"SELECT {columns(DomainAllow)} FROM domain_allows ORDER BY domain")  # noqa: S608
    return build_all(DomainAllow, rows)


def allow_list_entry(tx: Reader, domain: str) -> str | None:
    """Returns the domain on the allow list that allows a server, or None."""
    entry: str | None = tx.value(
        "SELECT MAX(domain) FROM domain_allows WHERE domain IN (:names)",
        names=with_parent_domains(normalize(domain)),
    )
    return entry


def allow(tx: Writer, domain: str, comment: str = "", *, moderator: Account | None = None) -> None:
    """Adds a server to the allow list. Raises Invalid."""
    name = validate_domain(tx, domain)
    tx.run(
        """INSERT INTO domain_allows (domain, comment, created_at) VALUES (:domain, :comment, :now)
           ON CONFLICT (domain) DO UPDATE SET comment = excluded.comment""",
        domain=name,
        comment=comment.strip()[:MAX_COMMENT_LENGTH],
        now=now_ms(),
    )
    audit_log.record(tx, moderator, "allow", name)
    apply_rules(tx, [name])


def disallow(tx: Writer, domain: str, *, moderator: Account | None = None) -> None:
    """Removes a server from the allow list. Raises NotFound."""
    name = normalize(domain)
    if not tx.run("DELETE FROM domain_allows WHERE domain = :domain", domain=name):
        raise NotFound("That server is not on the allow list.")
    audit_log.record(tx, moderator, "disallow", name)
    apply_rules(tx, [name])


def apply_federation_mode(tx: Writer) -> None:
    """Applies the rules to all remote accounts if the option `federation.mode` has changed since the last start."""
    mode = "allowlist" if tx.site.is_allowlist_mode else "open"
    if (settings.get(tx, _MODE_SETTING) or "open") != mode:
        settings.put(tx, _MODE_SETTING, mode)
        audit_log.record(tx, None, "mode", mode)
        apply_rules(tx, None)


def apply_rules(tx: Writer, rules: Sequence[str] | None) -> None:
    """Marks the remote accounts that these domains (None: all) cover with the policy that now applies to them.

    Up to `MAX_SERVERS_IN_TRANSACTION` servers are done at once; with more, the job goes through all remote accounts.
    """
    if rules is not None and not rules:
        return
    wanted = None if rules is None else set(rules)
    servers = [
        (row["domain"], row["host"])
        for row in tx.all("SELECT DISTINCT domain, host FROM accounts WHERE NOT is_local")
        if wanted is None
        or not wanted.isdisjoint(
            [*with_parent_domains(normalize(row["domain"])), *with_parent_domains(normalize(row["host"]))]
        )
    ]
    if len(servers) > MAX_SERVERS_IN_TRANSACTION:
        queue.add(tx, "apply_policy", {"everybody": True})
    else:
        by_name = policies(tx, {name for pair in servers for name in pair})
        for domain, host in servers:
            accounts.apply_policy_to_server(tx, domain, host, by_name[domain].combined_with(by_name[host]))
        queue.add(tx, "apply_policy", {})


def apply_to_next_accounts(tx: Writer, after: int) -> int:
    """Marks the next batch of remote accounts, by id. Returns the last id of the batch, 0 when none is left."""
    rows = tx.all(
        """SELECT id, domain, host, is_limited, is_without_media, suspended_at, suspended_with_server
           FROM accounts WHERE id > :after AND NOT is_local ORDER BY id LIMIT :limit""",
        after=after,
        limit=ACCOUNTS_PER_BATCH,
    )
    if not rows:
        return 0
    by_name = policies(tx, {row[name] for row in rows for name in ("domain", "host")})
    changed: dict[DomainPolicy, list[int]] = {}
    for row in rows:
        wanted = by_name[row["domain"]].combined_with(by_name[row["host"]])
        if not _is_applied(
            wanted,
            bool(row["is_limited"]),
            bool(row["is_without_media"]),
            row["suspended_at"] is not None,
            bool(row["suspended_with_server"]),
        ):
            changed.setdefault(wanted, []).append(row["id"])
    for wanted, ids in changed.items():
        accounts.apply_policy_to_accounts(tx, ids, wanted)
    return int(rows[-1]["id"])


def apply_to_account(tx: Writer, account: Account) -> Account:
    """Marks a remote account with the policy of its server, after it was fetched; returns the account.

    The domain of the handle and the host of the id may differ: the stricter policy counts. Local ones stay.
    """
    if account.is_local:
        return account
    host = hostnames.from_uri(account.uri)
    by_name = policies(tx, {account.domain, host})
    wanted = by_name[account.domain].combined_with(by_name[host])
    if _is_applied(
        wanted,
        account.is_limited,
        account.is_without_media,
        account.suspended_at is not None,
        account.suspended_with_server,
    ):
        return account
    accounts.apply_policy_to_accounts(tx, [account.id], wanted)
    return accounts.get(tx, account.id)


def _is_applied(
    wanted: DomainPolicy, is_limited: bool, is_without_media: bool, is_suspended: bool, with_server: bool
) -> bool:
    """Returns whether an account's marks agree with the policy.

    A moderator's own suspension satisfies a suspended one.
    """
    if (wanted.is_limited, wanted.rejects_media) != (is_limited, is_without_media):
        return False
    return is_suspended if wanted.is_suspended else not with_server
