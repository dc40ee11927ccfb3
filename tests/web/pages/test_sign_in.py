"""Signing up, signing in, the first admin, and rate limits."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from node.accounts import accounts
from node.admin import account_actions
from node.auth import passwords, sessions, sign_in_limits, signing_in, users
from node.config import RegistrationOptions
from node.database import Writer
from node.errors import Refused
from node.lifecycle import registration
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn
from web.app import create_app
from web.request.session import SESSION_COOKIE

PASSWORD = "a picture a day"


async def _set_up(node: Node, visitor: Visitor) -> None:
    code = await node.db.write(registration.create_setup_code)
    await visitor.get("/setup")
    form = {"code": code, "name": "alice", "email": "alice@tintype.test", "password": PASSWORD}
    seen = await visitor.post("/setup", form)
    assert seen.status == 200
    assert "Home" in seen.one("title").text


async def test_the_setup_code_creates_the_first_admin_once(node: Node, anybody: Visitor) -> None:
    welcome = await anybody.get("/")
    assert welcome.one("a", href="/setup")
    await _set_up(node, anybody)
    assert (await anybody.get("/admin/people")).status == 200
    other = Visitor(anybody.client.app)
    assert (await other.get("/setup")).status == 404


async def test_a_wrong_setup_code_creates_no_account(node: Node, anybody: Visitor) -> None:
    await node.db.write(registration.create_setup_code)
    await anybody.get("/setup")
    form = {"code": "AAAA-BBBB-CCCC", "name": "mallory", "email": "m@m.test", "password": PASSWORD}
    seen = await anybody.post("/setup", form)
    assert seen.status == 422
    assert "not the one printed" in seen.main_text
    assert SESSION_COOKIE not in anybody.cookies


async def test_a_user_signs_up_signs_out_and_signs_in(node: Node, anybody: Visitor) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    await anybody.get("/sign-up")
    seen = await anybody.post("/sign-up", {"name": "bob", "email": "bob@tintype.test", "password": PASSWORD})
    assert "Home" in seen.one("title").text
    await anybody.post("/sign-out")
    assert SESSION_COOKIE not in anybody.cookies
    await anybody.get("/sign-in?next=/settings/profile")
    form = {"login": "bob", "password": PASSWORD, "next": "/settings/profile"}
    seen = await anybody.post("/sign-in", form)
    assert seen.path == "/settings/profile"


async def test_a_taken_name_is_reported_at_its_field_and_the_form_kept(node: Node, anybody: Visitor) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    await anybody.get("/sign-up")
    seen = await anybody.post(
        "/sign-up", {"name": "Alice", "email": "other@tintype.test", "password": PASSWORD}
    )
    assert seen.status == 409
    assert "taken" in seen.main_text
    assert seen.one("input", id="f-email").attributes["value"] == "other@tintype.test"
    assert PASSWORD not in seen.text


async def test_a_sign_up_with_approval_waits_for_the_admin(node: Node) -> None:
    node.config = dataclasses.replace(node.config, registration=RegistrationOptions(mode="approval"))
    app = create_app(node)
    admin, newcomer = Visitor(app), Visitor(app)
    await _set_up(node, admin)
    await newcomer.get("/sign-up")
    form = {"name": "bob", "email": "bob@b.test", "password": PASSWORD, "reason": "I like lakes"}
    assert "will be reviewed" in (await newcomer.post("/sign-up", form)).main_text
    await newcomer.get("/sign-in")
    refused = await newcomer.post("/sign-in", {"login": "bob", "password": PASSWORD})
    assert "pending" in refused.main_text
    waiting = await admin.get("/admin/sign-ups")
    assert "I like lakes" in waiting.main_text
    action = next(one for one in waiting.all("form") if one.attributes["action"].endswith("/approve"))
    await admin.post(action.attributes["action"])
    await newcomer.get("/sign-in")
    assert (
        "Home" in (await newcomer.post("/sign-in", {"login": "bob", "password": PASSWORD})).one("title").text
    )


async def test_the_sign_up_page_shows_that_sign_ups_are_closed(node: Node) -> None:
    node.config = dataclasses.replace(node.config, registration=RegistrationOptions(mode="closed"))
    app = create_app(node)
    await _set_up(node, Visitor(app))
    visitor = Visitor(app)
    assert "Sign-ups are closed" in (await visitor.get("/sign-up")).main_text
    form = {"name": "bob", "email": "bob@b.test", "password": PASSWORD}
    assert (await visitor.post("/sign-up", form)).status == 403


async def test_guessing_a_password_is_stopped_after_some_tries(node: Node, anybody: Visitor) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    await anybody.get("/sign-in")
    answers = [
        await anybody.post("/sign-in", {"login": "alice", "password": f"guess {n}"}) for n in range(12)
    ]
    assert answers[0].status == 422
    assert answers[-1].status == 429
    assert "too often" in answers[-1].main_text
    right = await anybody.post("/sign-in", {"login": "alice", "password": PASSWORD})
    assert right.status == 429


@pytest.mark.parametrize(
    "away",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "/\t/evil.test",
        "javascript:alert(1)",
        "\\\\evil.test",
        "/%2f%2fevil.test@",
        "%2f%2fevil.test",
        "/\n/evil.test",
    ],
)
async def test_H3_signing_in_never_redirects_to_another_site(node: Node, anybody: Visitor, away: str) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    await anybody.get("/sign-in")
    seen = await anybody.post("/sign-in", {"login": "alice", "password": PASSWORD, "next": away})
    assert seen.path == "/"


async def test_a_page_for_users_redirects_to_sign_in_and_back(anybody: Visitor) -> None:
    seen = await anybody.get("/notifications/likes")
    assert seen.path == "/sign-in?next=/notifications/likes"
    assert seen.one("input", name="next").attributes["value"] == "/notifications/likes"


async def test_a_bot_that_fills_every_field_is_not_signed_up(node: Node, anybody: Visitor) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    await anybody.get("/sign-up")
    form = {"name": "robot", "email": "r@r.test", "password": PASSWORD, "website": "https://spam.test"}
    assert (await anybody.post("/sign-up", form)).status == 200
    assert await node.db.read(users.by_login, "robot") is None


async def test_the_theme_is_saved_for_the_browser_and_the_account(
    node: Node, alice: Account, anybody: Visitor, signed_in: object
) -> None:
    await anybody.get("/about")
    await anybody.post("/theme", {"theme": "dark"})
    assert (await anybody.get("/about")).one("html").attributes["data-theme"] == "dark"
    visitor = await signed_in(alice)  # type: ignore[operator]
    await visitor.post("/theme", {"theme": "light"})
    user = await node.db.read(users.by_account, alice)
    assert user is not None
    assert user.theme == "light"


async def test_signing_up_too_often_is_refused_and_the_form_kept(node: Node, anybody: Visitor) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    await anybody.get("/sign-up")
    form = {"name": "alice", "email": "late@b.test", "password": PASSWORD}
    answers = [await anybody.post("/sign-up", form) for _ in range(12)]
    assert answers[0].status == 409
    assert answers[-1].status == 429
    assert "too often" in answers[-1].main_text
    assert answers[-1].one("input", id="f-email").attributes["value"] == "late@b.test"


async def test_I6_attempts_are_counted_by_an_unforgeable_address(node: Node, anybody: Visitor) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    await anybody.get("/sign-in")

    async def guesses(forwarded: str) -> int:
        form = {"login": "alice", "password": "a guess"}
        return (await anybody.post("/sign-in", form, headers={"x-forwarded-for": forwarded})).status

    # Whoever is not our proxy may write there what they like.
    assert [await guesses(f"198.51.100.{n}") for n in range(12)][-1] == 429

    # Behind the node's proxy, the nearest hop that is no trusted proxy is the client; anything before it may be forged.
    server = dataclasses.replace(node.config.server, trusted_proxies=("203.0.113.7", "10.0.0.1"))
    node.config = dataclasses.replace(node.config, server=server)
    assert [await guesses(f"192.0.2.{n}, 198.51.100.99, 10.0.0.1") for n in range(12)][-1] == 429
    assert await guesses("192.0.2.1, 198.51.100.98, 10.0.0.1") == 422


async def test_I3_a_demoted_moderator_loses_the_admin_pages_at_once(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    await signed_in(alice, "admin")
    for judge in ("user", "suspended", "disabled"):
        his = await signed_in(bob, "admin")
        await node.db.write(users.set_role, alice, bob, "admin")
        assert (await his.get("/admin/people")).status == 200
        if judge == "user":
            await node.db.write(users.set_role, alice, bob, "user")
        elif judge == "suspended":
            await node.db.write(account_actions.suspend, alice, bob)
        else:
            await node.db.write(account_actions.unsuspend, alice, bob)
            await node.db.write(lambda tx: tx.run("UPDATE users SET state = 'disabled' WHERE account_id = :id", id=bob.id))  # fmt: skip
        assert (await his.get("/admin/people")).status in (403, 404) or his.page.path.startswith("/sign-in")
        token = his.page.csrf if his.page and his.page.all("input", name="csrf") else ""
        seen = await his.post(f"/admin/people/{alice.id}/suspend", csrf=token)
        assert seen.status in (403, 404) or seen.path.startswith("/sign-in")
    assert (await node.db.read(accounts.get, alice.id)).suspended_at is None


async def test_guessing_from_many_networks_is_slowed_and_does_not_lock_the_owner_out(
    node: Node, anybody: Visitor
) -> None:
    server = dataclasses.replace(node.config.server, trusted_proxies=("203.0.113.7",))
    node.config = dataclasses.replace(node.config, server=server)
    owner = Visitor(anybody.client.app)
    await _set_up(node, owner)
    await owner.post("/sign-out")

    async def attempt(visitor: Visitor, password: str, login: str, n: int) -> int:
        await visitor.get("/sign-in")
        form = {"login": login, "password": password}
        address = {"x-forwarded-for": f"198.51.{n // 250}.{n % 250}"}
        return (await visitor.post("/sign-in", form, headers=address)).status

    logins = ("alice", "ALICE", "@alice@tintype.test", "alice@tintype.test")
    answers = [await attempt(anybody, f"guess {n}", logins[n % 4], n) for n in range(60)]
    unknown = [await attempt(anybody, f"guess {n}", "nobody", n + 500) for n in range(60)]
    assert answers[0] == 422
    assert answers[-1] == 429
    assert answers == unknown
    # A browser that never signed in waits, also with the right password; the owner's own does not.
    assert await attempt(anybody, PASSWORD, "alice", 700) == 429
    assert await attempt(owner, PASSWORD, "alice", 701) == 200


async def give_password(node: Node, account: Account, email: str) -> None:
    hashed = await passwords.hash(PASSWORD)

    def unit(tx: Writer) -> None:
        if users.by_account(tx, account) is None:
            users.create(tx, account, email=email, password_hash=hashed)
        tx.run("UPDATE users SET email = :email WHERE account_id = :id", email=email, id=account.id)
        users.set_password(tx, account.id, hashed)

    await node.db.write(unit)


LOGINS = ("alice", "ALICE", "@alice@tintype.test", "alice@tintype.test", " alice ", "alice@mail.test")


async def test_guesses_from_one_network_count_for_the_account_whatever_it_is_called(
    node: Node, alice: Account
) -> None:
    await give_password(node, alice, "alice@mail.test")

    async def attempt(login: str, password: str) -> str:
        try:
            await signing_in.sign_in(node, login, password, address="198.51.100.7", user_agent="")
        except Refused as refused:
            return type(refused).__name__
        return "signed in"

    # Five spellings of a name have one limit, and the address of the account is no way around it.
    answers = [
        await attempt(LOGINS[n % 5], f"guess {n}") for n in range(sign_in_limits.MAX_ATTEMPTS_PER_NAME + 1)
    ]
    assert answers == ["Invalid"] * sign_in_limits.MAX_ATTEMPTS_PER_NAME + ["TooManyRequests"]
    # It answers as an address does that nobody has: whose it is must not be told.
    by_address = [await attempt("alice@mail.test", PASSWORD) for _ in range(11)]
    nobody = [await attempt("nobody@mail.test", PASSWORD) for _ in range(11)]
    assert by_address == nobody == ["Invalid"] * 10 + ["TooManyRequests"]


async def test_guesses_from_many_networks_count_for_the_account_whatever_it_is_called(
    node: Node, alice: Account
) -> None:
    await give_password(node, alice, "alice@mail.test")

    async def attempt(login: str, password: str, n: int) -> str:
        address = f"198.51.{n // 250}.{n % 250}"
        try:
            await signing_in.sign_in(node, login, password, address=address, user_agent="")
        except Refused as refused:
            return type(refused).__name__
        return "signed in"

    half = sign_in_limits.MAX_ATTEMPTS_PER_ACCOUNT // 2
    for n in range(half):
        assert await attempt("alice@mail.test", "guess", n) == "Invalid"
    assert await attempt("alice", PASSWORD, 600) == "signed in"
    for n in range(half, 2 * half):
        assert await attempt("alice", "guess", n) == "Invalid"
    assert await attempt("alice@mail.test", PASSWORD, 601) == "Invalid"
    assert await attempt("alice", PASSWORD, 602) == "Invalid"
    # The owner's own browser is let in.
    mark = signing_in.known_browser_mark(node.site, alice)
    assert await signing_in.sign_in(
        node, "alice@mail.test", PASSWORD, address="198.51.99.1", user_agent="", known_browser=mark
    )


async def test_the_mark_of_one_account_opens_no_other(node: Node, alice: Account, bob: Account) -> None:
    mark = signing_in.known_browser_mark(node.site, alice)
    assert signing_in.is_known_browser(node.site, alice, mark)
    for wrong in ("", "x", mark[:-1], mark.upper(), "\u00e9" * 32):
        assert not signing_in.is_known_browser(node.site, alice, wrong)
    assert not signing_in.is_known_browser(node.site, bob, mark)


async def test_a_taken_address_is_not_told_on_the_page(node: Node, anybody: Visitor) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    seen = []
    for name, email in (("bob", "alice@tintype.test"), ("carol", "carol@tintype.test")):
        visitor = Visitor(anybody.client.app)
        await visitor.get("/sign-up")
        page = await visitor.post("/sign-up", {"name": name, "email": email, "password": PASSWORD + "!"})
        seen.append((page.status, page.path, page.one("title").text))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("admin", "That username is reserved. Please choose another."),
        ("ALICE", "That username is taken."),
        ("a b", "A name has 1 to 30 "),
        ("newcomer", ""),
    ],
)
async def test_what_is_wrong_with_a_name_is_known_before_the_form_is_sent(
    node: Node, alice: Account, anybody: Visitor, name: str, problem: str
) -> None:
    reply = await anybody.client.get("/sign-up/name", {"name": name})

    assert reply.status == 200
    said = msgspec.json.decode(reply.body)["problem"]
    assert said.startswith(problem) if problem else said == ""


RULES = ("Be <kind>.", "Show your own photos.")


@pytest.mark.parametrize("path", ["/", "/about", "/sign-up"])
async def test_the_rules_are_shown_before_somebody_joins(node: Node, path: str) -> None:
    node.config = dataclasses.replace(node.config, node=dataclasses.replace(node.config.node, rules=RULES))
    await _set_up(node, Visitor(create_app(node)))
    visitor = Visitor(create_app(node))

    seen = await visitor.get(path)

    shown = [one.text.strip() for one in seen.all("li", dir="auto")]
    assert shown == list(RULES)
    v1, v2 = [(await visitor.client.get(f"/api/{version}/instance")).json for version in ("v1", "v2")]
    assert v1["rules"] == v2["rules"]
    assert [(one["id"], one["text"]) for one in v2["rules"]] == [("1", RULES[0]), ("2", RULES[1])]


async def test_the_welcome_page_has_one_way_to_sign_in(node: Node, anybody: Visitor) -> None:
    await _set_up(node, Visitor(anybody.client.app))
    for path in ("/", "/explore"):
        seen = await anybody.get(path)
        assert len(seen.all("a", href="/sign-in")) == 1
        assert not seen.all("ol", class_="rule-list")


async def test_sessions_are_named_by_their_browser(node: Node, alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
    await node.db.write(sessions.start, alice, firefox)

    seen = await visitor.get("/settings/sessions")

    assert seen.one("b", title=firefox).text == "Firefox on Linux"
