"""What a remote server says about its accounts: suspended there, or hidden from visitors who are not signed in."""

from __future__ import annotations

from activitypub.remote import actors
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import accounts
from node.admin import account_actions
from node.auth import users
from node.database import Writer
from node.posts import posts
from tests.support.asgi import Client
from tests.support.visitors import sign_in
from web.app import create_app


async def test_an_account_suspended_by_its_server_is_hidden_until_unsuspended(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    await evil.send(alice.node, "rita", create(evil))
    await fediverse.settle()
    uri = f"{evil.base}/users/rita"

    for is_suspended, shown in ((True, []), (False, ["Post 1"])):
        evil.person("rita", suspended=is_suspended)
        assert await evil.send(alice.node, "rita", evil.activity("rita", "Update", uri)) == 202
        await fediverse.settle()
        assert await alice.home() == shown
    # While it is suspended, nothing else of it is accepted.
    evil.person("rita", suspended=True)
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", uri))
    await fediverse.settle()
    await evil.send(alice.node, "rita", create(evil, number=2))
    await fediverse.settle()
    assert await alice.node.db.read(posts.by_uri, f"{uri}/statuses/2") is None


async def test_a_suspension_by_this_node_outlasts_that_of_the_remote_server(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    uri = f"{evil.base}/users/rita"

    def suspend(tx: Writer) -> None:
        admin = accounts.get(tx, alice.id)
        users.create(tx, admin, email="a@a.test", password_hash="-", role="admin")
        rita = accounts.by_uri(tx, uri)
        assert rita is not None
        account_actions.suspend(tx, admin, rita)

    await alice.node.db.write(suspend)
    for is_suspended in (True, False):
        evil.person("rita", suspended=is_suspended)
        await actors.find(alice.node, uri, refresh=True)
    rita = await alice.node.db.read(accounts.by_uri, uri)
    assert rita is not None
    assert rita.is_inactive


async def test_posts_hidden_from_the_web_are_shown_to_signed_in_people_only(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    evil.person("rita", hidesToPublicFromUnauthedWeb=True)
    await actors.find(alice.node, f"{evil.base}/users/rita", refresh=True)
    activity = create(evil, content="<p>Not for the web #fog</p>", tag=[{"type": "Hashtag", "name": "#fog"}])
    await evil.send(alice.node, "rita", activity)
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, activity["object"]["id"])
    assert post is not None
    alice_client = await sign_in(alice.node, await alice.account())
    visitor = Client(create_app(alice.node), {"accept": "text/html"})
    assert "Not for the web" in (await alice_client.get(f"/posts/{post.id}")).main_text
    assert (await visitor.get(f"/posts/{post.id}")).status == 404
    for path in (f"/@rita@{evil.domain}/all", "/tags/fog", "/explore/network", "/search?q=fog"):
        assert b"Not for the web" not in (await visitor.get(path)).body, path
