"""What block lists say about servers, and what became of each entry. Owns `block_list_entries`.

A list is compared with its entries each time it is read. What is new becomes a draft that an admin accepts or
declines, or a rule at once if the list is followed automatically; what a list drops goes the same way. The
rules it guards:

* an admin's own decision is never changed by a list, and what an admin has lifted or declined stays so;
* a server that is excluded, or that covers this node, is never blocked by a list;
* even an automatic list does not end follows: where our people and theirs follow each other, a person decides;
* an automatic list that loses most of what it held, or loses anything while it can be read only in part, is
  asked about instead of believed.
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
    """`state`: draft, changed, dropped (these wait for an admin), applied, held or declined."""

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
    """An entry that waits, with the rule there is now and the number of follows it would end."""

    entry: BlockListEntry
    rule: DomainBlock | None
    follows_count: int


_SELECT = f"SELECT {columns(BlockListEntry)} FROM block_list_entries"  # noqa: S608


def merge(
    tx: Writer, block_list: BlockList, entries: Sequence[ParsedEntry], *, is_complete: bool = True
) -> set[str]:
    """Compare a list with what it said before, and do or propose what is new. Returns what is excluded.

    `is_whole=False`: it may have said more than could be read.
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
    lost = [entry for entry in known.values() if entry.domain not in kept]
    _upsert(tx, kept.values())
    _handle_dropped(tx, block_list, lost, rules, known, is_complete)
    if block_list.is_automatic:
        wanted = [entry for entry in kept.values() if entry.state in ("draft", "changed")]
        tied = follows_ended_by(tx, wanted)
        _apply(tx, block_list, [entry for entry in wanted if entry.domain not in tied], by=None)
    return excluded


def next_state(
    of: BlockList, said: ParsedEntry, before: BlockListEntry | None, rule: DomainBlock | None
) -> str:
    """The state of an entry that the list has now. The rules are the two tables below."""
    is_equal = rule is not None and _matches_rule(said, rule)
    if not of.url:
        return _OF_A_FILE["no rule" if rule is None else "equal" if is_equal else "different"]
    if rule is None:
        now = "no rule"
    elif rule.list_id != of.id:
        now = "of others"
    else:
        now = "own, equal" if is_equal else "own, different"
    return _OF_A_FOLLOWED_LIST[now][_BEFORE.index(before.state if before else "new")]


# An imported file is asked for once: what its entry was before does not matter, nor whose rule there is.
_OF_A_FILE = {"no rule": "draft", "equal": "held", "different": "changed"}

# Of a followed list: by the rule there is now for the domain ("own": made from this list; "of others": an admin's
# or another list's), and by the state the entry had. Where there was a rule and is none, an admin has lifted it.
# fmt: off
_BEFORE = (             "new",   "draft",   "declined", "applied",  "changed",  "dropped",  "held")
_OF_A_FOLLOWED_LIST = {
    "no rule":         ("draft", "draft",   "declined", "declined", "declined", "declined", "declined"),
    "own, equal":      ("held",  "applied", "applied",  "applied",  "applied",  "applied",  "applied"),
    "own, different":  ("held",  "changed", "changed",  "changed",  "changed",  "changed",  "changed"),
    "of others":       ("held",  "held",    "held",     "held",     "held",     "held",     "held"),
}
# fmt: on


def _matches_rule(said: ParsedEntry | BlockListEntry, rule: DomainBlock) -> bool:
    return (said.strength, said.rejects_media, said.rejects_reports) == (
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
    of: BlockList,
    lost: Sequence[BlockListEntry],
    rules: dict[str, DomainBlock],
    known: dict[str, BlockListEntry],
    is_whole: bool,
) -> None:
    """The list does not name these any more."""
    mine = {name for name, rule in rules.items() if rule.list_id == of.id}
    made = [entry.domain for entry in lost if entry.domain in mine]
    _delete(tx, of.id, [entry.domain for entry in lost if entry.domain not in mine])
    held = sum(1 for name in known if name in mine)
    is_credible = is_whole and (len(made) <= MAX_UNCONFIRMED_REMOVALS or len(made) * 2 <= held)
    if of.is_automatic and is_credible:
        release_rules(tx, of.id, made, by=None)
    elif made:
        _set_state(tx, of.id, made, "dropped")


