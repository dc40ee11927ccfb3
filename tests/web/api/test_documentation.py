"""`docs/client-api.md` lists every endpoint with its scopes, in the order of `ROUTES`, and no other."""

from __future__ import annotations

from pathlib import Path

from web.api.endpoint import Route
from web.api.routes import ROUTES

DOCUMENT = Path(__file__).parents[3] / "docs" / "client-api.md"


def row(route: Route) -> str:
    is_open = route.access == "anyone"
    scopes = " or ".join(f"`{scope}`" for scope in route.scopes) or ("none" if is_open else "any")
    if route.access == "app":
        return f"| `{route.method} {route.path}` | none | with its id and secret, or to get them |"
    return f"| `{route.method} {route.path}` | {scopes} | {'what is public' if is_open else 'no'} |"


def test_the_document_and_the_table_of_routes_agree() -> None:
    written = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    assert written == [row(route) for route in ROUTES]
