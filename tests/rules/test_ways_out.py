"""Rows D4, A21 and E7 of the security table, which hold for all of the code at once: read from the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "activitypub", "web", "media")

ALLOWED_IMPORTERS = {
    "aiohttp": {
        "activitypub/client/client.py",
        "activitypub/client/resolver.py",
        "activitypub/client/response_body.py",
    },
    # The file lock and the local command socket of the node, the resolver, and a setting of what listens.
    "socket": {
        "node/database/lock.py",
        "node/database/postgres_pool.py",  # shuts the socket of a connection that hangs
        "node/cli/control_socket.py",
        "activitypub/client/resolver.py",
        "web/server/plain.py",
    },
    **{
        key: set[str]()
        for key in (
            "http.client",
            "urllib.request",
            "urllib3",
            "requests",
            "httpx",
            "smtplib",
            "ftplib",
            "telnetlib",
        )
    },
}
SECRET_WORDS = ("digest", "signature", "csrf", "secret", "capability", "seal", "token", "password", "hmac")
NOT_SECRET = {
    # FEP-8fcf: digests of lists of public addresses, compared to find out whether two servers agree.
    "activitypub/inbox/follower_sync.py: cache.checked_digests.get(actor.id) == sent.digest",
    "activitypub/signatures/follower_digest.py: compute_digest(local_ids) != sync.digest",
    "activitypub/signatures/follower_digest.py: compute_digest(remote) != sync.digest",
}


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_D4_every_request_goes_out_through_the_one_guarded_client() -> None:
    for path, tree in _modules():
        for name in _imports(tree):
            for library, allowed in ALLOWED_IMPORTERS.items():
                if name == library or name.startswith(f"{library}."):
                    assert path in allowed, f"{path} imports {name}"
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        opened = {call for call in calls if call.endswith(("open_connection", "create_connection"))}
        assert not opened, f"{path} opens a connection of its own: {opened}"
        sessions = {call for call in calls if call.endswith(("ClientSession", "TCPConnector"))}
        assert not sessions or path == "activitypub/client/client.py", path


def _names(node: ast.expr) -> str:
    """What a side of a comparison is called; nothing for literals and lengths."""
    if isinstance(node, ast.Call):
        return "" if ast.unparse(node.func) == "len" else ast.unparse(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def test_A21_nothing_secret_is_compared_but_in_constant_time() -> None:
    in_constant_time = set()
    for path, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("compare_digest"):
                in_constant_time.add(path)
            if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
                continue
            sides = (node.left, node.comparators[0])
            if any(isinstance(side, ast.Constant) for side in sides):
                continue
            named = " ".join(_names(side).lower() for side in sides)
            comparison = f"{path}: {ast.unparse(node)}"
            is_secret = any(word in named for word in SECRET_WORDS)
            assert comparison in NOT_SECRET or not is_secret, comparison
    # Digests of bodies, form tokens, capabilities of media, codes of setup.
    assert in_constant_time >= {
        "activitypub/signatures/digests.py",
        "web/request/session.py",
        "node/database/core.py",
        "node/lifecycle/registration.py",
    }


def test_E7_no_xml_of_others_is_read_at_all() -> None:
    for path, tree in _modules():
        for name in _imports(tree):
            assert name.partition(".")[0] not in {"xml", "lxml", "defusedxml", "xmltodict", "bs4"}, path
            assert name not in {"html.parser.HTMLParser.unescape"}, path
