"""Browsers without JavaScript: they keep cookies, follow redirects and submit forms with their token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

from node.auth import sessions, users
from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client, Reply
from web.app import App, create_app
from web.request.session import SESSION_COOKIE

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "use",
    ]
)


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        for n in range(len(self._open) - 1, -1, -1):
            if self._open[n].tag == tag:
                del self._open[n:]
                return

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


@dataclass
class Seen:
    """A page as it came."""

    path: str
    status: int
    headers: dict[str, str]
    text: str
    elements: list[Element] = field(default_factory=list)

    def all(self, tag: str, **wanted: str) -> list[Element]:
        return [
            one
            for one in self.elements
            if one.tag == tag
            and all(one.attributes.get(name.rstrip("_")) == value for name, value in wanted.items())
        ]

    def one(self, tag: str, **wanted: str) -> Element:
        found = self.all(tag, **wanted)
        assert found, f"no <{tag} {wanted}> on {self.path} ({self.status})"
        return found[0]

    @property
    def main_text(self) -> str:
        """The text of the main part of the page."""
        return " ".join(self.one("main").text.split())

    @property
    def csrf(self) -> str:
        return self.one("input", name="csrf").attributes["value"]


class Visitor:
    def __init__(self, app: Any, *, language: str = "en") -> None:
        self.client = Client(app)
        self.cookies: dict[str, str] = {}
        self.page: Seen | None = None
        self.language = language

    async def _call(self, method: str, path: str, **rest: Any) -> Reply:
        headers = {"accept": "text/html", "accept-language": self.language, **rest.pop("headers", {})}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = await self.client.call(method, path, headers=headers, **rest)
        for name, value in reply.set_cookies:
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return reply

    async def _follow(self, reply: Reply, path: str) -> Seen:
        for _ in range(5):
            if reply.status not in (301, 302, 303):
                break
            target = urlsplit(reply.headers["location"])
            assert not target.netloc, f"led away to {target.geturl()}"
            path = target.path + (f"?{target.query}" if target.query else "")
            reply = await self._call("GET", path)
        seen = Seen(path, reply.status, reply.headers, reply.body.decode())
        if "text/html" in reply.headers.get("content-type", ""):
            parser = _Parser()
            parser.feed(seen.text)
            seen.elements = parser.elements
            self.page = seen
        return seen

    async def get(self, path: str, **headers: str) -> Seen:
        return await self._follow(await self._call("GET", path, headers=headers), path)

    async def post(
        self,
        path: str,
        form: Mapping[str, Any] | Sequence[tuple[str, Any]] = (),
        *,
        files: Sequence[tuple[str, str, bytes]] | None = None,
        csrf: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Seen:
        """Submits a form of the open page, with its CSRF token."""
        fields = list(form.items() if isinstance(form, Mapping) else form)
        token = self.page.csrf if csrf is None and self.page is not None else csrf
        fields.append(("csrf", token or ""))
        if files is None:
            body, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = multipart(fields, files)
        reply = await self._call("POST", path, body=body, headers={"content-type": kind, **(headers or {})})
        return await self._follow(reply, path)


def multipart(
    fields: Sequence[tuple[str, Any]], files: Sequence[tuple[str, str, bytes]]
) -> tuple[bytes, str]:
    boundary = "----edge"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    for name, filename, data in files:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _session(tx: Writer, account: Account, role: str) -> str:
    if users.by_account(tx, account) is None:
        users.create(tx, account, email=f"{account.name}@tintype.test", password_hash="-", role=role)
    return sessions.start(tx, account, "A test browser")


async def sign_in(node: Node, account: Account, role: str = "user", app: App | None = None) -> Visitor:
    """Returns a signed-in browser of a local account, with Home open."""
    visitor = Visitor(app or create_app(node))
    visitor.cookies[SESSION_COOKIE] = await node.db.write(_session, account, role)
    await visitor.get("/")
    return visitor
