"""Reports of accounts and posts, for the moderators of the node. Owns `reports`, `report_posts`.

Pages and the client API call `report`, the handler of Flag activities `receive`, the admin pages the rest. A report
names one account and some of its posts, never those of others, and never a post that the reporter may not see:
moderators can read a reported post even if it was not addressed to them. It is forwarded to a remote account's server
only on request, in the name of the instance actor, with nothing but the chosen posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.accounts import accounts
from node.auth import users
from node.auth.mail import user_mail
from node.database import Reader, Row, Writer, build, build_all, columns
from node.errors import Invalid, NotAllowed, NotFound, TooManyRequests
from node.federation import outbox
from node.ids import new_id, now_ms
from node.mail.outgoing_mail import MailKind
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import may_see
from node.moderation import audit_log
from node.paging import Page
from node.posts import posts
from node.text import formatting, hostnames

CATEGORIES = ("spam", "legal", "violation", "other")
MAX_COUNTED = 500
MAX_COMMENT_LENGTH = 1000
MAX_REMOTE_COMMENT_LENGTH = 5000
MAX_POSTS = 40
MAX_OPEN_PER_REPORTER, MAX_OPEN_PER_SERVER = 100, 500
RETENTION_MS = 365 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Report:
    """One report. `words` is the reporter's comment, `closed_by` the id of the moderator; times in milliseconds."""

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
class ReportDetails:
    """A report with its accounts and posts, as moderators see it."""

    report: Report
    by: Account
    target: Account
    posts: list[Post]
    closed_by: Account | None
    other_reports_count: int
    """How many more reports there are about the same account, closed ones included."""


_SELECT = f"SELECT {columns(Report)} FROM reports"  # noqa: S608


def report(
    tx: Writer,
    reporter: Account,
    target: Account,
    *,
    comment: str = "",
    post_ids: Sequence[int] = (),
    category: str = "other",
    is_forwarded: bool = False,
) -> Report:
    """Stores the report of a local account. Raises Invalid, NotAllowed and NotFound.

    Posts that are not the target's, or that the reporter may not see, are left out without an error. With
    `is_forwarded`, a remote target's server receives a Flag activity that does not name the reporter.
    """
    comment = formatting.clean_text(comment, MAX_COMMENT_LENGTH + 1).strip()
    if len(comment) > MAX_COMMENT_LENGTH:
        raise Invalid(f"That can be {MAX_COMMENT_LENGTH} characters long.", field="words")
    if category not in CATEGORIES:
        raise Invalid("Please select a reason.", field="category", detail=category)
    if reporter.is_inactive or not reporter.is_local:
        raise NotAllowed("This account cannot report anyone.")
    if target.id == reporter.id:
        raise Invalid("You cannot report yourself.")
    if target.deleted_at is not None or (target.is_local and target.kind == "Application"):
        raise NotFound("There is no account by that name here.")
    if _count_open(tx, "by_id = :by", by=reporter.id) >= MAX_OPEN_PER_REPORTER:
        raise TooManyRequests(
            "The moderators are still working on your earlier reports. Please wait until they are closed.",
            retry_after=24 * 3600,
        )
    found = posts.by_ids(tx, post_ids[:MAX_POSTS]).values()
    chosen = [post for post in found if post.account_id == target.id and may_see(tx, reporter, post)]
    is_sent = is_forwarded and not target.is_local
    new = _insert(tx, reporter, target, comment, category, chosen, is_forwarded=is_sent)
    if is_sent:
        node = accounts.instance_actor(tx)
        extra = {"words": comment, "objects": [target.uri, *(post.uri for post in chosen)]}
        uri = f"{node.uri}#reports/{new.id}"
        outbox.record(tx, node, "Flag", target.uri, uri=uri, target=target, extra=extra)
    return new


def receive(tx: Writer, reporter: Account, target: Account, comment: str, chosen: Sequence[Post]) -> Report:
    """Stores the report of a remote server. Posts that are not the target's are left out.

    The caller has checked that the server may report, and may see the posts. The comment is cut, not refused. Raises
    TooManyRequests while `MAX_OPEN_PER_SERVER` reports of the server are open.
    """
    from_server = "by_id IN (SELECT id FROM accounts WHERE host = :host AND NOT is_local)"
    if _count_open(tx, from_server, host=hostnames.from_uri(reporter.uri)) >= MAX_OPEN_PER_SERVER:
        raise TooManyRequests("Too many reports of this server are open.", retry_after=24 * 3600)
    # Most servers send what was typed; some send HTML.
    if comment.lstrip().startswith("<"):
        comment = formatting.html_to_text(formatting.sanitize_html(comment))
    comment = formatting.clean_text(comment, MAX_REMOTE_COMMENT_LENGTH).strip()
    own = [post for post in chosen if post.account_id == target.id][:MAX_POSTS]
    return _insert(tx, reporter, target, comment, "other", own, is_forwarded=False)


def _insert(
    tx: Writer,
    reporter: Account,
    target: Account,
    comment: str,
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
        by=reporter.id,
        target=target.id,
        category=category,
        words=comment,
        is_forwarded=is_forwarded,
        now=now_ms(),
    )
    assert row is not None
    new = build(Report, row)
    tx.many(
        "INSERT INTO report_posts (report_id, post_id) VALUES (:report, :post) ON CONFLICT DO NOTHING",
        [{"report": new.id, "post": post.id} for post in chosen],
    )
    user_mail.tell_staff(tx, MailKind.STAFF_REPORT, about=str(new.id))
    return new


