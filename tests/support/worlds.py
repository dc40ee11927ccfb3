"""Random data for visibility tests: accounts, local and remote, their relationships and posts."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from hypothesis import strategies as st

from node.accounts import accounts, keys
from node.database import Writer
from node.ids import id_at, now_ms
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES, VISIBILITIES
from tests.support.people import remote

PEOPLE = 5
LOCAL = 3  # the first three are local


@dataclass(frozen=True)
class WorldPost:
    author: int
    visibility: str
    parent: int | None
    mentions: frozenset[int]
    is_deleted: bool


@dataclass(frozen=True)
class World:
    """Accounts and posts are numbers; pairs are (actor, target)."""

    suspended: frozenset[int]
    deleted: frozenset[int]
    accepted: frozenset[tuple[int, int]]
    pending: frozenset[tuple[int, int]]
    blocks: frozenset[tuple[int, int]]
    mutes: frozenset[tuple[int, int]]
    posts: tuple[WorldPost, ...]

    @property
    def gone(self) -> frozenset[int]:
        return self.suspended | self.deleted

    def ancestors(self, post: int) -> set[int]:
        found: set[int] = set()
        parent = self.posts[post].parent
        while parent is not None:
            found.add(parent)
            parent = self.posts[parent].parent
        return found


_person = st.integers(0, PEOPLE - 1)
_pairs = st.frozensets(st.tuples(_person, _person).filter(lambda pair: pair[0] != pair[1]), max_size=6)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    accepted = draw(_pairs)
    posts = []
    for number in range(draw(st.integers(1, 7))):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        posts.append(
            WorldPost(
                draw(_person),
                draw(st.sampled_from(VISIBILITIES)),
                parent,
                draw(st.frozensets(_person, max_size=2)),
                draw(st.integers(0, 5)) == 0,
            )
        )
    few = st.frozensets(_person, max_size=1)
    return World(
        draw(few), draw(few), accepted, draw(_pairs) - accepted, draw(_pairs), draw(_pairs), tuple(posts)
    )


@functools.cache
def _pair() -> keys.KeyPair:
    return keys.generate()


def build_world(tx: Writer, world: World) -> tuple[list[Account], list[int]]:
    """Inserts a world into the tables, also one that no sequence of actions makes. Returns accounts and post ids."""
    people = [
        accounts.create_local(tx, f"person{number}", pair=_pair())
        if number < LOCAL
        else remote(tx, f"person{number}", keys=[])
        for number in range(PEOPLE)
    ]
    ids = [id_at(now_ms() - 1_000_000 + 1000 * number) & ~1 for number in range(len(world.posts))]
    numbers = iter(range(1, 1_000_000))
    for number, person in enumerate(people):
        tx.run(
            "UPDATE accounts SET suspended_at = :suspended, deleted_at = :deleted WHERE id = :id",
            id=person.id,
            suspended=1 if number in world.suspended else None,
            deleted=1 if number in world.deleted else None,
        )
    for state, pairs in (("accepted", world.accepted), ("pending", world.pending)):
        for one, other in pairs:
            tx.run(
                """INSERT INTO follows (id, uri, follower_id, followed_id, state, created_at, host)
                   SELECT :id, :uri, id, :other, :state, 1, CASE WHEN is_local THEN '' ELSE host END
                   FROM accounts WHERE id = :one""",
                id=next(numbers),
                uri=f"follow:{one}:{other}",
                one=people[one].id,
                other=people[other].id,
                state=state,
            )
    for table, pairs in (("blocks", world.blocks), ("mutes", world.mutes)):
        uri, value = (", uri", ", :uri") if table == "blocks" else ("", "")
        for one, other in pairs:
            tx.run(
                f"""INSERT INTO {table} (id, account_id, target_id, created_at{uri})
                    VALUES (:id, :one, :other, 1{value})""",
                id=next(numbers),
                one=people[one].id,
                other=people[other].id,
                **({"uri": f"block:{one}:{other}"} if uri else {}),
            )
    tx.run("INSERT INTO hashtags (id, name, display, created_at) VALUES (1, 'fog', 'Fog', 1)")
    for number, post in enumerate(world.posts):
        _write(tx, world, number, post, people, ids)
    people = list(accounts.by_ids(tx, [person.id for person in people]).values())
    return sorted(people, key=lambda person: person.name), ids


def _write(
    tx: Writer, world: World, number: int, post: WorldPost, people: list[Account], ids: list[int]
) -> None:
    id_, root, parent = ids[number], number, post.parent
    while parent is not None:
        root, parent = parent, world.posts[parent].parent
    uri = f"https://world.example/{number}"
    tx.run(
        """INSERT INTO posts (id, uri, url, account_id, is_local, visibility, parent_id, parent_uri, root_id,
                              photos_count, published_at, created_at, deleted_at)
           VALUES (:id, :uri, :uri, :account, :is_local, :visibility, :parent, :parent_uri, :root,
                   1, :at, :at, :deleted_at)""",
        id=id_,
        uri=uri,
        account=people[post.author].id,
        is_local=post.author < LOCAL,
        visibility=post.visibility,
        parent=None if post.parent is None else ids[post.parent],
        parent_uri="" if post.parent is None else f"https://world.example/{post.parent}",
        root=ids[root],
        at=id_ >> 16,
        deleted_at=1 if post.is_deleted else None,
    )
    for mentioned in post.mentions:
        tx.run(
            "INSERT INTO mentions (post_id, account_id, private_by) VALUES (:post, :account, :private_by)",
            post=id_,
            account=people[mentioned].id,
            private_by=None if post.visibility in OPEN_VISIBILITIES else people[post.author].id,
        )
    if number % 2 == 0:
        tx.run(
            """INSERT INTO post_hashtags (hashtag_id, post_id, is_public, is_local, has_photos)
               VALUES (1, :post, :is_public, :is_local, TRUE)""",
            post=id_,
            is_public=post.visibility == "public",
            is_local=post.author < LOCAL,
        )
    tx.run(
        """INSERT INTO photos (id, account_id, post_id, mime, created_at)
           VALUES (:id, :account, :post, 'image/jpeg', 1)""",
        id=id_ + 1,
        account=people[post.author].id,
        post=id_,
    )
    tx.run(
        "INSERT INTO photo_files VALUES (:photo, 'medium', 'webp', :file, 1, 1, 1)",
        photo=id_ + 1,
        file=f"aa/bb/{number % 3}.webp",
    )
    for person in people:
        for table in ("likes", "bookmarks"):
            uri, value = (", uri", ", :uri") if table == "likes" else ("", "")
            tx.run(
                f"""INSERT INTO {table} (id, account_id, post_id, created_at{uri})
                    VALUES (:id, :account, :post, 1{value})""",
                id=id_ + person.id % 1_000_000,
                account=person.id,
                post=id_,
                **({"uri": f"like:{person.id}:{id_}"} if uri else {}),
            )


def local_person(tx: Writer, name: str) -> Account:
    """A local account, without waiting for new keys."""
    return accounts.create_local(tx, name, pair=_pair())
