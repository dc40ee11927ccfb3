"""The ASGI app of a node: dispatches requests to federation, client API, files and pages.

Requests of servers, apps and for files are answered before Quart, which is slower; Quart serves the pages.
"""

from __future__ import annotations

import functools
import re
from typing import Any
from urllib.parse import unquote

from quart import Quart, Response, request
from quart.wrappers import Request
from werkzeug.routing import IntegerConverter, Map

from activitypub.asgi import respond
from activitypub.server.routes import FederationApp
from node import ids
from node.attachments.disk_space import DiskSpace
from node.errors import DatabaseUnavailable, Refused
from node.moderation import block_list_csv
from node.node import Node
from node.text.storable import UNSTORABLE
from web.api import Api
from web.api.routes import ROUTES
from web.bare_answers import respond_bare, respond_unavailable
from web.files.media_files import MediaApp
from web.html import error_pages
from web.i18n import formats, translations
from web.oauth import page_headers
from web.pages import blueprints
from web.request import context, session
from web.request.bodies import MAX_UPLOAD_BYTES, UPLOAD_SECONDS, Bodies, Body, body_of
from web.request.cookies import parse_cookies
from web.request.uploads import PageRequest
from web.unsent import forms, held_files
from web.unsent import pages as unsent_pages
from web.visitors.front import Front, Part

BYTES_PER_MB = 1024 * 1024
MAX_FORM_BYTES = 256 * 1024
UPLOAD_ENDPOINTS = frozenset(
    {
        "compose.publish",
        "compose.upload_photo",
        "compose.save",
        "drafts.receive_share",
        "profile_settings.save_profile",
        "uploads.create",
        "uploads.append",
        "uploads.override",
    }
)
ADMIN_UPLOAD_ENDPOINTS = frozenset({"block_lists.import_file"})
SCRIPT_ENDPOINTS = frozenset({"compose.upload_photo", "uploads.create", "uploads.append", "uploads.override"})
HOLDING_ENDPOINTS = (UPLOAD_ENDPOINTS | ADMIN_UPLOAD_ENDPOINTS) - SCRIPT_ENDPOINTS
"""Forms whose files are held while somebody signs in."""
SHARE_ENDPOINT = forms.SHARE
MAX_VISITOR_BYTES = held_files.MAX_FORM_BYTES
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
_WHOLE_URL = re.compile(rb"(?i)https?://[^/]+")
CLOSE = [(b"connection", b"close")]
# Of the client API, where OAuth and RFC 8414 expect them.
API_PATHS = frozenset(route.path for route in ROUTES if not route.path.startswith("/api/"))
RETRY_LATER = [(b"retry-after", b"300")]


