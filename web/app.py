"""The one ASGI app of a node: a dispatcher in front of the doors, and the pages behind it.

What must be quick or is plain (other servers, apps, files) is answered before Quart; people get pages.
"""

from __future__ import annotations

from typing import Any

from quart import Quart, Response, request
from quart.wrappers import Request
from werkzeug.routing import IntegerConverter, Map

from activitypub.server.routes import FederationApp
from node import ids
from node.moderation import block_list_csv
from node.node import Node
from web.api import Api
from web.files.media_files import MediaApp
from web.html import error_pages
from web.i18n import translations
from web.pages import (
    about,
    compose,
    hashtags,
    home,
    notifications,
    posts,
    profiles,
    remote_interaction,
    search,
    sign_in,
)
from web.pages import delivery_reports as delivery_report_pages
from web.pages.admin import block_lists, dashboard, reports, servers
from web.pages.settings import account as settings_page
from web.pages.settings import migration
from web.request import context, session

BYTES_PER_MB = 1024 * 1024
MAX_FORM_BYTES = 256 * 1024
BODY_TIMEOUT_SECONDS = 600
UPLOAD_ENDPOINTS = frozenset(
    {
        "compose.publish",
        "compose.upload_photo",
        "compose.save",
        "settings.save_avatar",
        "settings.save_header",
        "block_lists.import_file",
    }
)
MAX_PHOTOS = 20

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie, Accept, Accept-Language",
}
HSTS_VALUE = "max-age=31536000"

PAGE_MODULES = (
    home,
    posts,
    profiles,
    hashtags,
    compose,
    notifications,
    search,
    delivery_report_pages,
    settings_page,
    migration,
    dashboard,
    servers,
    reports,
    block_lists,
    sign_in,
    about,
    remote_interaction,
)


class IdConverter(IntegerConverter):
    """A number in an address. One that no table could hold is an address that leads nowhere."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(map, *args, **{"max": ids.MAX_ID, **kwargs})


class App:
    """`await app(scope, receive, send)`. `quart` are the pages alone."""

    def __init__(self, node: Node) -> None:
        self.quart = create_pages_app(node)
        self._federation = FederationApp(node)
        self._api = Api(node)
        self._files = MediaApp(node)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.quart(scope, receive, send)
        elif (found := self._federation.find(scope)) is not None:
            await self._federation.answer(found, scope, receive, send)
        elif scope["path"].startswith("/api/"):
            await self._api(scope, receive, send)
        elif scope["path"].startswith(("/media/", "/static/")):
            await self._files(scope, receive, send)
        else:
            await self.quart(scope, receive, send)


def create_app(node: Node) -> App:
    return App(node)


def create_pages_app(node: Node) -> Quart:
    """The pages as a Quart app. It keeps nothing of its own: the node is all it knows."""
    app = Quart("web", static_folder=None, template_folder=None)
    app.request_class = _request_class(node.config.media.max_upload_mb * BYTES_PER_MB)
    app.config.update(
        NODE=node,
        BODY_TIMEOUT=BODY_TIMEOUT_SECONDS,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.url_map.strict_slashes = False
    app.url_map.converters["int"] = IdConverter
    for page in PAGE_MODULES:
        app.register_blueprint(page.blueprint)

    async def before() -> None:
        accepted = [name for name, _quality in request.accept_languages]
        translations.set_language(
            translations.choose_language(request.cookies.get(session.LANGUAGE_COOKIE, ""), accepted)
        )
        await check_request(node, request)

    app.before_request(before)

    async def after(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if node.site.scheme == "https":
            response.headers.setdefault("Strict-Transport-Security", HSTS_VALUE)
        session.set_visitor_cookie(node, response)
        return response

    app.after_request(after)
    error_pages.register_handlers(app)
    return app


def _request_class(photo_bytes: int) -> type[Request]:
    """Requests whose bodies are as large as their address needs, and small from who is not signed in."""
    most = {
        "/compose": MAX_PHOTOS * photo_bytes + BYTES_PER_MB,
        "/compose/photo": photo_bytes + BYTES_PER_MB,
        "/settings/avatar": photo_bytes + BYTES_PER_MB,
        "/settings/header": photo_bytes + BYTES_PER_MB,
        "/admin/lists/import": block_list_csv.MAX_BYTES + BYTES_PER_MB,
    }

    class Limited(Request):
        def __init__(self, method: str, scheme: str, path: str, *args: Any, **kwargs: Any) -> None:
            headers = args[1]
            allowed = MAX_FORM_BYTES
            if session.SESSION_COOKIE in headers.get("Cookie", ""):
                kind = "/compose" if path.startswith("/posts/") and path.endswith("/edit") else path
                allowed = most.get(kind, MAX_FORM_BYTES)
            kwargs["max_content_length"] = allowed
            super().__init__(method, scheme, path, *args, **kwargs)

    return Limited


async def check_request(node: Node, incoming: Request) -> None:
    """Check what may change something, before any handler. Files are not read for who is not signed in."""
    if incoming.method in session.SAFE_METHODS:
        return
    if incoming.endpoint in UPLOAD_ENDPOINTS:
        await context.require_account()
    await session.check_csrf(node)
