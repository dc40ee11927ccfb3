"""NUL, halves of characters and endless numbers, in every place of every request: refused, and never an error of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from activitypub.server import routes as federation
from node.auth import access_tokens, users
from node.auth.oauth import scopes as oauth_scopes
from node.cli import commands
from node.config import BadConfig, load
from node.database import Writer
from node.errors import Invalid
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client, Reply
from tests.support.visitors import multipart, sign_in
from web.api.routes import ROUTES
from web.app import App, create_app

NUL = "a\0b"
HUGE = 10**30
# A name of a parameter in the source: request.args.get("q"), form.get("q"), params.text("q"), form["q"].
NAMES = re.compile(
    r"""(?:\.get|\.text|\.id|\.ids|\.all_ids|\.reference|\.flag|\.number|\.all_values|\.objects|required_param)\(\s*"([\w\[\]]+)\""""
)


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


def _user(tx: Writer, account: Account) -> str:
    if users.by_account(tx, account) is None:
        users.create(tx, account, email=f"{account.name}@tintype.test", password_hash="-", role="admin")
    return access_tokens.create(tx, account, oauth_scopes.parse_scopes("read write follow push"), "Test")


def page_routes(app: App) -> Iterator[tuple[str, str]]:
    for rule in app.quart.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield method, re.sub(r"<(?:int:)(\w+)>", "1", rule.rule)


def api_routes() -> Iterator[tuple[str, str]]:
    for route in ROUTES:
        yield route.method, route.path.replace("{", "<").replace("}", ">")


def federation_routes() -> Iterator[tuple[str, str]]:
    for rule in federation._ROUTES._adapter.map.iter_rules():
        path = re.sub(r"<any\('?([\w.]+).*?\):\w+>", r"\1", rule.rule)
        yield "GET", re.sub(r"<digits:\w+>", "1", path)


def filled(path: str, value: str) -> str:
    """The path with a value in the place of each placeholder."""
    return re.sub(r"<[^>]+>", value, path)


async def attempts(
    client: Client, method: str, path: str, csrf: str, names: list[str]
) -> list[tuple[str, Reply]]:
    """What is answered to bad text in each place of one route."""
    plain = filled(path, "alice" if "@" in path or "users" in path else "1")
    query = "&".join(f"{quote(name)}=a%00b" for name in names)
    form = [(name, NUL) for name in names] + [("csrf", csrf)]
    urlencoded = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in form)
    parts, kind = multipart([("csrf", csrf), ("caption", NUL)], [])
    named, named_kind = multipart([("csrf", csrf)], [("photos", "a\0.jpg", b"x"), ("file", "a\0.jpg", b"x")])
    halves = json.dumps(dict.fromkeys(names, "x")).replace('"x"', '"a\\ud800b"')
    numbers = json.dumps(dict.fromkeys(names, HUGE))
    lists = json.dumps({name: [NUL, {"a": NUL}] for name in names})
    form_type = {"content-type": "application/x-www-form-urlencoded"}
    json_type = {"content-type": "application/json"}
    found: list[tuple[str, Reply]] = []

    async def send(place: str, where: str, query: str = "", **rest: Any) -> None:
        found.append((place, await client.call(method, f"{where}?{query}" if query else where, **rest)))

    if "<" in path:
        await send("path", filled(path, NUL))
        await send("number in the path", filled(path, str(HUGE)))
    await send("query", plain, query)
    await send("number in the query", plain, "&".join(f"{quote(name)}={HUGE}" for name in names))
    await send("name in the query", plain, "a%00b=c")
    await send("cookie", plain, headers={"cookie": 'tintype_session="a\\000b"; tintype_language="\\000"'})
    await send("header", plain, headers={"x-forwarded-for": NUL, "accept-language": NUL, "referer": NUL})
    if method != "GET":
        await send("form", plain, body=urlencoded.encode(), headers=form_type)
        await send("name in the form", plain, body=f"csrf={csrf}&a%00b=c".encode(), headers=form_type)
        await send("multipart", plain, body=parts, headers={"content-type": kind})
        await send("file name", plain, body=named, headers={"content-type": named_kind})
        for place, body in (("JSON", lists), ("halves", halves), ("numbers", numbers)):
            await send(place, plain, body=body.encode(), headers=json_type)
        await send("key", plain, body=b"status=a", headers={**form_type, "idempotency-key": NUL})
    return found


def parameter_names(*packages: str) -> list[str]:
    from pathlib import Path

    root = Path(__file__).parents[2]
    sources = [path.read_text() for package in packages for path in (root / package).rglob("*.py")]
    return sorted({name for source in sources for name in NAMES.findall(source)} - {"csrf"})


REFUSED = {400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429}
# Numbers count as none, a lone half is no JSON, and the API drops the names of files.
HARMLESS = {"number in the path", "number in the query", "numbers", "halves"}


