"""The entries of block lists and the state of each: waiting, applied or declined. Owns `block_list_entries`.

`block_lists` calls it with the parsed list each time one is fetched or imported, and with what admins answer. A
list is compared with its stored entries. A new entry becomes a draft that an admin accepts or declines, or a rule at
once if the list is automatic; an entry that the list has dropped goes the same way. The rules it guards:

* a list never changes an admin's own decision, and what an admin has lifted or declined stays so;
* a list never blocks a server that is excluded, or that covers this node;
* even an automatic list ends no follows: a server with follows to or from local accounts waits for an admin;
* an automatic list that drops most of its entries, or drops any while it can be parsed only in part, waits for an
  admin too: a broken file must not lift blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.database import Reader, Row, Writer, build, build_all, columns
from node.ids import now_ms
from node.models.account import Account
from node.moderation import domain_exclusions, domain_rules
from node.moderation.block_list_csv import InvalidLine, ParsedEntry
from node.moderation.domain_rules import DomainBlock
from node.text.hostnames import normalize, with_parent_domains

PENDING_STATES = ("draft", "changed", "dropped")
MAX_UNCONFIRMED_REMOVALS = 20


@dataclass(frozen=True, slots=True)
class BlockListEntry:
    """One domain on one list.

    `state` is draft (a new block), changed (other terms than the rule made from it) or dropped (no longer on the
    list), which all wait for an admin; or applied (the rule is this list's), held (another decision about the
    domain stands) or declined.
    """

    list_id: int
    domain: str
    strength: str
    rejects_media: bool
    rejects_reports: bool
    is_obfuscated: bool
    public_comment: str
    state: str


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """A waiting entry, with the current rule for its domain and the number of follows it would end."""

    entry: BlockListEntry
    rule: DomainBlock | None
    follows_count: int


_SELECT = f"SELECT {columns(BlockListEntry)} FROM block_list_entries"  # noqa: S608


def merge(
    tx: Writer, block_list: BlockList, entries: Sequence[ParsedEntry], *, is_complete: bool = True
) -> set[str]:
    """Compares a list with its stored entries, and applies or proposes the differences.

    Returns the domains it skipped because they are excluded. `is_complete=False`: the list may name domains that
    could not be parsed, so none counts as dropped for certain.
    """
    known = {entry.domain: entry for entry in _all(tx, block_list.id)}
    now = {entry.domain: entry for entry in entries}
    excluded = domain_exclusions.excluded_among(tx, now)
    rules = {rule.domain: rule for rule in domain_rules.all_rules(tx)}
    kept = {}
    for name, entry in now.items():
        if name not in excluded:
            state = next_state(block_list, entry, known.get(name), rules.get(name))
            kept[name] = BlockListEntry(
                block_list.id,
                name,
                entry.strength,
                entry.rejects_media,
                entry.rejects_reports,
                entry.is_obfuscated,
                entry.public_comment,
                state,
            )
    dropped = [entry for entry in known.values() if entry.domain not in kept]
    _upsert(tx, kept.values())
    _handle_dropped(tx, block_list, dropped, rules, known, is_complete)
    if block_list.is_automatic:
        wanted = [entry for entry in kept.values() if entry.state in ("draft", "changed")]
        with_follows = follows_ended_by(tx, wanted)
        safe = [entry for entry in wanted if entry.domain not in with_follows]
        _apply(tx, block_list, safe, moderator=None)
    return excluded


def next_state(
    block_list: BlockList, parsed: ParsedEntry, before: BlockListEntry | None, rule: DomainBlock | None
) -> str:
    """Returns the new state of an entry that is on the list. The two tables below are the rules.

    `before` is the stored entry, `rule` the current rule for exactly this domain, by whomever it was made.
    """
    is_equal = rule is not None and _matches_rule(parsed, rule)
    if not block_list.url:
        return _OF_A_FILE["no rule" if rule is None else "equal" if is_equal else "different"]
    if rule is None:
        now = "no rule"
    elif rule.list_id != block_list.id:
        now = "of others"
    else:
        now = "own, equal" if is_equal else "own, different"
    return _OF_A_FOLLOWED_LIST[now][_BEFORE.index(before.state if before else "new")]


# A file is imported once: the earlier state of its entry does not matter, nor who made the rule there is.
_OF_A_FILE = {"no rule": "draft", "equal": "held", "different": "changed"}

# For a followed list: by the current rule for the domain ("own": made from this list; "of others": by an admin or
# another list), and by the earlier state of the entry. Where there was a rule and is none, an admin has lifted it.
# fmt: off
_BEFORE = (             "new",   "draft",   "declined", "applied",  "changed",  "dropped",  "held")
_OF_A_FOLLOWED_LIST = {
    "no rule":         ("draft", "draft",   "declined", "declined", "declined", "declined", "declined"),
    "own, equal":      ("held",  "applied", "applied",  "applied",  "applied",  "applied",  "applied"),
    "own, different":  ("held",  "changed", "changed",  "changed",  "changed",  "changed",  "changed"),
    "of others":       ("held",  "held",    "held",     "held",     "held",     "held",     "held"),
}
# fmt: on


def _matches_rule(entry: ParsedEntry | BlockListEntry, rule: DomainBlock) -> bool:
    return (entry.strength, entry.rejects_media, entry.rejects_reports) == (
        rule.strength,
        rule.rejects_media,
        rule.rejects_reports,
    )


def _upsert(tx: Writer, entries: Iterable[BlockListEntry]) -> None:
    tx.many(
        f"""INSERT INTO block_list_entries ({columns(BlockListEntry)})
            VALUES (:list_id, :domain, :strength, :rejects_media, :rejects_reports, :is_obfuscated,
                :public_comment, :state)
            ON CONFLICT (list_id, domain) DO UPDATE SET strength = excluded.strength,
                rejects_media = excluded.rejects_media, rejects_reports = excluded.rejects_reports,
                is_obfuscated = excluded.is_obfuscated, public_comment = excluded.public_comment,
                state = excluded.state""",  # noqa: S608
        [{name: getattr(entry, name) for name in BlockListEntry.__slots__} for entry in entries],
    )


def _handle_dropped(
    tx: Writer,
    block_list: BlockList,
    dropped: Sequence[BlockListEntry],
    rules: dict[str, DomainBlock],
    known: dict[str, BlockListEntry],
    is_complete: bool,
) -> None:
    """Removes, or proposes to remove, the rules of entries that are no longer on the list."""
    own = {name for name, rule in rules.items() if rule.list_id == block_list.id}
    names = [entry.domain for entry in dropped if entry.domain in own]
    _delete(tx, block_list.id, [entry.domain for entry in dropped if entry.domain not in own])
    count_before = sum(1 for name in known if name in own)
    is_credible = is_complete and (len(names) <= MAX_UNCONFIRMED_REMOVALS or len(names) * 2 <= count_before)
    if block_list.is_automatic and is_credible:
        release_rules(tx, block_list.id, names, moderator=None)
    elif names:
        _set_state(tx, block_list.id, names, "dropped")


def release_rules(tx: Writer, list_id: int, names: Sequence[str], *, moderator: Account | None) -> None:
    """Detaches rules from the list that made them: another list with the domain takes them over, or they go."""
    if not names:
        return
    _delete(tx, list_id, names)
    heirs: dict[str, BlockListEntry] = {}
    rows = tx.all(
        _SELECT + " WHERE domain IN (:names) AND state = 'held' ORDER BY list_id", names=list(names)
    )
    for entry in build_all(BlockListEntry, rows):
        heirs.setdefault(entry.domain, entry)
    for entry in heirs.values():
        _set_state(tx, entry.list_id, [entry.domain], "applied")
    domain_rules.save_rules(tx, _rules(tx, list(heirs.values()), is_of_list=True), moderator=moderator)
    domain_rules.remove_rules(tx, [name for name in names if name not in heirs], moderator=moderator)


def accept(tx: Writer, block_list: BlockList, names: Sequence[str], *, moderator: Account | None) -> int:
    """Applies those of these entries that wait; returns how many did."""
    waiting = _pending(tx, block_list.id, names)
    _apply(tx, block_list, [entry for entry in waiting if entry.state != "dropped"], moderator=moderator)
    dropped = [entry.domain for entry in waiting if entry.state == "dropped"]
    release_rules(tx, block_list.id, dropped, moderator=moderator)
    return len(waiting)


def _apply(
    tx: Writer, block_list: BlockList, entries: Sequence[BlockListEntry], *, moderator: Account | None
) -> None:
    names = [entry.domain for entry in entries]
    domain_rules.save_rules(tx, _rules(tx, entries, is_of_list=bool(block_list.url)), moderator=moderator)
    if block_list.url:
        _set_state(tx, block_list.id, names, "applied")
    else:
        _delete(tx, block_list.id, names)


def _rules(tx: Reader, entries: Sequence[BlockListEntry], *, is_of_list: bool) -> list[DomainBlock]:
    """Returns the rules that entries stand for. The private comment of an earlier rule is kept."""
    before = {rule.domain: rule for rule in domain_rules.by_domains(tx, [entry.domain for entry in entries])}
    now = now_ms()
    return [
        DomainBlock(
            domain=entry.domain,
            strength=entry.strength,
            rejects_media=entry.rejects_media,
            rejects_reports=entry.rejects_reports,
            is_obfuscated=entry.is_obfuscated,
            public_comment=entry.public_comment,
            private_comment=before[entry.domain].private_comment if entry.domain in before else "",
            list_id=entry.list_id if is_of_list else None,
            created_at=now,
        )
        for entry in entries
    ]


def decline(tx: Writer, block_list: BlockList, names: Sequence[str]) -> int:
    """Keeps the current rules against those of these entries that wait; returns how many did.

    The list does not propose them again, and rules it had made become the admins' own.
    """
    waiting = _pending(tx, block_list.id, names)
    for state, entries in (
        ("declined", [entry.domain for entry in waiting if entry.state == "draft"]),
        ("held", [entry.domain for entry in waiting if entry.state == "changed"]),
    ):
        if block_list.url:
            _set_state(tx, block_list.id, entries, state)
        else:
            _delete(tx, block_list.id, entries)
    _delete(tx, block_list.id, [entry.domain for entry in waiting if entry.state == "dropped"])
    domain_rules.detach_from_list(
        tx, block_list.id, [entry.domain for entry in waiting if entry.state != "draft"]
    )
    return len(waiting)


def _set_state(tx: Writer, list_id: int, names: Sequence[str], state: str) -> None:
    tx.run(
        "UPDATE block_list_entries SET state = :state WHERE list_id = :list AND domain IN (:names)",
        state=state,
        list=list_id,
        names=list(names),
    )


def _delete(tx: Writer, list_id: int, names: Sequence[str]) -> None:
    tx.run(
        "DELETE FROM block_list_entries WHERE list_id = :list AND domain IN (:names)",
        list=list_id,
        names=list(names),
    )


def delete_by_list(tx: Writer, list_id: int, *, keeps_rules: bool, moderator: Account | None) -> None:
    """Deletes the entries of a list. Its rules become the admins' own, or go unless another list has them too."""
    names = [rule.domain for rule in domain_rules.all_rules(tx) if rule.list_id == list_id]
    tx.run("DELETE FROM block_list_entries WHERE list_id = :list", list=list_id)
    if keeps_rules:
        domain_rules.detach_from_list(tx, list_id, names)
    else:
        release_rules(tx, list_id, names, moderator=moderator)


