from __future__ import annotations

import functools
from typing import Any

import pytest

from node.database import Database, Writer
from node.errors import Invalid
from node.lifecycle import profiles
from node.models.account import Account
from node.text import display_names
from tests.support import people


async def test_a_profile_is_checked_rendered_and_sent(db: Database, alice: Account) -> None:
    changed = await db.write(
        profiles.update_profile,
        alice,
        display_name="Alice  Liddell",
        bio="Photos of <lakes>\r\nhttps://alice.example",
        fields=[("Site", "https://alice.example"), ("", "dropped")],
        is_locked=True,
        is_discoverable=False,
        is_indexable=True,
    )

    assert changed.label == "Alice Liddell"
    assert "&lt;lakes&gt;" in changed.bio
    assert changed.bio_source.startswith("Photos of <lakes>\n")
    assert changed.profile_fields[0][0] == "Site"
    assert 'href="https://alice.example"' in changed.profile_fields[0][1]
    assert len(changed.profile_fields) == 1
    assert (changed.is_locked, changed.is_discoverable, changed.is_indexable) == (True, False, True)
    assert await db.read(people.verbs_of, alice) == ["Update"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("display_name", {"display_name": "x" * 61}),
        ("bio", {"bio": "x" * 1001}),
        ("fields", {"fields": [("a", "b")] * 5}),
        ("fields", {"fields": [("a", "b" * 256)]}),
    ],
)
async def test_a_profile_that_is_too_long_is_refused_with_its_field(
    db: Database, alice: Account, field: str, values: dict[str, str]
) -> None:
    profile = {
        "display_name": "",
        "bio": "",
        "is_locked": False,
        "is_discoverable": True,
        "is_indexable": False,
    }

    with pytest.raises(Invalid) as refused:
        await db.write(profiles.update_profile, alice, **(profile | values))  # type: ignore[arg-type]

    assert refused.value.field == field


NOTHING: dict[str, Any] = {
    "display_name": "",
    "bio": "",
    "is_locked": False,
    "is_discoverable": True,
    "is_indexable": False,
}


async def test_a_profile_at_its_limits_is_accepted(db: Database, alice: Account) -> None:
    limits = {
        "display_name": "x" * display_names.MAX_DISPLAY_NAME_LENGTH,
        "bio": "x" * profiles.MAX_BIO_LENGTH,
        "fields": [("a", "b" * profiles.MAX_FIELD_LENGTH)] * profiles.MAX_FIELDS,
    }

    changed = await db.write(functools.partial(profiles.update_profile, **(NOTHING | limits)), alice)

    assert len(changed.profile_fields) == profiles.MAX_FIELDS


async def test_what_is_not_given_stays_as_it_is(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        given = {"hides_follows": True, "attribution_domains": ["blog.example"]}
        profiles.update_profile(tx, alice, **(NOTHING | given))
        changed = profiles.update_profile(tx, alice, **NOTHING)
        assert (changed.hides_follows, changed.attribution_domains) == (True, '["blog.example"]')
        changed = profiles.update_profile(tx, alice, **NOTHING, hides_follows=False, attribution_domains=[])
        assert (changed.hides_follows, changed.attribution_domains) == (False, "[]")

    await db.write(unit)


async def test_a_profile_that_is_saved_without_a_change_is_not_sent(db: Database, alice: Account) -> None:
    given = NOTHING | {
        "bio": "Lakes\nhttps://alice.example",
        "fields": [("Site", "https://alice.example")],
        "hides_follows": True,
        "attribution_domains": ["blog.example"],
    }
    save = functools.partial(profiles.update_profile, **given)
    first = await db.write(save, alice)

    # As in a tab that was opened before the change.
    assert await db.write(save, alice) == await db.write(save, first) == first

    assert await db.read(people.verbs_of, alice) == ["Update"]
    await db.write(functools.partial(profiles.update_profile, **(given | {"is_locked": True})), first)
    assert await db.read(people.verbs_of, alice) == ["Update", "Update"]


async def test_the_source_is_kept_beside_the_rendered_text(
    db: Database, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        given = {"bio": "With @bob", "fields": [("Friend", "@bob")]}
        changed = profiles.update_profile(tx, alice, **(NOTHING | given))
        assert (changed.bio_source, changed.source_fields) == ("With @bob", [("Friend", "@bob")])
        [[_, shown, *_]] = changed.profile_fields
        for html in (changed.bio, shown):
            assert f'href="{bob.url}"' in html
        assert not shown.startswith("<p>")

    await db.write(unit)


@pytest.mark.parametrize(
    ("line", "domain"),
    [
        ("blog.example", "blog.example"),
        (" HTTPS://Blog.Example/about?x ", "blog.example"),
        ("http://blog.example:8080", "blog.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_website_is_known_by_its_domain(line: str, domain: str) -> None:
    assert profiles.parse_attribution_domains([line, "", line]) == [domain]


@pytest.mark.parametrize("line", ["blog", "https://", "<b>"])
def test_what_is_not_a_website_is_refused(line: str) -> None:
    with pytest.raises(Invalid) as refused:
        profiles.parse_attribution_domains([line])

    assert refused.value.field == "attribution_domains"


def test_so_many_websites_and_no_more() -> None:
    names = [f"{n}.example" for n in range(profiles.MAX_ATTRIBUTION_DOMAINS)]

    assert profiles.parse_attribution_domains([*names, "0.example"]) == names
    with pytest.raises(Invalid):
        profiles.parse_attribution_domains([*names, "more.example"])
