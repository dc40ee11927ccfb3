"""Answers that need nothing of a node: no templates, no database. In the form that each client expects."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from typing import Any

from activitypub.asgi import Header, header, respond
from node.errors import DatabaseUnavailable

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{max-width:32rem;margin:15vh auto;padding:0 1rem;font:1rem/1.55 system-ui,sans-serif;text-align:center}"
    "h1{font-size:1.5rem}"
    "@view-transition{navigation:auto}"  # a browser reports an error if only the page before has it
)
# No script, no picture, and no style but this one.
CONTENT_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'sha256-" + b64encode(sha256(_STYLE.encode()).digest()) + b"'",
)


def render_bare_page(
    title: str, message: str, again: str = "", *, language: str = "en", direction: str = "ltr"
) -> str:
    """Renders a page that loads nothing, in light or dark as the browser is set.

    `again` is the text of a link to the same address.
    """
    link = f'<p><a href="">{escape(again)}</a></p>' if again else ""
    return (
        f'<!doctype html><html lang="{escape(language)}" dir="{escape(direction)}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{escape(message)}</p>{link}</html>"
    )


async def respond_bare(
    scope: Any, send: Any, status: int, title: str, message: str, headers: Iterable[Header] = ()
) -> None:
    """Sends a message as JSON to apps and scripts, as a page to browsers, and as text to anything else."""
    body, content_type = f"{message}\n", "text/plain; charset=utf-8"
    accepted = header(scope, b"accept") or ""
    if scope["path"].startswith("/api/") or "application/json" in accepted:
        body, content_type = json.dumps({"error": message}), "application/json; charset=utf-8"
    elif "text/html" in accepted:
        body = render_bare_page(title, message, "Try again" if status == 503 else "")
        content_type = "text/html; charset=utf-8"
    common = [(b"cache-control", b"no-store"), CONTENT_POLICY]
    await respond(scope, send, status, body.encode(), content_type, [*common, *headers])


async def respond_unavailable(scope: Any, send: Any, error: DatabaseUnavailable) -> None:
    """Says that the database is away, and when to come again."""
    retry_after = (b"retry-after", str(error.retry_after).encode())
    await respond_bare(scope, send, error.status, "Server unavailable", error.message, [retry_after])