def has_pending(tx: Reader, list_id: int) -> bool:
    """Returns whether any entry of a list waits for an admin."""
    return bool(
        tx.value(
            "SELECT 1 FROM block_list_entries WHERE list_id = :list AND state IN (:states) LIMIT 1",
            list=list_id,
            states=list(PENDING_STATES),
        )
    )


def _all(tx: Reader, list_id: int) -> list[BlockListEntry]:
    return build_all(BlockListEntry, tx.all(_SELECT + " WHERE list_id = :list ORDER BY domain", list=list_id))


def _pending(tx: Reader, list_id: int, names: Sequence[str]) -> list[BlockListEntry]:
    rows = tx.all(
        _SELECT + " WHERE list_id = :list AND state IN (:states) AND domain IN (:names) ORDER BY domain",
        list=list_id,
        states=list(PENDING_STATES),
        names=[normalize(name) for name in names],
    )
    return [build(BlockListEntry, row) for row in rows]


def pending(tx: Reader, list_id: int, *, after: str = "", limit: int = 100) -> list[PendingEntry]:
    """Returns a page of waiting entries, by domain, those that sort behind `after`."""
    rows = tx.all(
        _SELECT
        + """ WHERE list_id = :list AND state IN (:states) AND domain > :after
              ORDER BY domain LIMIT :limit""",
        list=list_id,
        states=list(PENDING_STATES),
        after=after,
        limit=limit,
    )
    entries = build_all(BlockListEntry, rows)
    rules = {rule.domain: rule for rule in domain_rules.by_domains(tx, [entry.domain for entry in entries])}
    follow_counts = follows_ended_by(tx, entries)
    return [
        PendingEntry(entry, rules.get(entry.domain), follow_counts.get(entry.domain, 0)) for entry in entries
    ]


