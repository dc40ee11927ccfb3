"""Servers that an admin does not want to hear from. Owns `domain_blocks`.

A block covers the domain and everything under it, whatever the port.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, Writer, build, columns
from node.errors import Invalid
from node.ids import now_ms


@dataclass(frozen=True, slots=True)
class DomainBlock:
    domain: str
    note: str
    created_at: int


def is_blocked(tx: Reader, domain: str) -> bool:
    return bool(
        tx.value("SELECT 1 FROM domain_blocks WHERE domain IN (:names) LIMIT 1", names=_and_above(domain))
    )


def blocked_among(tx: Reader, domains: Iterable[str]) -> set[str]:
    """Those of `domains` that are blocked."""
    names = {domain: _and_above(domain) for domain in domains}
    every = sorted({name for above in names.values() for name in above})
    rows = tx.all("SELECT domain FROM domain_blocks WHERE domain IN (:names)", names=every) if every else []
    blocked = {row["domain"] for row in rows}
    return {domain for domain, above in names.items() if not blocked.isdisjoint(above)}


def block(tx: Writer, domain: str, note: str = "") -> None:
    """Exchange nothing with a domain any more. Raises Invalid for what is no domain."""
    name = _normal(domain)
    if not name or any(letter in domain.strip() for letter in " /@?#") or name == _normal(tx.site.domain):
        raise Invalid("Please give the name of another server, such as loud.example.", field="domain")
    tx.run(
        """INSERT INTO domain_blocks (domain, note, created_at) VALUES (:domain, :note, :now)
           ON CONFLICT (domain) DO UPDATE SET note = excluded.note""",
        domain=name,
        note=note,
        now=now_ms(),
    )


def unblock(tx: Writer, domain: str) -> None:
    tx.run("DELETE FROM domain_blocks WHERE domain = :domain", domain=_normal(domain))


def all_blocked(tx: Reader) -> list[DomainBlock]:
    rows = tx.all(f"SELECT {columns(DomainBlock)} FROM domain_blocks ORDER BY domain")  # noqa: S608
    return [build(DomainBlock, row) for row in rows]


def _normal(domain: str) -> str:
    host = domain.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].strip(".")


def _and_above(domain: str) -> list[str]:
    parts = _normal(domain).split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]
