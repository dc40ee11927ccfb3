"""The ASGI app for remote servers: discovery, content negotiation, documents, collections."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from activitypub.documents import nodeinfo
from activitypub.server.routes import FederationApp, prefers_activitypub
from node.accounts import accounts
from node.admin.statistics import Statistics
from node.config import Config
from node.database import Writer
from node.interactions import boosts, follows, likes
from node.lifecycle import account_deletion
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support import people
from tests.support.asgi import Client, Reply
from web.app import create_app

AP = {"accept": "application/activity+json"}


@pytest.fixture
def app(node: Node) -> Client:
    return Client(FederationApp(node), AP)


def body(reply: Reply) -> Any:
    assert reply.status == 200, reply
    return json.loads(reply.body)


async def webfinger(app: Client, resource: str, *rels: str) -> Reply:
    query = [("resource", resource), *(("rel", rel) for rel in rels)]
    return await app.get("/.well-known/webfinger", query)


class TestWebFinger:
    @pytest.mark.parametrize(
        "resource",
        [
            "acct:alice@tintype.test",
            "acct:ALICE@TinType.test",
            "acct:@alice@tintype.test",
            "alice@tintype.test",
            "@alice@tintype.test",
            "https://tintype.test/users/alice",
            "https://tintype.test/@alice",
            "https://tintype.test/@alice/",
            "acct:alice@tintype.test:443",
        ],
    )
    async def test_every_form_of_a_resource_is_understood(
        self, app: Client, alice: Account, resource: str
    ) -> None:
        reply = await webfinger(app, resource)
        found = body(reply)
        assert found["subject"] == "acct:alice@tintype.test"
        assert reply.headers["content-type"].startswith("application/jrd+json")
        assert reply.headers["access-control-allow-origin"] == "*"
        links = {link["rel"]: link for link in found["links"]}
        assert links["self"] == {
            "rel": "self",
            "type": "application/activity+json",
            "href": "https://tintype.test/users/alice",
        }
        assert links["http://webfinger.net/rel/profile-page"]["href"] == "https://tintype.test/@alice"
        assert "{uri}" in links["http://ostatus.org/schema/1.0/subscribe"]["template"]

    async def test_relations_choose_among_the_links(self, app: Client, alice: Account) -> None:
        found = body(await webfinger(app, "acct:alice@tintype.test", "self", "http://example.org/none"))
        assert [link["rel"] for link in found["links"]] == ["self"]

    @pytest.mark.parametrize("resource", ["", "alice", "acct:alice", "mailto:x", "acct:a b@tintype.test"])
    async def test_a_malformed_resource_is_a_bad_request(self, app: Client, resource: str) -> None:
        assert (await webfinger(app, resource)).status == 400

    async def test_without_a_resource_it_is_a_bad_request(self, app: Client) -> None:
        assert (await app.get("/.well-known/webfinger")).status == 400

    @pytest.mark.parametrize(
        "resource", ["acct:nobody@tintype.test", "acct:alice@remote.example", "https://tintype.test/p/x/1"]
    )
    async def test_an_unknown_account_is_not_found(self, app: Client, alice: Account, resource: str) -> None:
        assert (await webfinger(app, resource)).status == 404

    async def test_a_deleted_account_is_gone(self, node: Node, app: Client, alice: Account) -> None:
        await node.db.write(account_deletion.delete_account, alice)
        assert (await webfinger(app, "acct:alice@tintype.test")).status == 410

    async def test_the_instance_actor_has_a_handle(self, app: Client) -> None:
        found = body(await webfinger(app, "acct:tintype.test@tintype.test"))
        assert found["links"][0]["href"] == "https://tintype.test/actor"
        assert found["subject"] == "acct:tintype.test@tintype.test"


async def test_host_meta_leads_to_webfinger(app: Client) -> None:
    reply = await app.get("/.well-known/host-meta")
    assert reply.headers["content-type"].startswith("application/xrd+xml")
    link = ElementTree.fromstring(reply.body).find("{http://docs.oasis-open.org/ns/xri/xrd-1.0}Link")
    assert link is not None
    assert link.attrib["template"] == "https://tintype.test/.well-known/webfinger?resource={uri}"
    assert body(await app.get("/.well-known/host-meta.json"))["links"][0]["rel"] == "lrdd"


async def test_nodeinfo_is_there_in_both_versions(app: Client, alice: Account) -> None:
    links = body(await app.get("/.well-known/nodeinfo"))["links"]
    assert [link["href"].rpartition("/")[2] for link in links] == ["2.0", "2.1"]
    for link in links:
        reply = await app.get(link["href"].removeprefix("https://tintype.test"))
        found = body(reply)
        assert found["version"] in link["rel"]
        assert link["rel"] in reply.headers["content-type"]
        assert found["software"]["name"] == "tintype"
        assert found["protocols"] == ["activitypub"]
        assert set(found["usage"]["users"]) == {"total", "activeMonth", "activeHalfyear"}


async def test_nodeinfo_2_1_says_where_the_source_is(options: Config) -> None:
    here = "https://code.example/tintype"
    named = dataclasses.replace(options, node=dataclasses.replace(options.node, source_url=here))
    numbers = Statistics(people=1, posts=0, servers=0, active_month=0, active_half_year=0)

    assert nodeinfo.document(named, "2.1", numbers)["software"]["repository"] == here
    assert "repository" not in nodeinfo.document(named, "2.0", numbers)["software"]
    assert "repository" not in nodeinfo.document(options, "2.1", numbers)["software"]


class TestNegotiation:
    @pytest.mark.parametrize(
        ("accept", "wanted"),
        [
            ("application/activity+json", True),
            ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True),
            ("application/ld+json", True),
            ("application/activity+json, application/ld+json", True),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
            ("*/*", False),
            ("", False),
            ("application/json", False),
            ("text/html, application/activity+json;q=0.5", False),
            ("text/html;q=0.5, application/activity+json", True),
            ("application/activity+json;q=0", False),
        ],
    )
    async def test_the_accept_header_decides(self, accept: str, *, wanted: bool) -> None:
        assert prefers_activitypub(accept) is wanted

    async def test_html_requests_are_left_to_the_web_app(self, node: Node, alice: Account) -> None:
        app = FederationApp(node)

        def scope(path: str, accept: str, method: str = "GET") -> dict[str, Any]:
            return {
                "type": "http",
                "method": method,
                "path": path,
                "headers": [(b"accept", accept.encode())],
            }

        for path in ("/users/alice", "/@alice", "/p/alice/1"):
            assert app.find(scope(path, AP["accept"])) is not None
            assert app.find(scope(path, "text/html")) is None
            assert app.find(scope(path, AP["accept"], "POST")) is None
        for path in ("/inbox", "/users/alice/inbox", "/actor/inbox"):
            assert app.find(scope(path, "*/*", "POST")) is not None
        for path in ("/", "/@bob@remote.example", "/compose", "/p/alice", "/media/x"):
            assert app.find(scope(path, AP["accept"])) is None


async def test_an_actor_is_served_at_its_id_and_its_page(app: Client, alice: Account) -> None:
    for path in ("/users/alice", "/@alice", "/users/ALICE"):
        reply = await app.get(path)
        assert body(reply)["id"] == "https://tintype.test/users/alice"
        assert reply.headers["content-type"].startswith("application/activity+json")
        assert reply.headers["vary"] == "Accept, Signature"
    assert (await app.get("/users/nobody")).status == 404
    head = await app.call("HEAD", "/users/alice")
    assert (head.status, head.body) == (200, b"")


async def test_the_node_is_an_actor(app: Client) -> None:
    actor = body(await app.get("/actor"))
    assert (actor["type"], actor["preferredUsername"]) == ("Application", "tintype.test")
    assert actor["inbox"] == "https://tintype.test/actor/inbox"
    assert actor["publicKey"]["owner"] == actor["id"] == "https://tintype.test/actor"
    assert actor["generator"]["implements"][0]["href"].endswith("rfc9421")


async def test_a_deleted_actor_leaves_a_tombstone(node: Node, app: Client, alice: Account) -> None:
    await node.db.write(account_deletion.delete_account, alice)
    reply = await app.get("/users/alice")
    assert reply.status == 410
    assert json.loads(reply.body)["type"] == "Tombstone"


async def test_a_deleted_post_leaves_a_tombstone(node: Node, app: Client, alice: Account) -> None:
    post = await node.db.write(publishing.publish, alice, Draft(caption="Oh"))
    hidden = await node.db.write(publishing.publish, alice, Draft(caption="Oh", visibility="followers"))
    for one in (post, hidden):
        await node.db.write(post_deletion.delete, alice, one)
    reply = await app.get(post.uri.removeprefix("https://tintype.test"))
    assert reply.status == 410
    assert json.loads(reply.body)["formerType"] == "Note"
    # That a private post has existed is not revealed.
    assert (await app.get(hidden.uri.removeprefix("https://tintype.test"))).status == 404


async def test_an_outbox_is_read_page_by_page(node: Node, app: Client, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        for n in range(50):
            publishing.publish(tx, alice, Draft(caption=f"Number {n}"))
        boosts.boost(tx, alice, publishing.publish(tx, bob, Draft(caption="By bob")))

    await node.db.write(unit)
    front = body(await app.get("/users/alice/outbox"))
    assert (front["type"], front["totalItems"]) == ("OrderedCollection", 51)
    found: list[Any] = []
    url = front["first"]
    while url:
        page = body(await app.get(url.removeprefix("https://tintype.test")))
        assert page["type"] == "OrderedCollectionPage"
        assert page["partOf"] == front["id"]
        found += page["orderedItems"]
        url = page.get("next")
    assert [item["type"] for item in found] == ["Announce"] + ["Create"] * 50
    assert len({item["id"] for item in found}) == 51
    for item in (found[0], found[-1]):
        fetched = body(await app.get(item["id"].removeprefix("https://tintype.test")))
        assert fetched["id"] == item["id"]


async def test_followers_and_following_are_listed(node: Node, app: Client, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = people.remote(tx)
        follows.follow(tx, rita, alice, uri=f"{rita.uri}#1")
        follows.accept(tx, follows.follow(tx, alice, rita))
        follows.follow(tx, alice, people.remote(tx, "pending"))

    await node.db.write(unit)
    for kind in ("followers", "following"):
        front = body(await app.get(f"/users/alice/{kind}"))
        assert front["totalItems"] == 1
        page = body(await app.get(front["first"].removeprefix("https://tintype.test")))
        assert page["orderedItems"] == ["https://far.example/users/rita"]


async def test_an_empty_collection_has_no_items(app: Client, alice: Account) -> None:
    for kind in ("outbox", "followers", "following", "collections/featured"):
        front = body(await app.get(f"/users/alice/{kind}"))
        assert front["totalItems"] == 0
        assert "orderedItems" not in front
        assert "first" not in front


async def test_a_post_lists_its_replies_likes_and_shares(
    node: Node, app: Client, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> tuple[str, str]:
        post = publishing.publish(tx, alice, Draft(caption="Heron"))
        comment = publishing.publish(tx, bob, Draft(caption="A crane", parent_id=post.id))
        publishing.publish(tx, bob, Draft(caption="Psst", parent_id=post.id, visibility="direct"))
        likes.like(tx, bob, post)
        boosts.boost(tx, bob, post)
        return post.uri, comment.uri

    post, comment = await node.db.write(unit)
    path = post.removeprefix("https://tintype.test")
    listed = {}
    for kind in ("replies", "likes", "shares"):
        front = body(await app.get(f"{path}/{kind}"))
        assert front["totalItems"] == 1
        listed[kind] = body(await app.get(front["first"].removeprefix("https://tintype.test")))[
            "orderedItems"
        ]
    assert listed["replies"] == [comment]
    assert listed["likes"][0].startswith("https://tintype.test/users/bob#likes/")
    assert listed["shares"][0].startswith("https://tintype.test/users/bob/boosts/")


MANY_FIELDS = "?page=true" + "&a=1" * 20


@pytest.mark.parametrize(
    "path",
    [
        "/actor/outbox",
        *(f"/users/alice/{kind}" for kind in ("outbox", "followers", "following", "collections/featured")),
        *(f"/p/alice/1/{kind}" for kind in ("replies", "likes", "shares", "context")),
        "/tags/heron",
        "/.well-known/webfinger",
    ],
)
async def test_a_query_of_too_many_fields_is_refused(app: Client, alice: Account, path: str) -> None:
    assert (await app.get(path + MANY_FIELDS)).status == 400


async def test_hidden_follow_collections_are_only_counted(
    node: Node, app: Client, alice: Account, bob: Account
) -> None:
    await node.db.write(follows.follow, bob, alice)
    assert body(await app.get("/users/alice/followers?page=true"))["orderedItems"] == [bob.uri]
    await node.db.write(people.profile, alice, hides_follows=True)
    for page in ("", "?page=true"):
        front = body(await app.get("/users/alice/followers" + page))
        assert front["totalItems"] == 1
        assert not {"first", "orderedItems", "items"} & set(front)


async def test_documents_allow_only_get_and_head(app: Client, alice: Account) -> None:
    reply = await app.post("/users/alice/outbox")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


async def test_a_suspended_actor_shows_only_that_it_is_suspended(
    node: Node, app: Client, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        people.profile(tx, alice, display_name="Alice", bio="Text", is_indexable=True)
        accounts.set_visible(tx, alice.id, is_visible=False)

    await node.db.write(unit)
    actor = body(await app.get("/users/alice"))
    assert actor["suspended"] is True
    assert (actor["name"], actor["summary"], actor["discoverable"]) == ("alice", "<p></p>", False)
    assert (await webfinger(app, "acct:alice@tintype.test")).status == 404


@pytest.mark.parametrize("number", [2**63, 10**19 - 1])
async def test_an_id_out_of_range_is_not_found(node: Node, alice: Account, number: int) -> None:
    app = Client(create_app(node), AP)
    for path in ("/p/alice/{}", "/p/alice/{}/likes", "/p/alice/{}/activity", "/users/alice/activities/{}"):
        assert (await app.get(path.format(number))).status == 404, path
    assert (await app.get(f"/users/alice/outbox?page=true&max_id={number}")).status == 200
