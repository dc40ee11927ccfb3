"""What somebody says about themselves reaches those who follow them."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse
from node import accounts, avatars, captions
from node.database import Writer
from tests.support.pictures import picture


async def test_a_new_name_and_picture_reach_followers(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()

    def unit(tx: Writer) -> None:
        accounts.update_profile(
            tx,
            accounts.get(tx, alice.id),
            display_name="Alice of the Lake",
            bio="Fog, mostly. https://a.example/",
            fields=[("Camera", "An old one")],
            is_locked=False,
            is_discoverable=True,
            is_indexable=True,
        )

    await alice.node.db.write(unit)
    await avatars.change(alice.node, await alice.account(), picture(200, 200), alt="A lake")
    await fediverse.settle()

    known = await bob.finds(alice)
    assert known.label == "Alice of the Lake"
    assert captions.plain_text(known.bio).startswith("Fog, mostly.")
    assert [(name, captions.plain_text(value)) for name, value in known.profile_fields] == [
        ("Camera", "An old one")
    ]
    assert known.is_indexable
    assert known.avatar_url.startswith(alice.node.site.uri("/media/"))
    assert known.avatar_alt == "A lake"
    assert (await bob.node.client.get_bytes(known.avatar_url, limit=100_000, types=("image/*",))).body
