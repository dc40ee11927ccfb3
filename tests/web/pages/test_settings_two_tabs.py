"""Settings that are open in two tabs: neither undoes the other, and where both changed the same, both are shown."""

from __future__ import annotations

from node.accounts import accounts
from node.auth import users
from node.auth.users import User
from node.database import Reader
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn

PROFILE, PREFERENCES = "/settings/profile", "/settings/preferences"


async def _open(visitor: Visitor, path: str) -> dict[str, str]:
    """What a form that is opened now was given."""
    seen = await visitor.get(path)
    return {"given": seen.one("input", name="given").attributes["value"]}


def _user(tx: Reader, account: Account) -> User | None:
    return users.by_account(tx, account)


async def test_two_tabs_of_the_profile_change_different_fields(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    old = await _open(visitor, PROFILE)
    await visitor.post(
        PROFILE, {**old, "bio": "A new bio\r\nof two lines", "display_name": "", "is_discoverable": "1"}
    )
    seen = await visitor.post(PROFILE, {**old, "bio": "", "display_name": "Alice Varga", "is_locked": "1"})
    assert "Saved." in seen.main_text
    changed = await node.db.read(accounts.get, alice.id)
    assert (changed.bio_source, changed.display_name) == ("A new bio\nof two lines", "Alice Varga")
    assert changed.is_locked

    # The next save of a page that shows all of it changes nothing else.
    now = await _open(visitor, PROFILE)
    await visitor.post(
        PROFILE, {**now, "bio": "A new bio\r\nof two lines", "display_name": "Alice", "is_locked": "1"}
    )
    changed = await node.db.read(accounts.get, alice.id)
    assert (changed.bio_source, changed.display_name) == ("A new bio\nof two lines", "Alice")


async def test_the_same_field_changed_twice_is_shown_in_both_forms_and_decided_by_the_next_save(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    old = await _open(visitor, PROFILE)
    await visitor.post(PROFILE, {**old, "bio": "From one tab", "display_name": ""})
    seen = await visitor.post(PROFILE, {**old, "bio": "From the other", "display_name": "Alice Varga"})
    assert seen.status == 409
    assert seen.one("textarea", name="bio").text == "From the other"
    assert "It is now: “From one tab”" in seen.main_text
    assert "Your other changes are saved." in seen.main_text
    changed = await node.db.read(accounts.get, alice.id)
    assert (changed.bio_source, changed.display_name) == ("From one tab", "Alice Varga")

    now = {"given": seen.one("input", name="given").attributes["value"]}
    seen = await visitor.post(PROFILE, {**now, "bio": "From the other", "display_name": "Alice Varga"})
    assert "Saved." in seen.main_text
    assert (await node.db.read(accounts.get, alice.id)).bio_source == "From the other"


async def test_a_refused_profile_shows_what_another_tab_saved(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    old = await _open(visitor, PROFILE)
    await visitor.post(PROFILE, {**old, "bio": "", "display_name": "Alice Varga"})
    seen = await visitor.post(PROFILE, {**old, "bio": "x" * 1001, "display_name": ""})
    assert seen.status == 422
    assert seen.one("input", name="display_name").attributes["value"] == "Alice Varga"
    now = {"given": seen.one("input", name="given").attributes["value"]}
    await visitor.post(PROFILE, {**now, "bio": "x", "display_name": "Alice Varga"})
    changed = await node.db.read(accounts.get, alice.id)
    assert (changed.bio_source, changed.display_name) == ("x", "Alice Varga")


async def test_two_tabs_of_the_preferences(node: Node, alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    old = await _open(visitor, PREFERENCES)
    rest = {"default_visibility": "public", "default_licence": "", "time_zone": ""}
    await visitor.post(PREFERENCES, {**old, **rest, "theme": "dark", "asks_descriptions": "0"})
    seen = await visitor.post(
        PREFERENCES, {**old, **rest, "theme": "system", "default_licence": "CC BY", "asks_descriptions": "1"}
    )
    assert "Saved." in seen.main_text
    user = await node.db.read(_user, alice)
    assert user is not None
    assert (user.theme, user.default_licence, user.asks_descriptions) == ("dark", "CC BY", False)

    seen = await visitor.post(PREFERENCES, {**old, **rest, "theme": "light", "asks_descriptions": "1"})
    assert seen.status == 409
    assert "Theme was also changed in another tab or app. It is now: “Dark”" in seen.main_text
    chosen = next(one for one in seen.all("input", name="theme") if "checked" in one.attributes)
    assert chosen.attributes["value"] == "light"


async def test_a_form_that_says_nothing_of_what_it_was_given_is_written_whole(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get(PROFILE)
    for given in ("", "[", "[1]", "[" * 5000, '{"bio": {"a": []}, "fields": [1, [[], 2]]}'):
        form = {"given": given, "bio": f"Bio {len(given)}", "display_name": "Alice"}
        assert (await visitor.post(PROFILE, form)).status in {200, 409}
