"""What a phone has to load before a page is whole: few scripts and styles; viewer and editor only when they are opened."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from web.files.asset_urls import STATIC_FOLDER, stylesheet

SCRIPTS = STATIC_FOLDER / "js"
KB = 1024
# What every page with posts imports at once or soon after.
HOME = ("page_change.js", "main.js", "keyboard.js", "infinite_scroll.js")

_IMPORT = re.compile(r'^import (?:[^"]+ from )?"(\.{1,2}/[a-z_/]+\.js)";', re.MULTILINE)


def _with_imports(*names: str) -> set[Path]:
    found: set[Path] = set()
    waiting = [SCRIPTS / name for name in names]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [(path.parent / name).resolve() for name in _IMPORT.findall(path.read_text())]
    return found


def _size(paths: set[Path]) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def test_the_scripts_and_styles_of_home_are_small() -> None:
    assert _size(_with_imports(*HOME)) < 45 * KB
    assert len(gzip.compress(stylesheet(), 9)) < 20 * KB


def test_the_viewer_is_loaded_when_a_photo_is_opened() -> None:
    home, viewer = _with_imports(*HOME), _with_imports("viewer.js")

    assert {path.name for path in viewer - home} == {
        "viewer.js",
        "viewer_gestures.js",
        "viewer_keys.js",
        "viewer_parts.js",
        "viewer_people.js",
        "viewer_zoom.js",
    }
    assert _size(viewer - home) < 20 * KB


def test_the_editor_is_loaded_where_a_photo_is_edited() -> None:
    home, viewer, editor = (_with_imports(*names) for names in (HOME, ["viewer.js"], ["editor/editor.js"]))

    assert editor - home == set((SCRIPTS / "editor").glob("*.js"))
    assert _size((viewer | editor) - home) < 60 * KB
