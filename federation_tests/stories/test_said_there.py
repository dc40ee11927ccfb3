"""What a server says of its own people: suspended there, or not for visitors who are not signed in."""

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


async def test_whom_their_server_has_suspended_is_hidden_until_it_lets_them_in(
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
    # While they are, nothing else is heard of them.
    evil.person("rita", suspended=True)
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", uri))
    await fediverse.settle()
    await evil.send(alice.node, "rita", create(evil, number=2))
    await fediverse.settle()
    assert await alice.node.db.read(posts.by_uri, f"{uri}/statuses/2") is None


async def test_whom_this_node_has_suspended_no_other_server_brings_back(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    uri = f"{evil.base}/users/rita"

    def judge(tx: Writer) -> None:
        admin = accounts.get(tx, alice.id)
        users.create(tx, admin, email="a@a.test", password_hash="-", role="admin")
        rita = accounts.by_uri(tx, uri)
        assert rita is not None
        account_actions.suspend(tx, admin, rita)

    await alice.node.db.write(judge)
    for is_suspended in (True, False):
        evil.person("rita", suspended=is_suspended)
        await actors.find(alice.node, uri, refresh=True)
    rita = await alice.node.db.read(accounts.by_uri, uri)
    assert rita is not None
    assert rita.is_inactive


async def test_posts_that_are_not_for_the_open_web_are_shown_to_people_here_only(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    evil.person("rita", hidesToPublicFromUnauthedWeb=True)
    await actors.find(alice.node, f"{evil.base}/users/rita", refresh=True)
    said = create(evil, content="<p>Not for the web #fog</p>", tag=[{"type": "Hashtag", "name": "#fog"}])
    await evil.send(alice.node, "rita", said)
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, said["object"]["id"])
    assert post is not None
    hers = await sign_in(alice.node, await alice.account())
    anybody = Client(create_app(alice.node), {"accept": "text/html"})
    assert "Not for the web" in (await hers.get(f"/posts/{post.id}")).words
    assert (await anybody.get(f"/posts/{post.id}")).status == 404
    for path in (f"/@rita@{evil.domain}/all", "/tags/fog", "/explore/network", "/search?q=fog"):
        assert b"Not for the web" not in (await anybody.get(path)).body, path
