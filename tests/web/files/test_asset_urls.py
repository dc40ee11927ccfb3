"""The stylesheet: written in layers, one file per component, and sent as one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from node.node import Node
from tests.support.asgi import Client
from web.files import asset_urls
from web.files.asset_urls import EDITOR, LAYERS, STYLES, Assets, editor_stylesheet, stylesheet


async def test_a_page_needs_one_stylesheet(node: Node, anybody: Client) -> None:
    reply = await anybody.get(node.component(Assets).url("css/main.css"))

    assert (reply.status, reply.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert reply.body == stylesheet()
    assert (await anybody.get("/static/css/base/elements.css")).status == 404
    of_editor = await anybody.get(node.component(Assets).url("css/editor.css"))
    assert of_editor.body == editor_stylesheet()


def test_every_style_is_in_a_layer() -> None:
    text = stylesheet().decode()
    files = list(STYLES.rglob("*.css"))

    assert {path.parent.name for path in files} == {*LAYERS, EDITOR}
    assert all(path.parent.parent == STYLES for path in files)
    of_editor = editor_stylesheet().decode()
    for path in files:
        rules = re.sub(r"/\*.*?\*/\n?", "", path.read_text(), flags=re.DOTALL)
        assert rules in (of_editor if path.parent.name == EDITOR else text), path
    assert of_editor.startswith("@layer pages {")
    assert text.startswith("@layer base, layout, components, pages;")


def test_comments_are_left_out_and_texts_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asset_urls, "STYLES", tmp_path)
    (tmp_path / EDITOR).mkdir()
    rule = '.a::after { content: "/* shown */"; }\n'
    (tmp_path / EDITOR / "a.css").write_text(
        f"/* Why,\n   in two lines. */\n{rule}.b {{ color: red; }} /* b */\n"
    )

    assert editor_stylesheet().decode() == f"@layer pages {{\n{rule}.b {{ color: red; }} }}\n"


def test_braces_are_closed_in_every_file() -> None:
    """Otherwise a file would swallow the layers after it."""
    assert [
        path.name
        for path in STYLES.rglob("*.css")
        if path.read_text().count("{") != path.read_text().count("}")
    ] == []


async def test_the_version_is_made_of_all_files(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "static"
    shutil.copytree(asset_urls.STATIC_FOLDER, folder)
    monkeypatch.setattr(asset_urls, "STATIC_FOLDER", folder)
    before = Assets(node)

    (folder / "avatar.svg").write_text("<svg/>")
    changed = Assets(node)
    (folder / "avatar.svg").rename(folder / "other.svg")
    renamed = Assets(node)

    assert len({before.version, changed.version, renamed.version}) == 3
    assert before.url("avatar.svg") == f"/static/{before.version}/avatar.svg"
