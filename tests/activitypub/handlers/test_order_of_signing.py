"""What stands is what the actor signed last, in whatever order its requests arrive, and whichever are replayed."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from activitypub.handlers.received_activity import Ignored
from activitypub.vocab import PUBLIC
from node.accounts import relationships
from node.database import Database, Reader, Writer
from node.interactions import blocks, boosts, emoji_reactions, follows, likes
from node.models.account import Account
from node.models.post import Post
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import publish
from tests.support.received import handle, handle_batch

VERBS = ["Follow", "Like", "Announce", "Block", "EmojiReact", "Like with an emoji"]


class RollBack(Exception):
    """Undoes a sequence, so that each begins on empty tables."""


class Sent(NamedTuple):
    """A request: (kind, object, id, properties), and the second it was signed in."""

    kind: str
    object: Any
    id: str
    signed_at: int
    more: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        return {"type": self.kind, "object": self.object, **self.more} | ({"id": self.id} if self.id else {})


class Scene:
    def __init__(self, tx: Writer, alice: Account, verb: str) -> None:
        self.tx, self.alice, self.rita, self.verb = tx, alice, remote(tx), verb
        self.post = publish(tx, alice)

    def do(self, id_: str | None, signed_at: int) -> Sent:
        more: dict[str, Any] = {"to": PUBLIC} if self.verb == "Announce" else {}
        more |= {"content": "🎉"} if self.verb in ("EmojiReact", "Like with an emoji") else {}
        object_ = self.alice.uri if self.verb in ("Follow", "Block") else self.post.uri
        return Sent(self.verb.split()[0], object_, f"{self.rita.uri}#{id_}" if id_ else "", signed_at, more)

    def undo(self, done: Sent, signed_at: int, *, names: str, id_: str) -> Sent:
        whole = {"type": done.kind, "id": done.id, "actor": self.rita.uri, "object": done.object, **done.more}
        undone: Any = whole
        if names == "id" and done.id:
            undone = done.id
        elif names == "object" or not done.id:
            undone = {"type": done.kind, "object": done.object, **done.more}
        return Sent("Undo", undone, f"{self.rita.uri}#{id_}", signed_at, {})

    def receive(self, *batch: Sent) -> None:
        handle_batch(self.tx, self.rita, [(sent.document, sent.signed_at) for sent in batch])

    def stands(self) -> bool:
        return stands(self.tx, self.verb, self.alice, self.rita, self.post)


def stands(tx: Reader, verb: str, alice: Account, rita: Account, post: Post) -> bool:
    stored = posts.by_id(tx, post.id)
    assert stored is not None
    assert stored.boosts_count == int(boosts.by_account_and_post(tx, rita, post) is not None)
    assert stored.likes_count == int(likes.by_account_and_post(tx, rita, post) is not None)
    match verb:
        case "Follow":
            return relationships.follow_between(tx, rita, alice) is not None
        case "Block":
            return relationships.has_blocked(tx, rita, alice)
        case "Announce":
            return stored.boosts_count == 1
        case "Like":
            return stored.likes_count == 1
    reactions = emoji_reactions.by_account_and_post(tx, rita, post)
    assert stored.likes_count == len(reactions)
    return bool(reactions)


@st.composite
def deliveries(draw: st.DrawFn) -> list[int]:
    """Numbers of the requests of a peer, that does and undoes one thing in turn: each at least once, in any order."""
    size = draw(st.integers(1, 7))
    return draw(st.permutations([*range(size), *draw(st.lists(st.integers(0, size - 1), max_size=6))]))


def play(
    scene: Scene, arriving: list[int], ids: str, names: list[str], seconds: int, batch_size: int
) -> bool:
    """Delivers requests, each signed `seconds` after the last; returns whether the last of them stands."""
    requests: list[Sent] = []
    for number in range(max(arriving) + 1):
        signed_at = 1000 + number * seconds
        if number % 2:
            id_ = "undo" if ids == "same" else f"undo{number}"
            requests.append(scene.undo(requests[-1], signed_at, names=names[number % len(names)], id_=id_))
        else:
            given_id = {"same": "42", "fresh": str(number), "none": None}[ids]
            requests.append(scene.do(given_id, signed_at))
    for start in range(0, len(arriving), batch_size):
        scene.receive(*[requests[number] for number in arriving[start : start + batch_size]])
    return len(requests) % 2 == 1


@pytest.mark.parametrize("verb", VERBS)
@given(
    arriving=deliveries(),
    ids=st.sampled_from(["same", "fresh", "none"]),
    names=st.lists(st.sampled_from(["whole", "id", "object"]), min_size=1, max_size=4),
    seconds=st.integers(1, 3),
    batch_size=st.integers(1, 4),
)
# The Undo arrives after the second Follow; the first Follow arrives last; a replay of all.
@example(arriving=[0, 2, 1], ids="same", names=["whole"], seconds=1, batch_size=1)
@example(arriving=[0, 2, 1], ids="none", names=["object"], seconds=1, batch_size=1)
@example(arriving=[2, 0, 1], ids="fresh", names=["whole"], seconds=1, batch_size=1)
@example(arriving=[1, 2, 0, 1, 2, 0], ids="fresh", names=["object"], seconds=1, batch_size=1)
@example(arriving=[0, 3, 2, 1, 0, 0], ids="fresh", names=["whole"], seconds=1, batch_size=1)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_was_signed_last_stands_in_whatever_order_it_arrives(
    db: Database,
    alice: Account,
    verb: str,
    arriving: list[int],
    ids: str,
    names: list[str],
    seconds: int,
    batch_size: int,
) -> None:
    if ids == "none" and verb in ("EmojiReact", "Like with an emoji"):
        ids = "fresh"  # a reaction without an id is none

    def unit(tx: Writer) -> None:
        scene = Scene(tx, alice, verb)
        expected = play(scene, arriving, ids, names, seconds, batch_size)
        assert scene.stands() is expected
        raise RollBack

    with contextlib.suppress(RollBack):
        await db.write(unit)


@pytest.mark.parametrize("verb", VERBS)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["do", "undo", "replay"]), st.integers(0, 30), st.integers(0, 1)),
        max_size=15,
    ),
    ids=st.sampled_from(["same", "fresh"]),
    names=st.sampled_from(["whole", "id", "object"]),
)
@example(steps=[("do", 0, 0), ("undo", 0, 0), ("replay", 0, 0)], ids="same", names="whole")
@example(steps=[("do", 0, 0), ("undo", 0, 1), ("do", 0, 0), ("replay", 1, 0)], ids="same", names="whole")
@example(steps=[("do", 0, 0), ("undo", 0, 0), ("do", 0, 0), ("replay", 1, 0)], ids="fresh", names="whole")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_within_a_second_what_arrives_last_counts_except_a_replay(
    db: Database, alice: Account, verb: str, steps: list[tuple[str, int, int]], ids: str, names: str
) -> None:
    """Requests arrive in the order in which they are signed, several in one second, with replays between them."""

    def unit(tx: Writer) -> None:
        scene, clock, expected = Scene(tx, alice, verb), 1000, False
        sent: list[Sent] = []
        done: Sent | None = None
        for step, number, later in steps:
            clock += later
            request: Sent | None = None
            if step == "replay" and sent:
                scene.receive(sent[number % len(sent)])
            elif step == "do" and not expected:
                done = request = scene.do("42" if ids == "same" else str(len(sent)), clock)
            elif step == "undo" and expected and done is not None:
                id_ = "undo" if ids == "same" else str(len(sent))
                request = scene.undo(done, clock, names=names, id_=id_)
            # What was sent before, with the same content in the same second, cannot be told from a replay.
            if request is not None and request not in sent:
                scene.receive(request)
                sent.append(request)
                expected = request.kind != "Undo"
            assert scene.stands() is expected, (step, number, clock)
        raise RollBack

    with contextlib.suppress(RollBack):
        await db.write(unit)


@pytest.mark.parametrize("verb", VERBS)
async def test_what_was_done_again_under_another_id_is_undone_by_that_id(
    db: Database, alice: Account, verb: str
) -> None:
    def unit(tx: Writer) -> None:
        scene = Scene(tx, alice, verb)
        first, again = scene.do("1", 1000), scene.do("2", 1002)
        # The Undo of the first is on its way.
        scene.receive(first)
        scene.receive(again)
        scene.receive(scene.undo(first, 1001, names="id", id_="undo1"))
        assert scene.stands()
        scene.receive(scene.undo(again, 1003, names="id", id_="undo2"))
        assert not scene.stands()

    await db.write(unit)


async def test_what_ended_here_returns_with_no_replay_of_the_same_second(
    db: Database, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        scene = Scene(tx, alice, "Follow")
        request = scene.do("42", 1000)
        for end in (follows.remove_follower, _block_and_unblock):
            scene.receive(request)
            end(tx, alice, scene.rita)
            scene.receive(request)
            assert not scene.stands()
            request = scene.do("42", request.signed_at + 1)
        scene.receive(request)
        assert scene.stands()

    await db.write(unit)


def _block_and_unblock(tx: Writer, alice: Account, rita: Account) -> None:
    blocks.block(tx, alice, rita)
    blocks.unblock(tx, alice, rita)


async def test_a_follow_that_a_block_overtook_stays_ended_after_the_block(
    db: Database, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        scene = Scene(tx, alice, "Follow")
        block = scene.do("block", 1001)._replace(kind="Block")
        for request in (block, scene.undo(block, 1002, names="whole", id_="undo"), scene.do("42", 1000)):
            scene.receive(request)
        assert not scene.stands()
        scene.receive(scene.do("42", 1003))
        assert scene.stands()

    await db.write(unit)


@pytest.mark.parametrize("names", ["whole", "id", "object"])
async def test_the_undo_of_an_earlier_reaction_leaves_the_later_one(
    db: Database, alice: Account, names: str
) -> None:
    def unit(tx: Writer) -> None:
        scene = Scene(tx, alice, "Like with an emoji")
        first, later = scene.do("1", 1000), scene.do("2", 1002)._replace(more={"content": "🔥"})
        undo = scene.undo(first, 1001, names=names, id_="undo")
        for arriving in ((first, later, undo), (undo, later, first), (later, undo, first, later, undo)):
            for request in arriving:
                scene.receive(request)
            found = emoji_reactions.by_account_and_post(tx, scene.rita, scene.post)
            assert [one.name for one in found] == ["🔥"]

    await db.write(unit)


@pytest.mark.parametrize("answers", [("Accept", "Reject"), ("Reject", "Accept")])
async def test_an_older_answer_to_a_follow_changes_nothing(
    db: Database, alice: Account, answers: tuple[str, str]
) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)

        def answer(kind: str, signed_at: int) -> bool | None:
            with contextlib.suppress(Ignored):
                handle(tx, rita, kind, alice.uri, id=f"{rita.uri}#{kind}{signed_at}", signed_at=signed_at)
            found = relationships.follow_between(tx, alice, rita)
            return None if found is None else found.is_accepted

        follows.follow(tx, alice, rita)
        later, older = answers
        answer(later, 1002)
        # She may have followed again since.
        follows.follow(tx, alice, rita)
        before = relationships.follow_between(tx, alice, rita)
        assert before is not None
        assert answer(older, 1001) is before.is_accepted
        assert answer("Accept", 1003) is True
        assert answer("Reject", 1002) is True
        assert answer("Reject", 1003) is None

    await db.write(unit)


async def test_an_answer_to_an_earlier_follow_does_not_hold_up_that_of_the_next(
    db: Database, alice: Account
) -> None:
    """The clock that dated the first was fast, or the first arrives late."""

    def unit(tx: Writer) -> None:
        rita = remote(tx)

        def answer(kind: str, follow: str, signed_at: int) -> bool | None:
            with contextlib.suppress(Ignored):
                handle(tx, rita, kind, follow, id=f"{follow}-{kind}{signed_at}", signed_at=signed_at)
            found = relationships.follow_between(tx, alice, rita)
            return None if found is None else found.is_accepted

        first = follows.follow(tx, alice, rita).uri
        assert answer("Accept", first, 1600) is True
        follows.unfollow(tx, alice, rita)
        second = follows.follow(tx, alice, rita).uri
        assert answer("Reject", first, 1601) is False
        assert answer("Accept", second, 1002) is True
        assert answer("Accept", second, 1001) is True
        assert answer("Reject", second, 1003) is None

    await db.write(unit)


@pytest.mark.parametrize("first", ["Like", "Like with an emoji"])
async def test_an_undo_that_names_a_like_leaves_the_reactions(
    db: Database, alice: Account, first: str
) -> None:
    """Pleroma keeps a like and reactions apart; Misskey undoes what it replaces, before or after."""

    def unit(tx: Writer) -> None:
        scene = Scene(tx, alice, first)
        named = scene.do("1", 1000)
        other = scene.do("2", 1000)._replace(more={"content": "🔥"})
        undo = scene.undo(named, 1000, names="id", id_="undo")
        for arriving in ((named, other, undo), (other, undo)):
            for request in arriving:
                scene.receive(request)
            found = emoji_reactions.by_account_and_post(tx, scene.rita, scene.post)
            assert [one.name for one in found] == ["🔥"]

    await db.write(unit)
