"""Flag: reports of other servers, of local accounts and posts only, and not too many."""

from __future__ import annotations

import pytest

from activitypub.handlers import flag
from activitypub.handlers.received_activity import Ignored
from node.accounts import accounts
from node.admin import reports
from node.database import Reader, Writer
from node.errors import TooManyRequests
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from node.paging import Page
from tests.support.people import remote
from tests.support.posting import follow, publish
from tests.support.received import handle


def _reported(tx: Reader) -> dict[str, list[int]]:
    """The names of the reported accounts, each with the ids of its reported posts."""
    listed = reports.page(tx, Page())
    return {one.target.name: sorted(post.id for post in one.posts) for one in listed}


async def test_a_post_reports_its_author(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        handle(tx, rita, "Flag", [bob.uri, post.uri, rita.uri, "https://x.example/1"], content="Spam")
        assert _reported(tx) == {"alice": [post.id], "bob": []}

    await node.db.write(unit)


async def test_a_hidden_post_cannot_be_reported_by_a_server_that_never_got_it(
    node: Node, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar", "third.example")
        follow(tx, rita, alice)
        post = publish(tx, alice, visibility="followers")
        with pytest.raises(Ignored):
            handle(tx, omar, "Flag", [post.uri])
        # Another account of the follower's server may report: servers report on behalf of their accounts.
        handle(tx, remote(tx, "moderator"), "Flag", [post.uri])
        assert _reported(tx) == {"alice": [post.id]}

    await node.db.write(unit)


async def test_nobody_local_is_no_report(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        for uri in (rita.uri, accounts.instance_actor(tx).uri, node.site.uri("/users/nobody")):
            with pytest.raises(Ignored):
                handle(tx, rita, "Flag", [uri])

    await node.db.write(unit)


async def test_one_flag_reports_few_accounts(node: Node, pairs: dict[str, object]) -> None:
    def unit(tx: Writer) -> None:
        pair = pairs["alice"]
        targets = [accounts.create_local(tx, f"person{n}", pair=pair) for n in range(flag.MAX_ACCOUNTS + 2)]  # type: ignore[arg-type]
        handle(tx, remote(tx), "Flag", [one.uri for one in targets])
        assert reports.count_open(tx) == flag.MAX_ACCOUNTS

    await node.db.write(unit)


async def test_a_server_may_send_a_limited_number_of_reports(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        for number in range(flag.MAX_REPORTS_PER_HOUR):
            handle(tx, remote(tx, f"person{number % 3}"), "Flag", [alice.uri])
        with pytest.raises(TooManyRequests):
            handle(tx, remote(tx), "Flag", [alice.uri])
        handle(tx, remote(tx, "omar", "third.example"), "Flag", [alice.uri])

    await node.db.write(unit)


async def test_reports_of_a_server_can_be_rejected(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        domain_rules.block(tx, "far.example", strength="none", rejects_reports=True)
        with pytest.raises(Ignored, match="rejected"):
            handle(tx, remote(tx), "Flag", [alice.uri])

    await node.db.write(unit)