def counts_by_list(tx: Reader) -> dict[int, dict[str, int]]:
    """Returns the number of entries by list id and state."""
    counts: dict[int, dict[str, int]] = {}
    for row in tx.all("SELECT list_id, state, COUNT(*) AS n FROM block_list_entries GROUP BY list_id, state"):
        counts.setdefault(row["list_id"], {})[row["state"]] = row["n"]
    return counts


def pending_without_follows(tx: Reader, list_id: int) -> list[str]:
    """Returns the domains of the waiting entries that would end no follow."""
    waiting = [entry for entry in _all(tx, list_id) if entry.state in PENDING_STATES]
    with_follows = follows_ended_by(tx, waiting)
    return [entry.domain for entry in waiting if entry.domain not in with_follows]


def follows_ended_by(tx: Reader, entries: Sequence[BlockListEntry]) -> dict[str, int]:
    """Returns the number of follows between accounts of each domain and local ones,
    for entries that would suspend it.

    Domains without any are left out. Accounts count for the domain of their handle and for their host.
    """
    wanted = {entry.domain for entry in entries if entry.strength == "suspend" and entry.state != "dropped"}
    if not wanted:
        return {}
    counts: dict[str, int] = {}
    for row in _followed_servers(tx):
        above = {*with_parent_domains(normalize(row["domain"])), *with_parent_domains(normalize(row["host"]))}
        for name in above & wanted:
            counts[name] = counts.get(name, 0) + row["follows"]
    return counts


