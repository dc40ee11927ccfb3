"""Whatever refers to a deleted post or account is deleted by the module that owns the table, or kept for a reason."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.database import Database, Reader, Writer
from node.interactions import follows, pins
from node.jobs.queue import Job
from node.lifecycle import account_deletion
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support import people
from tests.support.rows import ACCOUNT_IDS, POST_IDS, Rows, ids_of
from tests.support.schema import Column, columns, owners

ROOT = Path(__file__).parents[2]
MOMENTS = ("on_post_deleted", "on_account_deleted", "on_account_content_deleted")
UNIFORM_NAMES = {
    "on_post_deleted": "delete_by_post",
    "on_account_deleted": "delete_by_account",
    "on_account_content_deleted": "delete_by_account",
}

# What else a column of 64 bits without a foreign key may hold: its row's own id, a time, a count, or one of these.
TIMES_AND_COUNTS = ("_at", "_until", "_since", "_count")
_A_SIZE = "a size"
_AS_CLAIMED = "a count, as the remote server gives it"
NO_IDS = {
    ("accounts", "claimed_followers"): _AS_CLAIMED,
    ("accounts", "claimed_following"): _AS_CLAIMED,
    ("accounts", "claimed_posts"): _AS_CLAIMED,
    ("avatar_files", "bytes"): _A_SIZE,
    ("authorization_codes", "token_id"): "a token; it may be revoked",
    ("cached_hosts", "bytes"): _A_SIZE,
    ("cached_hosts", "pictures"): "a count",
    ("cached_media", "bytes"): _A_SIZE,
    ("cached_media", "try_after"): "a time",
    ("domain_blocks", "list_id"): "a block list; kept when the list is deleted",
    ("draft_photos", "photo_id"): "a photo of the draft; one that is gone is left out",
    ("hashtag_days", "authors"): "a count",
    ("hashtag_days", "day"): "a time, in days",
    ("hashtag_days", "local_authors"): "a count",
    ("hashtag_days", "posts"): "a count",
    ("hashtag_uses", "hour"): "a time, in hours",
    ("photo_files", "bytes"): _A_SIZE,
    ("photos", "original_bytes"): _A_SIZE,
    ("seen_activities", "hash"): "a hash of the activity's id",
    ("seen_activities", "content"): "a hash of what it says",
    ("uploads", "length"): _A_SIZE,
    ("uploads", "photo_id"): "the photo it became; it may be deleted",
    ("markers", "last_read_id"): "the last that was read; it may be deleted",
    ("users", "notifications_read_id"): "the last notification that was read; it may be deleted",
}

_FOR_MODERATORS = "moderators look at it long after; deleted after a year"
KEPT = {
    ("posts", "account_id"): "the row of a deleted post stays, emptied, for the comments below it",
    ("posts", "parent_id"): "the comments by others stay below a deleted post",
    ("posts", "root_id"): "the comments by others stay below a deleted post",
    ("mentions", "account_id"): "the posts of others stay addressed as they were",
    ("outbox", "account_id"): "the Delete is delivered from it; deleted with its deliveries",
    ("outbox", "post_id"): "the Delete is delivered from it; deleted with its deliveries",
    ("outbox", "target_id"): "still to be delivered; deleted with its deliveries",
    ("reports", "by_id"): _FOR_MODERATORS,
    ("reports", "target_id"): _FOR_MODERATORS,
    ("reports", "closed_by"): _FOR_MODERATORS,
    ("report_posts", "post_id"): _FOR_MODERATORS,
    ("audit_log", "by_id"): "who decided what has to stay known",
    ("moves", "account_id"): "limits how often an account moves",
    ("moves", "target_id"): "limits how soon followers are moved on",
    ("idempotency_keys", "account_id"): "deleted after a day",
    ("idempotency_keys", "post_id"): "a request sent twice must not make the post again; deleted after a day",
    ("users", "invited_by"): "who invited a user who stays",
}
WITH_POSTS = {
    ("pins", "account_id"): "only one's own posts can be pinned",
    ("hashtag_uses", "account_id"): "counted down with each post",
    ("mentions", "private_by"): "the author of the post",
    ("feed", "by_id"): "goes with the post, or with the boost",
}


def registered(*moments: str) -> set[str]:
    """The modules that have registered a function, as files."""
    names = [name for moment in moments for name in getattr(deletion_hooks, moment).names()]
    return {name.rpartition(".")[0].replace(".", "/") + ".py" for name in names}


def decorated() -> Iterator[tuple[str, str]]:
    """(moment, full name) of each function in the code that is registered; the moment is '' for those forgotten."""
    for path in sorted((ROOT / "node").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            moments = [
                one.attr
                for one in node.decorator_list
                if isinstance(one, ast.Attribute) and one.attr in MOMENTS
            ]
            if not moments and node.name in UNIFORM_NAMES.values():
                moments = [""]
            yield from ((moment, f"{module}.{node.name}") for moment in moments)


@pytest.mark.parametrize(
    ("kind", "moments"),
    [("posts", ("on_post_deleted",)), ("accounts", ("on_account_deleted", "on_account_content_deleted"))],
)
def test_the_owner_of_every_table_with_such_an_id_cleans_up(kind: str, moments: tuple[str, ...]) -> None:
    cleaned, owned = registered(*moments), owners()
    forgotten = {
        f"{column.table}.{column.name}: {owned[column.table]} registers nothing for it"
        for column in ids_of(kind)
        if (column.table, column.name) not in KEPT | WITH_POSTS and owned[column.table] not in cleaned
    }

    assert not forgotten


def is_classified(column: Column) -> bool:
    """Whether the schema, the name or a table above says what a column holds that could hold an id."""
    return (
        column.type != "BIGINT"
        or bool(column.references)
        or column.name in {"id", *ACCOUNT_IDS, *POST_IDS}
        or column.name.endswith(TIMES_AND_COUNTS)
        or (column.table, column.name) in NO_IDS
    )


def test_every_column_that_could_hold_an_id_is_classified() -> None:
    assert not {f"{column.table}.{column.name}" for column in columns() if not is_classified(column)}


@pytest.mark.parametrize("name", ["who", "list_id", "hour", "seen_by", "hat"])
def test_a_new_column_is_not_classified_by_a_name_it_shares_with_others(name: str) -> None:
    assert not is_classified(Column("likes", name, "BIGINT", is_required=True, references=""))
    assert is_classified(Column("likes", name, "BIGINT", is_required=True, references="hashtags"))


def test_every_exception_is_still_needed() -> None:
    with_ids = {(column.table, column.name) for kind in ("posts", "accounts") for column in ids_of(kind)}
    without = {(column.table, column.name) for column in columns() if not column.references} - with_ids

    assert not (KEPT | WITH_POSTS).keys() - with_ids
    assert not NO_IDS.keys() - without


def test_every_function_that_cleans_up_is_registered_under_its_name() -> None:
    wrong = {name for moment, name in decorated() if name.rpartition(".")[2] != UNIFORM_NAMES.get(moment)}

    assert not wrong


@pytest.mark.parametrize(
    ("module", "moments"),
    [("node.publishing.post_deletion", MOMENTS[:1]), ("node.lifecycle.account_deletion", MOMENTS)],
)
def test_a_process_that_imports_only_the_deletion_cleans_up_all(
    module: str, moments: tuple[str, ...]
) -> None:
    program = (
        f"import json, {module}; from node.models import deletion_hooks as hooks; "
        f"print(json.dumps([[moment, name] for moment in {moments} for name in getattr(hooks, moment).names()]))"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    found = {(moment, name) for moment, name in json.loads(run.stdout)}
    assert found == {(moment, name) for moment, name in decorated() if moment in moments}


def left(tx: Reader, kind: str, id_: int) -> dict[tuple[str, str], int]:
    """How many rows refer to it, by column, where none may stay."""
    return {
        (column.table, column.name): tx.value(
            f"SELECT COUNT(*) FROM {column.table} WHERE {column.name} = :id", id=id_
        )
        for column in ids_of(kind)
        if (column.table, column.name) not in KEPT
    }


async def test_a_deleted_post_leaves_no_row_that_refers_to_it(
    db: Database, alice: Account, bob: Account
) -> None:
    def given(tx: Writer) -> Post:
        post = publishing.publish(tx, alice, Draft(caption="Lake"))
        rows = Rows(tx, bob, publishing.publish(tx, bob, Draft(caption="Hill")))
        for table, column in left(tx, "posts", post.id):
            if not tx.value(f"SELECT 1 FROM {table} WHERE {column} = :id LIMIT 1", id=post.id):
                rows.add(table, **{column: post.id})
        return post

    post = await db.write(given)
    assert all((await db.read(left, "posts", post.id)).values())

    await db.write(post_deletion.remove_locally, post)

    assert not any((await db.read(left, "posts", post.id)).values())


@pytest.mark.parametrize("is_local", [True, False])
async def test_a_deleted_account_leaves_no_row_that_refers_to_it(
    node: Node, db: Database, alice: Account, bob: Account, is_local: bool
) -> None:
    def given(tx: Writer) -> Account:
        account = alice if is_local else people.remote(tx)
        follows.follow(tx, bob, account)
        if not is_local:
            follows.accept(tx, follows.follow(tx, bob, account))
        rows = Rows(tx, bob, publishing.publish(tx, bob, Draft(caption="Hill")))
        if is_local:
            publishing.publish(tx, account, Draft(caption="For @bob", visibility="followers"))
            pins.pin(tx, account, publishing.publish(tx, account, Draft(caption="Lake #water")))
        for table, column in left(tx, "accounts", account.id):
            if (table, column) in WITH_POSTS and not is_local:
                continue
            if not tx.value(f"SELECT 1 FROM {table} WHERE {column} = :id LIMIT 1", id=account.id):
                rows.add(table, **{column: account.id})
        return account

    account = await db.write(given)
    before = await db.read(left, "accounts", account.id)
    assert {key for key, count in before.items() if not count} == (set() if is_local else WITH_POSTS.keys())

    await db.write(account_deletion.delete_account, account)
    await account_deletion.delete_content(node, Job(1, "forget_person", "", {"id": account.id}, 1))

    after = await db.read(left, "accounts", account.id)
    # A local account keeps its keys: its Delete is signed with them.
    assert {key for key, count in after.items() if count} == ({("keys", "account_id")} if is_local else set())
