"""Pages that end after a bounded number of rows: nothing is missed or shown twice, however much is hidden."""

from __future__ import annotations

import random

import pytest

from node.database import Reader, Writer
from node.database.bounded_pages import MAX_VISITED, Walk, clause, merged, read
from node.models.account import Account
from node.node import Node
from node.paging import Found, Page
from tests.support.statements import Recording

ROWS = 3 * MAX_VISITED


def fill(tx: Writer, account: Account, other: Account, shown: set[int]) -> None:
    """Two lists that interleave: the notifications of `account` have odd ids, those of `other` even ones. The rows with
    the ids of `shown` are of another kind."""
    tx.many(
        """INSERT INTO notifications (id, account_id, kind, by_id, post_id, created_at)
           VALUES (:id, :account, :kind, :by, NULL, :id) ON CONFLICT DO NOTHING""",
        [
            {
                "id": n,
                "account": (account if n % 2 else other).id,
                "kind": "mention" if n in shown else f"like {n}",
                "by": account.id + n,
            }
            for n in range(1, ROWS + 1)
        ],
    )


WALKS = [Walk("n.id", f"notifications n WHERE n.account_id = :{name}") for name in ("one", "other")]


def read_shown(tx: Reader, page: Page, one: Account, other: Account) -> Found[int]:
    parts = [
        f"SELECT n.id FROM {walk.rows} AND n.kind = 'mention' {clause(page, walk.key)}" for walk in WALKS
    ]
    found = read(tx, page, WALKS, merged(page, parts), one=one.id, other=other.id)
    return found.replaced_by([row["id"] for row in found])


@pytest.fixture
def shown() -> list[int]:
    """Ids that are rare, with a desert of more than a whole walk, and a dense end."""
    chance = random.Random(3)
    dense = range(1, 60)
    rare = (n for n in range(60 + 2 * MAX_VISITED + 50, ROWS + 1) if chance.random() < 0.02)
    return [*dense, *rare]


@pytest.fixture
async def filled(node: Node, alice: Account, bob: Account, shown: list[int]) -> Node:
    def unit(tx: Writer) -> None:
        for n in range(1, ROWS + 1):
            tx.run(
                """INSERT INTO accounts (id, uri, url, name, domain, is_local, created_at, updated_at)
                   VALUES (:id, :uri, '', 'x', 'far.example', FALSE, 1, 1)""",
                id=alice.id + n,
                uri=f"far:{n}",
            ) if not tx.value("SELECT 1 FROM accounts WHERE id = :id", id=alice.id + n) else None
        fill(tx, alice, bob, set(shown))

    await node.db.write(unit)
    return node


@pytest.mark.parametrize("limit", [1, 7, 40])
async def test_following_older_reaches_every_row_once(
    filled: Node, alice: Account, bob: Account, shown: list[int], limit: int
) -> None:
    def unit(tx: Reader) -> None:
        found: list[int] = []
        pages, max_id = 0, None
        while True:
            page = read_shown(tx, Page(max_id=max_id, limit=limit), alice, bob)
            found += page
            pages += 1
            if page.older is None:
                break
            assert max_id is None or page.older < max_id
            max_id = page.older

        assert found == sorted(shown, reverse=True)
        assert pages <= len(shown) / limit + ROWS / MAX_VISITED + 3

    await filled.db.read(unit)


@pytest.mark.parametrize("limit", [1, 7, 40])
async def test_following_newer_reaches_every_row_once(
    filled: Node, alice: Account, bob: Account, shown: list[int], limit: int
) -> None:
    def unit(tx: Reader) -> None:
        found: list[int] = []
        min_id: int | None = 1
        while min_id is not None:
            page = read_shown(tx, Page(min_id=min_id, limit=limit), alice, bob)
            found += reversed(page)
            min_id = page.newer

        assert found == [id_ for id_ in shown if id_ > 1]

    await filled.db.read(unit)


async def test_since_id_ends_the_list_where_it_says(
    filled: Node, alice: Account, bob: Account, shown: list[int]
) -> None:
    def unit(tx: Reader) -> None:
        page = read_shown(tx, Page(since_id=ROWS - 100, limit=40), alice, bob)

        assert page == sorted((id_ for id_ in shown if id_ > ROWS - 100), reverse=True)
        assert page.older is None

    await filled.db.read(unit)


async def test_a_full_page_is_read_with_one_statement(filled: Node, alice: Account, bob: Account) -> None:
    recording = Recording(filled.db)

    await recording.read(read_shown, Page(max_id=60, limit=20), alice, bob)

    assert len(recording.statements) == 1


async def test_an_empty_list_has_no_older_page(node: Node, alice: Account, bob: Account) -> None:
    page = await node.db.read(read_shown, Page(), alice, bob)

    assert (page, page.older, page.newer) == ([], None, None)
