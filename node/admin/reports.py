"""Reports: what somebody finds wrong with somebody else, for those who run the node. Owns `reports`, `report_posts`.

A report names one person and some of their posts, never those of others, and never a post that whoever reports
may not see: whoever moderates reads here what was reported, even if it was not meant for them. To another
server it goes only if asked for, in the node's own name, with nothing but the posts that were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.accounts import accounts
from node.auth import users
from node.database import Reader, Row, Writer, build, build_all, columns
from node.errors import Invalid, NotAllowed, NotFound
from node.federation import outbox
from node.ids import new_id, now_ms
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import may_see
from node.moderation import audit_log
from node.paging import Page
from node.posts import posts
from node.text import formatting

CATEGORIES = ("spam", "legal", "violation", "other")
LONGEST = 1000
LONGEST_ELSEWHERE = 5000
MOST_POSTS = 40
KEPT_MS = 365 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Report:
    id: int
    by_id: int
    target_id: int
    category: str
    words: str
    is_forwarded: bool
    created_at: int
    closed_at: int | None
    closed_by: int | None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Case:
    """A report with whom and what it is about, as those who run the node see it."""

    report: Report
    by: Account
    target: Account
    posts: list[Post]
    closed_by: Account | None
    others: int
    """How many more reports there are about the same person."""


_SELECT = f"SELECT {columns(Report)} FROM reports"  # noqa: S608


def report(
    tx: Writer,
    who: Account,
    target: Account,
    *,
    words: str = "",
    post_ids: Sequence[int] = (),
    category: str = "other",
    is_forwarded: bool = False,
) -> Report:
    """One of ours reports somebody. Raises Invalid and NotFound.

    `is_forwarded`: the target's own server hears of it too, not by whom.
    """
    words = formatting.clean_text(words, LONGEST + 1).strip()
    if len(words) > LONGEST:
        raise Invalid(f"That can be {LONGEST} characters long.", field="words")
    if category not in CATEGORIES:
        raise Invalid("Please select a reason.", field="category", detail=category)
    if who.is_gone or not who.is_local:
        raise NotAllowed("This account cannot report anyone.")
    if target.id == who.id:
        raise Invalid("You cannot report yourself.")
    if target.deleted_at is not None or (target.is_local and target.kind == "Application"):
        raise NotFound("There is no account by that name here.")
    found = posts.by_ids(tx, post_ids[:MOST_POSTS]).values()
    chosen = [post for post in found if post.account_id == target.id and may_see(tx, who, post)]
    goes_out = is_forwarded and not target.is_local
    made = _insert(tx, who, target, words, category, chosen, is_forwarded=goes_out)
    if goes_out:
        node = accounts.instance_actor(tx)
        extra = {"words": words, "objects": [target.uri, *(post.uri for post in chosen)]}
        uri = f"{node.uri}#reports/{made.id}"
        outbox.record(tx, node, "Flag", target.uri, uri=uri, target=target, extra=extra)
    return made


def receive(tx: Writer, by: Account, target: Account, words: str, chosen: Sequence[Post]) -> Report:
    """Another server reports one of ours. Whoever calls has seen that it may, and that they may see the posts."""
    # Most servers send what was typed; some send HTML.
    if words.lstrip().startswith("<"):
        words = formatting.plain_text(formatting.clean_html(words))
    words = formatting.clean_text(words, LONGEST_ELSEWHERE).strip()
    own = [post for post in chosen if post.account_id == target.id][:MOST_POSTS]
    return _insert(tx, by, target, words, "other", own, is_forwarded=False)


def _insert(
    tx: Writer,
    by: Account,
    target: Account,
    words: str,
    category: str,
    chosen: Sequence[Post],
    *,
    is_forwarded: bool,
) -> Report:
    row = tx.one(
        f"""INSERT INTO reports (id, by_id, target_id, category, words, is_forwarded, created_at)
            VALUES (:id, :by, :target, :category, :words, :is_forwarded, :now)
            RETURNING {columns(Report)}""",  # noqa: S608
        id=new_id(),
        by=by.id,
        target=target.id,
        category=category,
        words=words,
        is_forwarded=is_forwarded,
        now=now_ms(),
    )
    assert row is not None
    made = build(Report, row)
    tx.many(
        "INSERT INTO report_posts (report_id, post_id) VALUES (:report, :post) ON CONFLICT DO NOTHING",
        [{"report": made.id, "post": post.id} for post in chosen],
    )
    return made


def count_open(tx: Reader) -> int:
    return int(tx.value("SELECT COUNT(*) FROM reports WHERE closed_at IS NULL"))


def page(tx: Reader, part: Page, *, is_open: bool = True) -> list[Case]:
    """Reports that wait for somebody to look, or those that are closed, the latest first."""
    rows = tx.all(
        f"""{_SELECT} WHERE closed_at IS {"NULL" if is_open else "NOT NULL"} {part.clause("id")}""",
        **part.values,
    )
    return _cases(tx, build_all(Report, part.ordered(rows)))


def case(tx: Reader, report_id: int) -> Case:
    """One report. Raises NotFound."""
    row = tx.one(_SELECT + " WHERE id = :id", id=report_id)
    if row is None:
        raise NotFound("There is no such report.")
    return _cases(tx, [build(Report, row)])[0]


def _cases(tx: Reader, found: Sequence[Report]) -> list[Case]:
    if not found:
        return []
    people = accounts.by_ids(
        tx, {id_ for one in found for id_ in (one.by_id, one.target_id, one.closed_by or 0)}
    )
    about: dict[int, list[int]] = {}
    for row in tx.all(
        "SELECT report_id, post_id FROM report_posts WHERE report_id IN (:ids) ORDER BY post_id",
        ids=[one.id for one in found],
    ):
        about.setdefault(row["report_id"], []).append(row["post_id"])
    known = posts.by_ids(tx, {id_ for ids in about.values() for id_ in ids}) if about else {}
    totals = _totals(tx, {one.target_id for one in found})
    return [
        Case(
            one,
            people[one.by_id],
            people[one.target_id],
            [known[id_] for id_ in about.get(one.id, ()) if id_ in known],
            people.get(one.closed_by or 0),
            totals.get(one.target_id, 1) - 1,
        )
        for one in found
    ]


def _totals(tx: Reader, target_ids: set[int]) -> dict[int, int]:
    rows: list[Row] = tx.all(
        "SELECT target_id, COUNT(*) AS n FROM reports WHERE target_id IN (:ids) GROUP BY target_id",
        ids=list(target_ids),
    )
    return {row["target_id"]: row["n"] for row in rows}


def close(tx: Writer, by: Account, report_id: int) -> None:
    """Somebody who runs the node has looked, and there is nothing more to do. Raises NotFound."""
    users.check_is_staff(tx, by)
    closed = _close(tx, by, "id = :id", id=report_id)
    if not closed:
        case(tx, report_id)
    for target_id in closed:
        audit_log.record(tx, by, "close-report", accounts.get(tx, target_id).handle, str(report_id))


def close_all_about(tx: Writer, by: Account, target: Account) -> None:
    """What had to be done about somebody is done."""
    _close(tx, by, "target_id = :target", target=target.id)


def _close(tx: Writer, by: Account, which: str, **values: int) -> list[int]:
    rows = tx.all(
        f"""UPDATE reports SET closed_at = :now, closed_by = :by
            WHERE {which} AND closed_at IS NULL RETURNING target_id""",  # noqa: S608
        now=now_ms(),
        by=by.id,
        **values,
    )
    return [row["target_id"] for row in rows]


def is_about(tx: Reader, report_id: int, post_id: int) -> bool:
    """Whether a report names a post."""
    return bool(
        tx.value(
            "SELECT 1 FROM report_posts WHERE report_id = :report AND post_id = :post",
            report=report_id,
            post=post_id,
        )
    )


def clean_up(tx: Writer, now: int) -> int:
    """Forget reports that were closed long ago."""
    tx.run(
        """DELETE FROM report_posts WHERE report_id IN (SELECT id FROM reports WHERE closed_at < :before)""",
        before=now - KEPT_MS,
    )
    return tx.run("DELETE FROM reports WHERE closed_at < :before", before=now - KEPT_MS)
