"""Hostile text of other servers on every page that shows it: H1, H5, E3, E8, D5 and C12 of the security table."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.remote import actors
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import relationships
from node.admin import reports
from node.attachments import photo_rows, photos
from node.errors import Refused
from node.paging import Page
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from node.text import formatting
from tests.node.text.test_formatting import HOSTILE
from tests.support.asgi import Client
from tests.support.pictures import picture
from tests.support.visitors import Visitor, sign_in
from tests.web.pages.test_guards import _check
from web.app import create_app


async def test_H1_hostile_html_does_nothing_on_any_page(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    uri = evil.base + "/users/rita"
    for number, html in enumerate(HOSTILE):
        evil.person(
            "rita",
            name=html,
            summary=html,
            attachment=[{"type": "PropertyValue", "name": html, "value": html}],
            tag=[{"type": "Emoji", "name": html, "icon": {"type": "Image", "url": f"{evil.base}/x"}}],
        )
        await actors.find(alice.node, uri, refresh=True)
        activity = create(
            evil,
            number=number,
            content=html,
            summary=html,
            name=html,
            type="Question",
            oneOf=[{"type": "Note", "name": html}],
            location={"type": "Place", "name": html},
            license=html,
            tag=[
                {"type": "Hashtag", "name": "#" + html, "href": f"{evil.base}/{html}"},
                {"type": "Mention", "name": html, "href": (await alice.account()).uri},
            ],
            attachment=[
                {"type": "Image", "url": f"{evil.base}/{number}.jpg", "name": html, "exifData": html}
            ],
        )
        assert await evil.send(alice.node, "rita", activity) == 202
        flag = evil.activity("rita", "Flag", (await alice.account()).uri, content=html)
        assert await evil.send(alice.node, "rita", flag) == 202
        await fediverse.settle()
    assert len(await alice.home_views()) == 20
    cases = await alice.node.db.read(reports.page, Page())
    assert cases

    visitor = await sign_in(alice.node, await alice.account(), "admin")
    newest = (await alice.home_views())[0].post
    for path in (
        "/",
        "/notifications",
        f"/@rita@{evil.domain}",
        f"/@rita@{evil.domain}/all",
        f"/posts/{newest.id}/history",
        f"/posts/{newest.id}",
        "/explore",
        "/search?q=x",
        "/admin/reports",
        f"/admin/reports/{cases[0].report.id}",
        f"/authorize_interaction?uri={uri}",
        f"/report?post={newest.id}",
    ):
        seen = await visitor.get(path)
        assert seen.status == 200, path
        _check(seen, path)


async def test_E3_a_sanitiser_failure_loses_the_text_and_not_the_queue(
    fediverse: Fediverse, evil: RemoteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    whole = formatting._CLEANER

    class Fragile:
        """The library, with a bug that one text triggers."""

        def clean(self, html: str) -> str:
            if "BREAKS" in html:
                raise ValueError("a fault in the sanitiser")
            return whole.clean(html)

    monkeypatch.setattr(formatting, "_CLEANER", Fragile())
    for number, text in enumerate(("One", "BREAKS", "Three")):
        assert await evil.send(alice.node, "rita", create(evil, number=number, content=text)) == 202
    await fediverse.settle()
    assert sorted(await alice.home()) == ["", "One", "Three"]


async def test_E8_no_context_is_ever_fetched(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    many = [f"{other.base}/contexts/{n}" for n in range(500)]
    activity = create(evil) | {"@context": ["https://www.w3.org/ns/activitystreams", *many, {"x": many[0]}]}
    activity["object"]["@context"] = many[1]
    assert await evil.send(alice.node, "rita", activity) in (202, 400)
    evil.person("newcomer", **{"@context": ["https://www.w3.org/ns/activitystreams", *many]})
    assert (await actors.find(alice.node, f"{evil.base}/users/newcomer")).name == "newcomer"
    await fediverse.settle()
    assert other.requests.total() == 0
    assert await alice.home() == ["Post 1"]


async def test_H5_no_link_can_make_anybody_follow(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    visitor = await sign_in(alice.node, await alice.account())
    seen = await visitor.get(f"/authorize_interaction?uri={uri}")
    rita = await actors.find(alice.node, uri)
    assert seen.status == 200
    assert "frame-ancestors 'none'" in seen.headers["content-security-policy"]
    assert seen.headers["x-frame-options"] == "DENY"
    assert await alice.node.db.read(relationships.follow_between, await alice.account(), rita) is None

    # A form of another site, or one without the token, is refused; the button of the page works.
    action = seen.one("form", action=f"/people/{rita.id}/follow").attributes["action"]
    assert (await visitor.post(action, csrf="")).status == 403
    away = await visitor.post(action, headers={"sec-fetch-site": "cross-site", "origin": evil.base})
    assert away.status == 403
    assert await alice.node.db.read(relationships.follow_between, await alice.account(), rita) is None
    await visitor.get(f"/authorize_interaction?uri={uri}")
    await visitor.post(action)
    assert await alice.node.db.read(relationships.follow_between, await alice.account(), rita) is not None


@pytest.mark.parametrize(
    "template",
    ["javascript:alert(1)//{uri}", "http://evil.example/{uri}", "//evil/{uri}", "https://[evil/{uri}", 7],
)
async def test_a_remote_subscribe_template_is_used_only_over_https(
    fediverse: Fediverse, evil: RemoteServer, template: Any
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    link = {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template}
    evil.serve(
        "/.well-known/webfinger",
        {"subject": f"acct:rita@{evil.domain}", "links": [link]},
        content_type="application/jrd+json",
    )
    anybody = Visitor(create_app(alice.node))
    target = (await alice.account()).uri
    await anybody.get(f"/interact?uri={target}")
    seen = await anybody.post("/interact", {"uri": target, "handle": f"rita@{evil.domain}"})
    away = [link.attributes["href"] for link in seen.all("a") if "evil" in link.attributes.get("href", "")]
    assert away
    assert all(href.startswith(f"{evil.base}/authorize_interaction?uri=") for href in away)


async def test_D5_a_handle_never_leads_to_an_odd_address(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    visitor = await sign_in(alice.node, await alice.account())
    alice.node.client._allow_private = False
    for handle in (
        "a@127.0.0.1:6379/..#",
        "a@127.0.0.1",
        "a@[::1]",
        "a@localhost",
        f"a@{evil.domain}/../x",
        f"a@{evil.domain}\r\nHost: x",
        f"a@{evil.domain}?x",
        f"a@u@{evil.domain}",
        "a@2130706433",
    ):
        evil.requests.clear()
        seen = await visitor.get(
            "/search?q=%40" + handle.replace("#", "%23").replace("\r\n", "%0d%0a").replace("?", "%3f")
        )
        assert seen.status == 200
        assert evil.requests.total() == 0, handle


async def test_C12_a_post_has_only_photos_of_its_author(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    (bob,) = await fediverse.people("bob@a.test")
    photo = await photos.upload(alice.node, await alice.account(), picture(), alt="A photo")
    with pytest.raises(Refused):
        await bob._do(publishing.publish, Draft(photo_ids=[photo.id]))
    assert await alice.node.db.read(photo_rows.by_posts, [photo.post_id or 0]) == {}
    for number, thing in enumerate(
        (
            {"type": "Person", "id": f"{evil.base}/users/rita", "inbox": "x"},
            {"type": "Create", "actor": "x", "object": {"type": "Note"}},
            {"type": "Image", "url": {"type": "Like"}},
            [[[]]],
            {"type": "Document", "url": [{"type": "Link", "href": {}}]},
        )
    ):
        activity = create(evil, number=number, attachment=thing)
        assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    stored = await alice.node.db.read(
        lambda tx: [posts.by_uri(tx, f"{evil.base}/users/rita/statuses/{n}") for n in range(5)]
    )
    assert all(post is not None for post in stored)
    visitor = await sign_in(alice.node, await alice.account())
    assert (await visitor.get("/")).status == 200
    assert (
        await Client(create_app(alice.node)).get(f"/@rita@{evil.domain}", headers={"accept": "text/html"})
    ).status == 200
