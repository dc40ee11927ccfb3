"""URLs of photos and profile pictures: plain for public posts, with a capability for others."""

from __future__ import annotations

import dataclasses

import pytest

from node.attachments.stored_files import StoredFile
from node.database.core import Site
from node.models.account import Account
from node.node import Node
from tests.node.attachments.test_photo_rows import a_photo
from tests.support.people import remote
from web.files import media_urls
from web.files.media_urls import FULL_VARIANTS, PREVIEW_VARIANTS

SITE = Site("https", "tintype.test", b"a secret")
FEDERATED, MEDIUM = StoredFile("aa/bb/f.jpg", 1, 1, 1), StoredFile("aa/bb/m.webp", 1, 1, 1)


def test_a_public_file_has_a_plain_url() -> None:
    assert media_urls.media_url(SITE, "aa/bb/c.jpg", None) == "https://tintype.test/media/aa/bb/c.jpg"


def test_a_capability_is_of_one_file_and_one_node() -> None:
    url = media_urls.media_url(SITE, "aa/bb/c.jpg", SITE.media_capability)
    prefix, _, rest = url.removeprefix("https://tintype.test/media/").partition("/")
    capability, _, key = rest.partition("/")

    assert (prefix, key) == ("p", "aa/bb/c.jpg")
    assert SITE.is_media_capability(capability, key)
    assert not SITE.is_media_capability(capability, "aa/bb/d.jpg")
    assert not dataclasses.replace(SITE, secret=b"another").is_media_capability(capability, key)


def test_an_app_gets_the_largest_variant_to_zoom_into_and_a_small_preview() -> None:
    photo = a_photo(files={("medium", "webp"): MEDIUM, ("federated", "jpeg"): FEDERATED})

    assert media_urls.photo_url(SITE, photo, FULL_VARIANTS, None).endswith(FEDERATED.key)
    assert media_urls.photo_url(SITE, photo, PREVIEW_VARIANTS, None).endswith(MEDIUM.key)


def test_without_a_wanted_variant_any_file_is_used_and_none_has_no_url() -> None:
    photo = a_photo(files={("thumb", "avif"): MEDIUM})

    assert media_urls.select_file(photo, FULL_VARIANTS) == MEDIUM
    assert media_urls.select_file(a_photo(), FULL_VARIANTS) is None
    assert media_urls.photo_url(SITE, a_photo(), FULL_VARIANTS, None) == ""


@pytest.mark.parametrize(
    ("variants", "name"), [(FULL_VARIANTS, "large.webp"), (PREVIEW_VARIANTS, "medium.webp")]
)
def test_a_remote_photo_has_a_url_of_this_node_before_it_is_fetched(
    variants: tuple[tuple[str, str], ...], name: str
) -> None:
    photo = a_photo(id=7, remote_url="https://far.example/a.jpg")

    url = media_urls.photo_url(SITE, photo, variants, None)

    assert url == f"https://tintype.test/media/remote/7/{name}"


def test_a_local_picture_has_a_url_that_changes_with_it(node: Node, alice: Account) -> None:
    assert media_urls.avatar_url(SITE, alice) == "https://tintype.test/static/avatar.svg"
    assert media_urls.header_url(SITE, alice) == ""

    first, second = (
        media_urls.avatar_url(SITE, dataclasses.replace(alice, avatar_file=key))
        for key in ("a.webp", "b.webp")
    )

    assert first.partition("?")[0] == second.partition("?")[0]
    assert first.partition("?")[0] == f"https://tintype.test/media/avatar/{alice.id}/avatar.webp"
    assert first != second


async def test_a_remote_picture_has_a_url_of_this_node_unless_media_are_rejected(node: Node) -> None:
    rita = await node.db.write(
        remote, avatar_url="https://far.example/a.png", header_url="https://far.example/h.png"
    )

    assert media_urls.avatar_url(SITE, rita).startswith(f"https://tintype.test/media/avatar/{rita.id}/")
    assert media_urls.header_url(SITE, rita).startswith(f"https://tintype.test/media/header/{rita.id}/")
    rejected = dataclasses.replace(rita, is_without_media=True)
    assert media_urls.avatar_url(SITE, rejected, "/none.svg") == "https://tintype.test/none.svg"
    assert media_urls.header_url(SITE, rejected) == ""
