"""Any sequence of activities and their Undo, new, replayed or overtaken, leaves what the latest of them says."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activitypub.handlers.received_activity import Ignored
from node.accounts import relationships
from node.database import Database, Reader, Writer
from node.interactions import boosts, follows, likes
from node.models.account import Account
from node.models.post import Post
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import publish
from tests.support.received import handle

VERBS = ["Follow", "Like", "Announce", "Block"]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("do"), st.sampled_from(VERBS)),
        st.tuples(st.just("undo"), st.sampled_from(VERBS)),
        # The Undo arrives before what it undoes, which was sent before it.
        st.tuples(st.just("undo first"), st.sampled_from(VERBS)),
        st.tuples(st.just("replay"), st.integers(0, 30)),
        st.tuples(st.just("end here"), st.just("Follow")),
    ),
    max_size=25,
)


class RollBack(Exception):
    """Undoes a sequence, so that each begins on empty tables."""


class Sequence:
    """Rita's requests to alice's node: each is signed a second after the last, all with the same few ids."""

    def __init__(self, tx: Writer, alice: Account) -> None:
        self.tx, self.clock = tx, 1000
        self.alice, self.rita = alice, remote(tx)
        self.post = publish(tx, self.alice)
        self.sent: list[tuple[str, Any, str, int]] = []
        self.expected = dict.fromkeys(VERBS, False)

    def activity(self, verb: str, at: int) -> tuple[str, Any, str, int]:
        object_ = self.alice.uri if verb in ("Follow", "Block") else self.post.uri
        return verb, object_, f"{self.rita.uri}#{verb}/42", at

    def undo(self, verb: str, at: int) -> tuple[str, Any, str, int]:
        _, object_, id_, _ = self.activity(verb, at)
        undone = {"type": verb, "id": id_, "actor": self.rita.uri, "object": object_}
        return "Undo", undone, f"{id_}/undo", at

    def tick(self, seconds: int = 1) -> int:
        self.clock += seconds
        return self.clock

    def receive(self, request: tuple[str, Any, str, int]) -> None:
        kind, object_, id_, at = request
        more = {"to": ["https://www.w3.org/ns/activitystreams#Public"]} if kind == "Announce" else {}
        with contextlib.suppress(Ignored):
            handle(self.tx, self.rita, kind, object_, id=id_, signed_at=at, **more)
        self.sent.append(request)

    def play(self, step: str, argument: Any) -> None:
        match step:
            case "do" if self.expected["Block"] and argument in ("Like", "Announce"):
                pass  # The post is not there for somebody who has blocked its author.
            case "do":
                # Hours later: nothing that was undone before it arrived is waited for any more.
                self.receive(self.activity(argument, self.tick(7200)))
                self.expected[argument] = not (self.expected["Block"] and argument == "Follow")
                if argument == "Block":
                    self.expected["Follow"] = False
            case "undo":
                self.receive(self.undo(argument, self.tick()))
                self.expected[argument] = False
            case "undo first":
                overtaken = self.activity(argument, self.tick())
                self.receive(self.undo(argument, self.tick()))
                self.receive(overtaken)
                self.expected[argument] = False
            case "replay" if self.sent:
                self.receive(self.sent[argument % len(self.sent)])
            case "end here":
                follows.remove_follower(self.tx, self.alice, self.rita)
                self.expected["Follow"] = False


def standing(tx: Reader, alice: Account, rita: Account, post: Post) -> dict[str, bool]:
    follow = relationships.follow_between(tx, rita, alice)
    stored = posts.by_id(tx, post.id)
    assert stored is not None
    assert stored.boosts_count == int(boosts.by_account_and_post(tx, rita, post) is not None)
    assert stored.likes_count == int(likes.by_uri(tx, f"{rita.uri}#Like/42") is not None)
    return {
        "Follow": follow is not None,
        "Like": stored.likes_count == 1,
        "Announce": stored.boosts_count == 1,
        "Block": relationships.has_blocked(tx, rita, alice),
    }


@given(sequence=steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_stands_is_what_was_said_last(
    db: Database, alice: Account, sequence: list[tuple[str, Any]]
) -> None:
    def unit(tx: Writer) -> None:
        played = Sequence(tx, alice)
        for step, argument in sequence:
            played.play(step, argument)
            found = standing(tx, played.alice, played.rita, played.post)
            assert found == played.expected, (step, argument, sequence)
        raise RollBack

    with contextlib.suppress(RollBack):
        await db.write(unit)
