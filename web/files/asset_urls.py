"""Our own CSS, scripts and pictures: where the files are and what their URLs are.

One version, a hash of all the files, stands in every URL. Scripts import each other by relative paths,
so all of them must change together; and what a URL names never changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from node.node import Node

STATIC_FOLDER = Path(__file__).parents[1] / "static"
STYLES = STATIC_FOLDER / "css"
# Later layers win over earlier ones, however specific these are.
LAYERS = ("base", "layout", "components", "pages")
# What only the editor needs, in the layer of the pages.
EDITOR = "editor"
# A text in quotes, which stays whatever it holds, or a comment with its line.
_QUOTED_OR_COMMENT = re.compile(r"""("[^"]*"|'[^']*')|/\*.*?\*/\n?""", re.DOTALL)


def stylesheet() -> bytes:
    """Returns the files of `static/css` as one, so that a page makes one request:
    each folder a layer, its files by name."""
    order = f"@layer {', '.join(LAYERS)};\n"
    return order.encode() + b"".join(
        _joined(layer, sorted((STYLES / layer).glob("*.css"))) for layer in LAYERS
    )


def editor_stylesheet() -> bytes:
    """Returns the files of `static/css/editor` as one, for the page of the editor alone, beside `stylesheet`."""
    return _joined(LAYERS[-1], sorted((STYLES / EDITOR).glob("*.css")))


def _joined(layer: str, files: Iterable[Path]) -> bytes:
    """Returns files as one part of a layer, without comments, which would be a sixth of what is sent."""
    texts = (_QUOTED_OR_COMMENT.sub(lambda found: found[1] or "", file.read_text()) for file in files)
    return "".join(f"@layer {layer} {{\n{text}}}\n" for text in texts).encode()


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