def count_open(tx: Reader) -> int:
    """Returns the number of reports that are not closed, counted up to `MAX_COUNTED`."""
    return _count_open(tx, "TRUE")


def _count_open(tx: Reader, condition: str, **values: object) -> int:
    return int(
        tx.value(
            f"""SELECT COUNT(*) FROM (SELECT 1 FROM reports
                    WHERE closed_at IS NULL AND {condition} LIMIT :most) AS open_ones""",  # noqa: S608
            most=MAX_COUNTED,
            **values,
        )
    )


def count_about(tx: Reader, target: Account) -> int:
    """Returns how many reports there are about an account, counted up to `MAX_COUNTED`."""
    return _totals(tx, {target.id})[target.id]


def page(tx: Reader, part: Page, *, is_open: bool = True) -> list[ReportDetails]:
    """Returns a page of open or of closed reports, newest first."""
    rows = tx.all(
        f"""{_SELECT} WHERE closed_at IS {"NULL" if is_open else "NOT NULL"} {part.clause("id")}""",
        **part.values,
    )
    return _load_details(tx, build_all(Report, part.newest_first(rows)))


def details(tx: Reader, report_id: int) -> ReportDetails:
    """Returns one report. Raises NotFound."""
    row = tx.one(_SELECT + " WHERE id = :id", id=report_id)
    if row is None:
        raise NotFound("There is no such report.")
    return _load_details(tx, [build(Report, row)])[0]


def _load_details(tx: Reader, found: Sequence[Report]) -> list[ReportDetails]:
    if not found:
        return []
    people = accounts.by_ids(
        tx, {id_ for one in found for id_ in (one.by_id, one.target_id, one.closed_by or 0)}
    )
    post_ids: dict[int, list[int]] = {}
    for row in tx.all(
        "SELECT report_id, post_id FROM report_posts WHERE report_id IN (:ids) ORDER BY post_id",
        ids=[one.id for one in found],
    ):
        post_ids.setdefault(row["report_id"], []).append(row["post_id"])
    reported = posts.by_ids(tx, {id_ for ids in post_ids.values() for id_ in ids}) if post_ids else {}
    totals = _totals(tx, {one.target_id for one in found})
    return [
        ReportDetails(
            one,
            people[one.by_id],
            people[one.target_id],
            [reported[id_] for id_ in post_ids.get(one.id, ()) if id_ in reported],
            people.get(one.closed_by or 0),
            totals.get(one.target_id, 1) - 1,
        )
        for one in found
    ]


def _totals(tx: Reader, target_ids: set[int]) -> dict[int, int]:
    """Returns how many reports there are about each account, counted up to `MAX_COUNTED`."""
    rows: list[Row] = tx.all(
        """SELECT a.id, (SELECT COUNT(*) FROM (SELECT 1 FROM reports r WHERE r.target_id = a.id LIMIT :most) AS counted) AS n
           FROM accounts a WHERE a.id IN (:ids)""",
        ids=list(target_ids),
        most=MAX_COUNTED,
    )
    return {row["id"]: row["n"] for row in rows}


def close(tx: Writer, moderator: Account, report_id: int) -> None:
    """Closes a report; a closed one stays as it is. Raises NotAllowed and NotFound."""
    users.check_is_staff(tx, moderator)
    closed = _close(tx, moderator, "id = :id", id=report_id)
    if not closed:
        details(tx, report_id)
    for target_id in closed:
        audit_log.record(tx, moderator, "close-report", accounts.get(tx, target_id).handle, str(report_id))


def close_all_of_account(tx: Writer, moderator: Account | None, target: Account) -> None:
    """Closes all reports about an account, once it is suspended. The caller has checked `moderator`."""
    _close(tx, moderator, "target_id = :target", target=target.id)


def _close(tx: Writer, moderator: Account | None, condition: str, **values: int | None) -> list[int]:
    rows = tx.all(
        f"""UPDATE reports SET closed_at = :now, closed_by = :by
            WHERE {condition} AND closed_at IS NULL RETURNING target_id""",  # noqa: S608
        now=now_ms(),
        by=moderator.id if moderator is not None else None,
        **values,
    )
    return [row["target_id"] for row in rows]


def includes_post(tx: Reader, report_id: int, post_id: int) -> bool:
    """Returns whether a report names a post."""
    return bool(
        tx.value(
            "SELECT 1 FROM report_posts WHERE report_id = :report AND post_id = :post",
            report=report_id,
            post=post_id,
        )
    )


def clean_up(tx: Writer, now: int) -> int:
    """Deletes a batch of the reports that were closed over a year ago; returns how many. `now` is in milliseconds."""
    rows = tx.all(
        "SELECT id FROM reports WHERE id < :end AND closed_at < :before ORDER BY id LIMIT 200",
        end=(now - RETENTION_MS) << 16,
        before=now - RETENTION_MS,
    )
    ids = [row["id"] for row in rows]
    tx.run("DELETE FROM report_posts WHERE report_id IN (:ids)", ids=ids)
    return tx.run("DELETE FROM reports WHERE id IN (:ids)", ids=ids)
