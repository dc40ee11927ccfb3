"""The stylesheet: written in layers, one file per component, and sent as one."""

from __future__ import annotations

from node.node import Node
from tests.support.asgi import Client
from web.files.asset_urls import LAYERS, STYLES, Assets, stylesheet


async def test_a_page_needs_one_stylesheet(node: Node, anybody: Client) -> None:
    sent = await anybody.get(node.component(Assets).url("css/main.css"))

    assert (sent.status, sent.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert sent.body == stylesheet()
    assert (await anybody.get("/static/css/base/elements.css")).status == 404


def test_every_style_is_in_a_layer() -> None:
    text = stylesheet().decode()
    files = list(STYLES.rglob("*.css"))

    assert {path.parent.name for path in files} == set(LAYERS)
    assert all(path.parent.parent == STYLES for path in files)
    assert all(path.read_text() in text for path in files)
    assert text.startswith("@layer base, layout, components, pages;")


def test_braces_are_closed_in_every_file() -> None:
    """Otherwise a file would swallow the layers after it."""
    assert [
        path.name
        for path in STYLES.rglob("*.css")
        if path.read_text().count("{") != path.read_text().count("}")
    ] == []
