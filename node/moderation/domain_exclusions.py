"""Servers that no block list may ever block, whatever it says. Owns `domain_exclusions`.

An admin's own decision is not bound by it: an exclusion only keeps lists away.
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
    domain: str
    comment: str
    created_at: int


def all_exclusions(tx: Reader) -> list[Exclusion]:
    rows = tx.all(f"SELECT {columns(Exclusion)} FROM domain_exclusions ORDER BY domain")  # noqa: S608
    return build_all(Exclusion, rows)


def excluded_among(tx: Reader, names: Iterable[str]) -> set[str]:
    """Those of the names that an exclusion keeps lists away from: it is about them, or about a part of them."""
    kept = [one.domain for one in all_exclusions(tx)]
    return {name for name in names if any(covers(one, name) or covers(name, one) for one in kept)}


def add(tx: Writer, domain: str, comment: str = "", *, by: Account | None = None) -> None:
    """Keep all lists away from a server. What one has done already is taken back. Raises Invalid."""
    name = domain_rules.validate_domain(tx, domain)
    tx.run(
        """INSERT INTO domain_exclusions (domain, comment, created_at) VALUES (:domain, :comment, :now)
           ON CONFLICT (domain) DO UPDATE SET comment = excluded.comment""",
        domain=name,
        comment=comment.strip()[: domain_rules.MAX_COMMENT_LENGTH],
        now=now_ms(),
    )
    audit_log.record(tx, by, "exclude", name)
    made = [rule.domain for rule in domain_rules.all_rules(tx) if rule.list_id is not None]
    domain_rules.remove_rules(tx, [one for one in made if covers(name, one) or covers(one, name)], by=by)


def remove(tx: Writer, domain: str, *, by: Account | None = None) -> None:
    """Let lists decide about a server again, from the next time they are read."""
    name = normalize(domain)
    if tx.run("DELETE FROM domain_exclusions WHERE domain = :domain", domain=name):
        audit_log.record(tx, by, "include", name)