def unrefused(found: list[tuple[str, Reply]], harmless: set[str] = HARMLESS) -> list[tuple[str, int, bytes]]:
    return [
        (place, reply.status, reply.body[:200])
        for place, reply in found
        if reply.status >= 500 or (place not in harmless and reply.status not in REFUSED)
    ]


async def test_no_page_stores_or_fails_at_what_no_database_can_store(
    node: Node, app: App, alice: Account
) -> None:
    browser = await sign_in(node, alice, "admin", app)
    assert browser.page is not None
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    names = parameter_names("web/pages", "web/html", "web/request")
    assert {"caption", "q", "alias", "name", "max_id"} <= set(names)
    routes = list(page_routes(app))
    assert len(routes) > 80

    failed = {}
    for method, path in routes:
        if path == "/sign-out":
            continue
        client = Client(app, {"accept": "text/html", "cookie": cookie})
        if found := unrefused(await attempts(client, method, path, browser.page.csrf, names)):
            failed[method, path] = found
    assert failed == {}


async def test_no_endpoint_of_the_api_stores_or_fails_at_it(node: Node, app: App, alice: Account) -> None:
    token = await node.db.write(_user, alice)
    names = parameter_names("web/api")
    assert {"status", "media_ids", "q", "limit"} <= set(names)

    failed = {}
    for method, path in api_routes():
        client = Client(app, {"authorization": f"Bearer {token}"})
        if found := unrefused(await attempts(client, method, path, "", names), HARMLESS | {"file name"}):
            failed[method, path] = found
    assert failed == {}


async def test_no_document_for_other_servers_fails_at_it(app: App, alice: Account) -> None:
    failed = {}
    for method, path in federation_routes():
        client = Client(app, {"accept": "application/activity+json"})
        if found := unrefused(
            await attempts(client, method, path, "", ["resource", "rel", "page", "max_id"])
        ):
            failed[method, path] = found
    assert failed == {}


async def test_an_activity_with_it_is_refused(app: App) -> None:
    client = Client(app, {"content-type": "application/activity+json"})

    for name in ("id", "type", "actor", "object"):
        document = {
            "id": "https://far.example/1",
            "type": "Like",
            "actor": "https://far.example/a",
            "object": "b",
        }
        for value in (NUL, [NUL], {"id": NUL}, HUGE):
            reply = await client.post("/inbox", sent={**document, name: value})
            assert reply.status in (400, 401)


async def test_media_files_are_refused_alike(app: App) -> None:
    for path in ("/media/a\0b", "/media/p/\0/a.webp", f"/media/avatar/{HUGE}/small.webp", "/static/\0"):
        assert (await Client(app).get(path)).status in (400, 404)


async def test_a_refusal_has_the_form_that_the_client_expects(app: App) -> None:
    page = await Client(app, {"accept": "text/html"}).get("/search?q=%00")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b"cannot be stored" in page.body
    api = await Client(app).get("/api/v2/search?q=%00")
    assert (api.status, api.json["error"]) == (400, "That contains a character that cannot be stored.")


async def test_a_text_that_only_looks_like_it_is_kept(node: Node, app: App, alice: Account) -> None:
    token = await node.db.write(_user, alice)
    client = Client(app, {"authorization": f"Bearer {token}"})

    reply = await client.post("/api/v1/statuses", sent={"status": r"\0 \u0000 %00 &#0; 🙂"})

    assert reply.status == 200
    assert r"\0 \u0000 %00" in reply.json["content"]
    assert (await client.get("/search?q=%2500")).status == 200


async def test_a_command_refuses_it(node: Node, alice: Account) -> None:
    await node.db.write(_user, alice)

    for value in (NUL, "a\ud800"):
        with pytest.raises(Invalid):
            await commands.perform(
                node.db, "token create", {"name": "alice", "scopes": ["read"], "app": value}
            )
        with pytest.raises(Invalid):
            await commands.perform(node.db, "account find", {"name": value})


@pytest.mark.parametrize("value", [NUL, "a\ud800", 2**63, -(2**63) - 1])
async def test_what_slipped_through_is_an_error_of_who_sent_it(node: Node, value: Any) -> None:
    """The same on both databases, where they would fail; what SQLite could store is refused before."""
    if value == NUL and node.config.database.url.startswith("sqlite:"):
        return
    if isinstance(value, int):
        statement = "INSERT INTO seen_activities (hash, seen_at) VALUES (:value, 0)"
    else:
        statement = "INSERT INTO settings (key, value) VALUES ('test', :value)"
        with pytest.raises(Invalid):
            await node.db.read(lambda tx: tx.all("SELECT * FROM settings WHERE value = :value", value=value))

    with pytest.raises(Invalid):
        await node.db.write(lambda tx: tx.run(statement, value=value))


def test_the_options_refuse_it(tmp_path: Any) -> None:
    (tmp_path / "config.toml").write_text('[node]\ntitle = "a\\u0000b"\n')

    with pytest.raises(BadConfig, match="NUL"):
        load(str(tmp_path / "config.toml"))
