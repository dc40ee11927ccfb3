"""Our own CSS, scripts and pictures: where they are and what their addresses are.

One version, made of all the files, stands in every address. Scripts import each other by relative paths,
so all of them must move together; and what an address names never changes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from node.node import Node

FOLDER = Path(__file__).parents[1] / "static"
STYLES = FOLDER / "css"
# Later layers win over earlier ones, however specific these are.
LAYERS = ("base", "layout", "components", "pages")


def stylesheet() -> bytes:
    """The files of `static/css` as one, so that a page asks once: each folder a layer, its files by name."""
    parts = [f"@layer {', '.join(LAYERS)};\n"]
    for layer in LAYERS:
        parts += [
            f"@layer {layer} {{\n{file.read_text()}}}\n" for file in sorted((STYLES / layer).glob("*.css"))
        ]
    return "".join(parts).encode()


class Assets:
    """The files of `web/static`, as they were when the node started."""

    def __init__(self, node: Node) -> None:
        self.folder = FOLDER
        digest = hashlib.sha256(stylesheet())
        for file in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
            digest.update(file.relative_to(FOLDER).as_posix().encode())
            digest.update(file.read_bytes())
        self.version = digest.hexdigest()[:12]
        self.root = f"/static/{self.version}"

    def url(self, path: str) -> str:
        return f"{self.root}/{path}"
