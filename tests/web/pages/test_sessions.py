"""The page of sessions, apps and sign-ins: this browser is marked, the others can be signed out, what failed is seen."""

from __future__ import annotations

from node.auth import passwords, users
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Visitor
from tests.web.pages.conftest import PASSWORD, SignedIn
from web.app import App

CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0 Safari/537.36"


async def test_this_browser_is_marked_and_all_others_are_signed_out(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    here, there, his = await signed_in(alice), await signed_in(alice), await signed_in(bob)
    page = await here.get("/settings/sessions")
    assert page.main_text.count("This browser") == 1
    assert len(page.all("button", name="session")) == 2  # the other one, and all others

    seen = await here.post("/settings/sessions/end", {"session": "others"})

    assert "Signed out everywhere else." in seen.main_text
    assert (await there.get("/bookmarks")).path.startswith("/sign-in")
    assert (await here.get("/bookmarks")).path == "/bookmarks"
    assert (await his.get("/bookmarks")).path == "/bookmarks"


async def test_the_log_names_browser_and_network_in_words(
    node: Node, alice: Account, signed_in: SignedIn, app: App
) -> None:
    await signed_in(alice)
    await node.db.write(users.set_password, alice.id, await passwords.hash(PASSWORD))
    other = Visitor(app)
    await other.get("/sign-in")
    form = {"login": "alice", "password": PASSWORD}
    await other.post("/sign-in", form, headers={"user-agent": CHROME})

    log = (await other.get("/settings/sessions")).main_text

    assert "Chrome on Linux" in log
    assert "By password" in log


async def test_a_new_account_begins_its_log(alice: Account, signed_in: SignedIn, anybody: Visitor) -> None:
    await signed_in(alice, "admin")
    await anybody.get("/sign-up")
    form = {"name": "noor", "email": "noor@mail.example", "password": "a picture a day"}
    await anybody.post("/sign-up", form)

    assert "Signed up" in (await anybody.get("/settings/sessions")).main_text
