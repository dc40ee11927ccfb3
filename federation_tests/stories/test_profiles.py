"""What somebody says about themselves reaches those who follow them."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from node.attachments import avatars
from node.database import Writer
from node.text import formatting
from tests.support import people
from tests.support.pictures import picture
from web.files import media_urls


async def test_a_new_name_and_picture_reach_followers(fediverse: Fediverse) -> None:
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
    await avatars.change(alice.node, await alice.account(), picture(200, 200), alt="A lake")
    await fediverse.settle()

    known = await bob.finds(alice)
    assert known.label == "Alice of the Lake"
    assert formatting.plain_text(known.bio).startswith("Fog, mostly.")
    assert [(name, formatting.plain_text(value)) for name, value in known.profile_fields] == [
        ("Camera", "An old one")
    ]
    assert known.is_indexable
    assert known.avatar_url.startswith(alice.node.site.uri("/media/"))
    assert known.avatar_alt == "A lake"
    assert (await bob.node.client.get_bytes(known.avatar_url, limit=100_000, types=("image/*",))).body


async def test_the_wide_picture_is_fetched_when_somebody_looks(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    wide = picture(1500, 500)
    await avatars.change(alice.node, await alice.account(), wide, alt="A shore", kind=avatars.HEADER)
    await fediverse.settle()

    known = await bob.finds(alice)
    assert known.header_url.startswith(alice.node.site.uri("/media/"))
    assert (known.header_alt, known.avatar_url) == ("A shore", "")
    assert not await bob.node.db.read(avatars.files, known, avatars.HEADER)
    address = media_urls.of_header(bob.node.site, known)
    shown = await alice.node.client.get_bytes(address, limit=1_000_000, types=("image/*",))
    assert shown.body[8:12] == b"WEBP"
    assert await bob.node.db.read(avatars.files, known, avatars.HEADER)

    await alice._do(avatars.take_away, avatars.HEADER)
    await fediverse.settle()
    assert media_urls.of_header(bob.node.site, await bob.finds(alice)) == ""
