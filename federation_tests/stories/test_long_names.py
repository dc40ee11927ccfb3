"""Names and ids of any length and any script."""

from __future__ import annotations

import secrets
from urllib.parse import quote

import pytest
from yarl import URL

from activitypub.remote import actors, lookup
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import AP, RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.federation import tombstones
from node.models.account import Account
from node.posts import posts
from tests.support.asgi import Client
from web.api import Api
from web.html.helpers import profile_path


async def test_an_account_with_a_very_long_name_is_found_by_it(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    name = "x" * 1900
    uri = evil.person("n1", preferredUsername=name)
    links = [{"rel": "self", "type": AP, "href": uri}]
    jrd = {"subject": f"acct:{name}@{evil.domain}", "links": links}
    evil.serve("/.well-known/webfinger", jrd, content_type="application/jrd+json")
    found = await lookup.resolve(alice.node, f"@{name}@{evil.domain}", await alice.account())
    assert isinstance(found, Account)
    assert found.uri == uri


@pytest.mark.parametrize(
    "name", ["写真", "Ünal", "a%20b", "x" * 2048, "写" * 680, "r.i-t~a", "a+b", "a;b", "naïve·x", "हिन्दी"]
)
async def test_an_account_of_any_name_has_a_page_and_is_found_by_apps(
    fediverse: Fediverse, evil: RemoteServer, name: str
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    rita = await actors.find(alice.node, evil.person("n1", preferredUsername=name))
    assert rita.name == name
    for path in (profile_path(rita), "/@" + quote(name, safe="") + "@" + evil.domain):
        address = str(URL(alice.node.site.base_url + path, encoded="%" in path))
        status, body, _ = await evil.request("GET", address, {"Accept": "text/html"})
        assert (status, b"canonical" in body) == (200, True), path[:100]
    found = await Client(Api(alice.node)).get(f"/api/v1/accounts/lookup?acct={quote(name)}@{evil.domain}")
    assert found.json["id"] == str(rita.id)


@pytest.mark.parametrize("name", ["写真", "हिन्दी", "r" * 80])
async def test_a_direct_post_reaches_names_of_any_script_and_length(
    fediverse: Fediverse, evil: RemoteServer, name: str
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await actors.find(alice.node, evil.person("n1", preferredUsername=name))
    await alice.posts(f"Hello, @{name}@{evil.domain}!", visibility="direct")
    await fediverse.settle()
    assert [one["type"] for one in evil.received] == ["Create"]


async def test_an_id_that_is_too_long_for_an_index_is_ignored(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    """It has few enough characters but too many bytes: PostgreSQL would refuse it within a unit of work."""
    alice = await alice_follows_rita(fediverse, evil)
    uri = f"{evil.base}/users/rita/s/" + "".join(chr(0x4E00 + n * 7) for n in range(1900))
    note = evil.note("rita", 1, is_served=False, id=uri)
    activity = evil.activity("rita", "Create", note, to=note["to"], cc=note["cc"])
    short = evil.note("rita", 2)
    second = evil.activity("rita", "Create", short, to=short["to"], cc=short["cc"])
    assert await evil.send(alice.node, "rita", activity) == 202
    assert await evil.send(alice.node, "rita", second) == 202
    assert await evil.send(alice.node, "rita", activity | {"actor": uri}) == 400
    await fediverse.settle()
    assert await alice.node.db.read(posts.by_uri, uri) is None
    assert await alice.node.db.read(posts.by_uri, short["id"]) is not None


async def test_a_deletion_of_a_long_id_by_a_long_name_is_remembered(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    name = secrets.token_urlsafe(1500)[:1950]
    rita = await actors.find(alice.node, evil.person(name))
    gone = f"{evil.base}/s/{secrets.token_urlsafe(1500)[:1900]}"
    activity = evil.activity(name, "Delete", {"type": "Tombstone", "id": gone})
    assert await evil.send(alice.node, name, activity) == 202
    await fediverse.settle()
    assert await alice.node.db.read(tombstones.is_tombstoned, rita, gone)
