"""What the first view of Home may weigh on the way to a phone."""

from __future__ import annotations

import re

from node.database import Writer
from node.models.account import Account
from node.node import Node
from node.publishing.remote_posts import receive_create
from tests.support.asgi import Client, Reply
from tests.support.people import remote
from tests.support.posting import build_remote_post, follow, picture
from tests.support.visitors import sign_in
from web.app import create_app
from web.files.asset_urls import STATIC_FOLDER, Assets

KB = 1024
MAX_HTML, MAX_CSS, MAX_JS = 40 * KB, 20 * KB, 45 * KB
IMPORT = re.compile(r'(?:^import [^;]*?from |^import )"\./([\w./]+)"', re.MULTILINE)
ON_USE = re.compile(r'^(?:else )?if \(.*import\("\./([\w./]+)"\)', re.MULTILINE)
# What `main.js` loads on other pages only.
ON_OTHER_PAGES = {"compose.js", "name_check.js", "crop.js", "editor/editor.js", "details.js", "people.js"}


def _feed(tx: Writer, alice: Account) -> None:
    bob = remote(tx, "bob", "lake.example")
    follow(tx, alice, bob)
    for number in range(20):
        words = f"<p>Evening number {number} over the lake, <b>cold</b> and still.</p>" * 4
        shot = picture(f"{number}", width=1600, height=1200, blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj")
        receive_create(tx, build_remote_post(bob, html=words, photos=[shot], hashtags=["lake", f"n{number}"]))


async def test_home_is_light(node: Node, alice: Account) -> None:
    await node.db.write(_feed, alice)
    visitor = await sign_in(node, alice)
    cookie = f"tintype_session={visitor.cookies['tintype_session']}"
    client = Client(create_app(node), {"cookie": cookie, "accept-encoding": "gzip", "accept": "text/html"})

    async def weight(path: str) -> int:
        reply: Reply = await client.get(path)
        assert (reply.status, reply.headers["content-encoding"]) == (200, "gzip"), path
        return len(reply.body)

    url = node.component(Assets).url
    assert await weight("/") <= MAX_HTML
    assert await weight(url("css/main.css")) <= MAX_CSS
    assert sum([await weight(url(f"js/{name}")) for name in sorted(_modules_of_home())]) <= MAX_JS


def _modules_of_home() -> set[str]:
    """The modules that Home loads: `page_change.js`, `main.js`, what it imports, and what it loads there."""
    folder = STATIC_FOLDER / "js"
    found: set[str] = set()
    waiting = {
        "page_change.js",
        "main.js",
        *ON_USE.findall((folder / "main.js").read_text()),
    } - ON_OTHER_PAGES
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(IMPORT.findall((folder / name).read_text())) - found
    assert {"dom.js", "times.js", "badges.js", "keyboard.js"} <= found
    return found
