"""Domain exclusions: servers that no block list may block. Owns `domain_exclusions`.

`block_list_entries` checks them whenever a list is merged. An admin can still block an excluded server by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, Writer, build_all, columns
from node.ids import now_ms
from node.models.account import Account
from node.moderation import audit_log, domain_rules
from node.text.hostnames import covers, normalize


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A domain that lists leave alone, with the domains above and under it, and the admin's note."""

    domain: str
    comment: str
    created_at: int


def all_exclusions(tx: Reader) -> list[Exclusion]:
    """Returns every exclusion, by domain."""
    rows = tx.all(f"SELECT {columns(Exclusion)} FROM domain_exclusions ORDER BY domain")  # noqa: S608
    return build_all(Exclusion, rows)


def excluded_among(tx: Reader, names: Iterable[str]) -> set[str]:
    """Returns those of `names` that lists must not block: excluded themselves,
    under an excluded domain, or above one."""
    excluded = [one.domain for one in all_exclusions(tx)]
    return {name for name in names if any(covers(one, name) or covers(name, one) for one in excluded)}


def add(tx: Writer, domain: str, comment: str = "", *, moderator: Account | None = None) -> None:
    """Excludes a server from all lists, and removes the rules that lists have made for it. Raises Invalid.

    Rules that an admin made by hand stay.
    """
    name = domain_rules.validate_domain(tx, domain)
    tx.run(
        """INSERT INTO domain_exclusions (domain, comment, created_at) VALUES (:domain, :comment, :now)
           ON CONFLICT (domain) DO UPDATE SET comment = excluded.comment""",
        domain=name,
        comment=comment.strip()[: domain_rules.MAX_COMMENT_LENGTH],
        now=now_ms(),
    )
    audit_log.record(tx, moderator, "exclude", name)
    from_lists = [rule.domain for rule in domain_rules.all_rules(tx) if rule.list_id is not None]
    covered = [one for one in from_lists if covers(name, one) or covers(one, name)]
    domain_rules.remove_rules(tx, covered, moderator=moderator)


def remove(tx: Writer, domain: str, *, moderator: Account | None = None) -> None:
    """Lets lists block a server again, from the next time they are fetched."""
    name = normalize(domain)
    if tx.run("DELETE FROM domain_exclusions WHERE domain = :domain", domain=name):
        audit_log.record(tx, moderator, "include", name)