class IdConverter(IntegerConverter):
    """A number in a URL. One that no table could hold matches no route."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(map, *args, **{"max": ids.MAX_ID, **kwargs})


class App:
    """The ASGI callable: `await app(scope, receive, send)`. `quart` is the app of the pages alone."""

    def __init__(self, node: Node) -> None:
        self.quart = create_pages_app(node)
        self._front = Front(node)
        self._federation = FederationApp(node)
        self._api = Api(node)
        self._files = MediaApp(node)
        self._bodies = node.component(Bodies)
        self._disk = node.component(DiskSpace)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._front.serve(Part.REFUSAL, refuse_websocket, scope, receive, send)
            return
        if scope["type"] != "http":
            await self.quart(scope, receive, send)
            return
        body = self._bodies.open(scope, receive)
        try:
            await self._dispatch(scope, body, send)
        except Refused as refusal:
            if refusal is not body.refusal:
                raise
            await self._front.serve(Part.REFUSAL, _refusing_body(refusal), scope, receive, send)
        except DatabaseUnavailable as error:  # of what is asked before a part of the app takes over
            await respond_unavailable(scope, send, error)
        finally:
            body.close()

    async def _dispatch(self, scope: Any, body: Body, send: Any) -> None:
        part, answer = self._find(scope)
        receive: Any = body.receive_quietly if part is Part.PAGE else body.receive
        await self._front.serve(part, answer, scope, receive, send)

    def _find(self, scope: Any) -> tuple[Part, Any]:
        """Returns what a request is for, and the app that answers it."""
        if not scope["path"].startswith("/") and not _make_relative(scope):
            return Part.REFUSAL, _refusing("That is not the address of a page.")
        if not _is_storable(scope):
            return Part.REFUSAL, _refusing(UNSTORABLE)
        if scope["path"].startswith("/api/") or scope["path"] in API_PATHS:
            return Part.API, self._api
        if scope["path"].startswith(("/media/", "/static/")):
            return Part.FILE, self._files
        if (route := self._federation.find(scope)) is None:
            return Part.PAGE, self.quart
        answer = functools.partial(self._federation.answer, route)
        if route.endpoint is not None:
            return Part.DOCUMENT, answer
        if scope["method"] == "POST" and self._disk.is_low():
            # Who sends it sends it again; what people here do has the space that is left.
            return Part.REFUSAL, _refuse_for_full_disk
        return Part.INBOX, answer


def _refusing(reason: str) -> Any:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await respond_bare(scope, send, 400, "Not understood", reason)

    return answer


def _refusing_body(refusal: Refused) -> Any:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await respond(scope, send, refusal.status, refusal.message.encode(), headers=CLOSE)

    return answer


async def _refuse_for_full_disk(scope: Any, receive: Any, send: Any) -> None:
    await respond(scope, send, 503, b"the disk is full\n", headers=RETRY_LATER)


async def refuse_websocket(scope: Any, receive: Any, send: Any) -> None:
    """Answers the handshake of a WebSocket: nothing here speaks that."""
    body = b"There are no WebSockets here.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def _make_relative(scope: Any) -> bool:
    """Puts the path of a request for a whole URL into its scope (RFC 9112, section 3.2.2); returns whether there
    is one."""
    found = _WHOLE_URL.match(scope["raw_path"])
    if found is None:
        return False
    scope["raw_path"] = scope["raw_path"][found.end() :] or b"/"
    path = scope["path"] = unquote(scope["raw_path"].decode("latin-1"))
    return path.startswith("/")


def _is_storable(scope: Any) -> bool:
    """Returns whether the head of a request holds no NUL, which no database stores, however it is written."""
    query = scope["query_string"]
    return not (
        "\0" in scope["path"]
        or b"%00" in query
        or b"\0" in query
        or any(
            b"\0" in value or (name == b"cookie" and b"\\000" in value) for name, value in scope["headers"]
        )
    )


def create_app(node: Node) -> App:
    return App(node)


def create_pages_app(node: Node) -> Quart:
    """Creates the Quart app of the pages. It has no state of its own: everything belongs to the node."""
    app = Quart("web", static_folder=None, template_folder=None)
    app.request_class = _request_class(node.config.media.max_upload_mb * BYTES_PER_MB)
    app.config.update(
        NODE=node,
        BODY_TIMEOUT=UPLOAD_SECONDS,
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
        formats.set_region(accepted)
        await check_request(node, request)

    app.before_request(before_request)

    async def after_response(response: Response) -> Response:
        for name, value in page_headers.adapt(SECURITY_HEADERS).items():
            response.headers.setdefault(name, value)
        if node.site.scheme == "https":
            response.headers.setdefault("Strict-Transport-Security", HSTS_VALUE)
        session.set_visitor_cookie(node, response)
        held_files.drop_sent(response.status_code)
        return response

    app.after_request(after_response)
    error_pages.register_handlers(app)
    unsent_pages.register_handlers(app)
    return app


def _request_class(photo_bytes: int) -> type[Request]:
    """Returns the request class, which limits bodies to the size that their path needs.

    Visitors get the small limit, but for forms whose files are held while they sign in.
    """
    limits = {
        "/compose": min(
            MAX_PHOTOS * photo_bytes + BYTES_PER_MB, max(MAX_UPLOAD_BYTES, photo_bytes + BYTES_PER_MB)
        ),
        "/drafts": BYTES_PER_MB,
        "/compose/photo": photo_bytes + BYTES_PER_MB,
        "/settings/profile": 2 * photo_bytes + BYTES_PER_MB,
        "/admin/lists/import": block_list_csv.MAX_BYTES + BYTES_PER_MB,
    }

    class Limited(PageRequest):
        def __init__(self, method: str, scheme: str, path: str, *args: Any, **kwargs: Any) -> None:
            headers = args[1]
            form = held_files.kind_of_form(path)
            kind, allowed = form or path, min(limits[form], MAX_VISITOR_BYTES) if form else MAX_FORM_BYTES
            if parse_cookies(headers.getlist("Cookie")).get(session.SESSION_COOKIE):
                if path.startswith("/uploads/"):
                    kind = "/compose/photo"
                allowed = limits.get(kind, MAX_FORM_BYTES)
            kwargs["max_content_length"] = allowed
            super().__init__(method, scheme, path, *args, **kwargs)
            if (body := body_of(self.scope)) is not None:
                body.max_bytes = allowed  # Quart compares only what it has not read yet

    return Limited


async def check_request(node: Node, incoming: Request) -> None:
    """Checks the CSRF token before any handler. Uploads need a session; those of visitors may be held until they have one."""
    if incoming.method in session.SAFE_METHODS:
        return
    if incoming.endpoint in ADMIN_UPLOAD_ENDPOINTS:
        await context.require_admin()
    if incoming.endpoint in UPLOAD_ENDPOINTS:
        account = await context.require_account()
        node.component(DiskSpace).check()
        if (body := body_of(incoming.scope)) is not None:
            body.accept_upload(account.id)
    if incoming.endpoint == SHARE_ENDPOINT:
        session.check_shared()
    else:
        await session.check_csrf(node)
    if incoming.endpoint in HOLDING_ENDPOINTS:
        await held_files.add_to_request()
