"""Changes of a profile reach the followers on other nodes."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from node.attachments import avatars
from node.database import Writer
from node.text import formatting
from tests.support import people
from tests.support.pictures import picture
from web.files import media_urls


async def test_a_new_name_and_avatar_reach_followers(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()

    def unit(tx: Writer) -> None:
        people.profile(
            tx,
            accounts.get(tx, alice.id),
            display_name="Alice of the Lake",
            bio="Fog, mostly. https://a.example/",
            fields=[("Camera", "An old one")],
            is_indexable=True,
        )

    await alice.node.db.write(unit)
    await avatars.upload(alice.node, await alice.account(), picture(200, 200), alt="A lake")
    await fediverse.settle()

    known = await bob.finds(alice)
    assert known.label == "Alice of the Lake"
    assert formatting.html_to_text(known.bio).startswith("Fog, mostly.")
    assert [(name, formatting.html_to_text(value)) for name, value in known.profile_fields] == [
        ("Camera", "An old one")
    ]
    assert known.is_indexable
    assert known.avatar_url.startswith(alice.node.site.uri("/media/"))
    assert known.avatar_alt == "A lake"
    assert (await bob.node.client.get_bytes(known.avatar_url, max_bytes=100_000, types=("image/*",))).body


async def test_a_header_is_fetched_when_it_is_shown(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    header = picture(1500, 500)
    await avatars.upload(alice.node, await alice.account(), header, alt="A shore", kind=avatars.HEADER)
    await fediverse.settle()

    known = await bob.finds(alice)
    assert known.header_url.startswith(alice.node.site.uri("/media/"))
    assert (known.header_alt, known.avatar_url) == ("A shore", "")
    assert not await bob.node.db.read(avatars.files, known, avatars.HEADER)
    address = media_urls.header_url(bob.node.site, known)
    shown = await alice.node.client.get_bytes(address, max_bytes=1_000_000, types=("image/*",))
    assert shown.body[8:12] == b"WEBP"
    assert await bob.node.db.read(avatars.files, known, avatars.HEADER)

    await alice._do(avatars.remove_picture, avatars.HEADER)
    await fediverse.settle()
    assert media_urls.header_url(bob.node.site, await bob.finds(alice)) == ""
