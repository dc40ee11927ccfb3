"""The ASGI app of a node: dispatches requests to federation, client API, files and pages.

Requests of servers, apps and for files are answered before Quart, which is slower; Quart serves the pages.
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
from web.pages import blueprints
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


class IdConverter(IntegerConverter):
    """A number in a URL. One that no table could hold matches no route."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(map, *args, **{"max": ids.MAX_ID, **kwargs})


class App:
    """The ASGI callable: `await app(scope, receive, send)`. `quart` is the app of the pages alone."""

    def __init__(self, node: Node) -> None:
        self.quart = create_pages_app(node)
        self._federation = FederationApp(node)
        self._api = Api(node)
        self._files = MediaApp(node)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.quart(scope, receive, send)
        elif scope["path"].startswith("/api/"):
            await self._api(scope, receive, send)
        elif scope["path"].startswith(("/media/", "/static/")):
            await self._files(scope, receive, send)
        elif (route := self._federation.find(scope)) is not None:
            await self._federation.answer(route, scope, receive, send)
        else:
            await self.quart(scope, receive, send)


def create_app(node: Node) -> App:
    return App(node)


def create_pages_app(node: Node) -> Quart:
    """Creates the Quart app of the pages. It has no state of its own: everything belongs to the node."""
    app = Quart("web", static_folder=None, template_folder=None)
    app.request_class = _request_class(node.config.media.max_upload_mb * BYTES_PER_MB)
    app.config.update(
        NODE=node,
        BODY_TIMEOUT=BODY_TIMEOUT_SECONDS,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.url_map.strict_slashes = False
    app.url_map.converters["int"] = IdConverter
    for blueprint in blueprints():
        app.register_blueprint(blueprint)

    async def before_request() -> None:
        accepted = [name for name, _quality in request.accept_languages]
        translations.set_language(
            translations.choose_language(request.cookies.get(session.LANGUAGE_COOKIE, ""), accepted)
        )
        await check_request(node, request)

    app.before_request(before_request)

    async def after_response(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if node.site.scheme == "https":
            response.headers.setdefault("Strict-Transport-Security", HSTS_VALUE)
        session.set_visitor_cookie(node, response)
        return response

    app.after_request(after_response)
    error_pages.register_handlers(app)
    return app


def _request_class(photo_bytes: int) -> type[Request]:
    """Returns the request class, which limits bodies to the size that their path needs;
    visitors get the small limit."""
    limits = {
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
                allowed = limits.get(kind, MAX_FORM_BYTES)
            kwargs["max_content_length"] = allowed
            super().__init__(method, scheme, path, *args, **kwargs)

    return Limited


async def check_request(node: Node, incoming: Request) -> None:
    """Checks the CSRF token before any handler. Uploads need a session, so that visitors' files are not read."""
    if incoming.method in session.SAFE_METHODS:
        return
    if incoming.endpoint in UPLOAD_ENDPOINTS:
        await context.require_account()
    await session.check_csrf(node)