def release_rules(tx: Writer, list_id: int, names: Sequence[str], *, by: Account | None) -> None:
    """A list stands no more for rules it made: another list that says so takes them over, or they go."""
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
    domain_rules.save_rules(tx, _rules(tx, list(heirs.values()), is_of_list=True), by=by)
    domain_rules.remove_rules(tx, [name for name in names if name not in heirs], by=by)


def accept(tx: Writer, block_list: BlockList, names: Sequence[str], *, by: Account | None) -> int:
    """Do what these entries ask for; how many there were."""
    waiting = _pending(tx, block_list.id, names)
    _apply(tx, block_list, [entry for entry in waiting if entry.state != "dropped"], by=by)
    release_rules(tx, block_list.id, [entry.domain for entry in waiting if entry.state == "dropped"], by=by)
    return len(waiting)


def _apply(tx: Writer, of: BlockList, entries: Sequence[BlockListEntry], *, by: Account | None) -> None:
    names = [entry.domain for entry in entries]
    domain_rules.save_rules(tx, _rules(tx, entries, is_of_list=bool(of.url)), by=by)
    if of.url:
        _set_state(tx, of.id, names, "applied")
    else:
        _delete(tx, of.id, names)


def _rules(tx: Reader, entries: Sequence[BlockListEntry], *, is_of_list: bool) -> list[DomainBlock]:
    """What entries come to as rules. What the admins had noted for themselves stays."""
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
    """Leave things as they are; the list does not ask again. How many there were."""
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


def delete_by_list(tx: Writer, list_id: int, *, keeps_rules: bool, by: Account | None) -> None:
    """A list is left: its rules become the admins' own, or go unless another list stands for them."""
    made = [rule.domain for rule in domain_rules.all_rules(tx) if rule.list_id == list_id]
    tx.run("DELETE FROM block_list_entries WHERE list_id = :list", list=list_id)
    if keeps_rules:
        domain_rules.detach_from_list(tx, list_id, made)
    else:
        release_rules(tx, list_id, made, by=by)


def has_pending(tx: Reader, list_id: int) -> bool:
    """Whether any entry of a list waits for an answer."""
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
    """What waits for an answer, by name."""
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
    tied = follows_ended_by(tx, entries)
    return [PendingEntry(entry, rules.get(entry.domain), tied.get(entry.domain, 0)) for entry in entries]


def counts_by_list(tx: Reader) -> dict[int, dict[str, int]]:
    """Entries by list and state."""
    found: dict[int, dict[str, int]] = {}
    for row in tx.all("SELECT list_id, state, COUNT(*) AS n FROM block_list_entries GROUP BY list_id, state"):
        found.setdefault(row["list_id"], {})[row["state"]] = row["n"]
    return found


def pending_without_follows(tx: Reader, list_id: int) -> list[str]:
    """The drafts that would end no follow."""
    waiting = [entry for entry in _all(tx, list_id) if entry.state in PENDING_STATES]
    tied = follows_ended_by(tx, waiting)
    return [entry.domain for entry in waiting if entry.domain not in tied]


def follows_ended_by(tx: Reader, entries: Sequence[BlockListEntry]) -> dict[str, int]:
    """Domain → follows between its people and ours, for entries that would suspend it."""
    wanted = {entry.domain for entry in entries if entry.strength == "suspend" and entry.state != "dropped"}
    if not wanted:
        return {}
    found: dict[str, int] = {}
    for row in _followed_servers(tx):
        above = {*with_parent_domains(normalize(row["domain"])), *with_parent_domains(normalize(row["host"]))}
        for name in above & wanted:
            found[name] = found.get(name, 0) + row["follows"]
    return found


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
    """`url` is '' for an imported file; `strength` is what a bare name on the list asks for."""

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
        """The lines that could not be used when it was last read."""
        return [InvalidLine(line, text, why) for line, text, why in json.loads(self.problems)]