def _followed_servers(tx: Reader) -> list[Row]:
    return tx.all(
        """SELECT domain, host, SUM(n) AS follows FROM (
               SELECT a.domain, a.host, COUNT(*) AS n FROM follows f JOIN accounts a ON a.id = f.follower_id
               WHERE NOT a.is_local GROUP BY a.domain, a.host
               UNION ALL
               SELECT a.domain, a.host, COUNT(*) AS n FROM follows f JOIN accounts a ON a.id = f.followed_id
               WHERE NOT a.is_local GROUP BY a.domain, a.host) AS both_ways
           GROUP BY domain, host"""
    )


@dataclass(frozen=True, slots=True)
class BlockList:
    """A list. `url` is '' for an imported file; `strength` is that of a line with no severity.

    `asked_at` and `fetched_at` are when it was last requested and last received, in milliseconds; `failure` is why
    the last request failed, `problems` is JSON.
    """

    id: int
    title: str
    url: str
    is_automatic: bool
    strength: str
    etag: str
    modified: str
    asked_at: int | None
    fetched_at: int | None
    failure: str
    problems: str
    created_at: int

    @property
    def invalid_lines(self) -> list[InvalidLine]:
        """The lines that could not be used when it was last parsed."""
        return [InvalidLine(line, text, reason) for line, text, reason in json.loads(self.problems)]
