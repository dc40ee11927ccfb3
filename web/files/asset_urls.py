"""Our own CSS, scripts and pictures: where the files are and what their URLs are.

One version, a hash of all the files, stands in every URL. Scripts import each other by relative paths,
so all of them must change together; and what a URL names never changes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from node.node import Node

STATIC_FOLDER = Path(__file__).parents[1] / "static"
STYLES = STATIC_FOLDER / "css"
# Later layers win over earlier ones, however specific these are.
LAYERS = ("base", "layout", "components", "pages")
# What only the editor needs, in the layer of the pages.
EDITOR = "editor"


def stylesheet() -> bytes:
    """Returns the files of `static/css` as one, so that a page makes one request:
    each folder a layer, its files by name."""
    parts = [f"@layer {', '.join(LAYERS)};\n"]
    for layer in LAYERS:
        parts += [
            f"@layer {layer} {{\n{file.read_text()}}}\n" for file in sorted((STYLES / layer).glob("*.css"))
        ]
    return "".join(parts).encode()


def editor_stylesheet() -> bytes:
    """Returns the files of `static/css/editor` as one, for the page of the editor alone, beside `stylesheet`."""
    files = sorted((STYLES / EDITOR).glob("*.css"))
    return "".join(f"@layer {LAYERS[-1]} {{\n{file.read_text()}}}\n" for file in files).encode()


class Assets:
    """The files of `web/static` as they were when the node started, and their version."""

    def __init__(self, node: Node) -> None:
        self.folder = STATIC_FOLDER
        digest = hashlib.sha256(stylesheet())
        for file in sorted(path for path in STATIC_FOLDER.rglob("*") if path.is_file()):
            digest.update(file.relative_to(STATIC_FOLDER).as_posix().encode())
            digest.update(file.read_bytes())
        self.version = digest.hexdigest()[:12]
        self.base_path = f"/static/{self.version}"

    def url(self, path: str) -> str:
        """Returns the URL of a file; `path` is relative to `web/static`."""
        return f"{self.base_path}/{path}"
