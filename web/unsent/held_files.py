"""The files of a form that could not be sent, held while its author signs in.

A photo that a phone shared with the installed app is not on the page to be chosen again. The files have no names on the
disk: nothing is left of them when they are too old, or when the process ends. Who has the key of one holding has the
form that it belongs to. Where there is no room the files are left out, and the page says which to choose again.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from quart import g, request
from quart.datastructures import FileStorage

from node.attachments.disk_space import DiskSpace
from node.node import Node
from node.rate_limits import client_network
from web.request import context
from web.request.bodies import body_of
from web.request.uploads import PageRequest
from web.unsent.forms import is_from_own_page

BYTES_PER_MB = 1024 * 1024
MAX_FORM_BYTES = 128 * BYTES_PER_MB
MAX_BYTES_PER_ADDRESS = 2 * MAX_FORM_BYTES
MAX_BYTES = 4 * MAX_FORM_BYTES
MAX_HOLDINGS_PER_ADDRESS = 8
HELD_SECONDS = 30 * 60.0

FIELD = "held"
"""The name of the field that has the key."""


_POST_FORM = re.compile(r"/compose|/compose/share|/posts/[0-9]+/edit")
_OTHER_FORMS = {"/settings/profile", "/admin/lists/import"}


def kind_of_form(path: str) -> str:
    """Returns for which form with files a path is, '' for none. The forms of posts are one kind."""
    if _POST_FORM.fullmatch(path):
        return "/compose"
    return path if path in _OTHER_FORMS else ""


def may_hold(scope: Any) -> bool:
    """Returns whether the files of a request may be held: those of a form that a page of this node, or a browser sent."""
    return scope["method"] == "POST" and bool(kind_of_form(scope["path"])) and is_from_own_page(scope)


@dataclass(eq=False, slots=True)
class Holding:
    """The files of one form. `size` is that of the whole form: it is counted before the files have arrived."""

    key: str
    address: str
    size: int
    files: list[tuple[str, FileStorage]] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


class HeldFiles:
    """What one node holds."""

    def __init__(self, node: Node) -> None:
        self._disk = node.component(DiskSpace)
        self._holdings: dict[str, Holding] = {}
        node.close_callbacks.append(self._close)

    def reserve(self, address: str, size: int) -> Holding | None:
        """Returns a holding for a form of that size, to be filled or dropped; None where there is no room."""
        of_address = [one.size for one in self._holdings.values() if one.address == address]
        if (
            not 0 < size <= MAX_FORM_BYTES
            or len(of_address) >= MAX_HOLDINGS_PER_ADDRESS
            or sum(of_address) + size > MAX_BYTES_PER_ADDRESS
            or sum(one.size for one in self._holdings.values()) + size > MAX_BYTES
            or self._disk.is_low()
        ):
            return None
        holding = Holding(secrets.token_urlsafe(18), address, size)
        self._holdings[holding.key] = holding
        return holding

    def fill(self, holding: Holding, files: list[tuple[str, FileStorage]]) -> None:
        """Holds the files of a request, which closes its own, until they are dropped, or too old."""
        holding.files = [(name, _open_again(file)) for name, file in files]
        holding.timer = asyncio.get_running_loop().call_later(HELD_SECONDS, self.drop, holding.key)

    def names(self, key: str) -> list[tuple[str, str]]:
        """Returns the field and the file name of each file under a key; nothing where they are gone."""
        holding = self._holdings.get(key)
        return [(name, file.filename) for name, file in holding.files if file.filename] if holding else []

    def find(self, key: str) -> list[tuple[str, FileStorage]]:
        """Opens the files that are held under a key, with the names of their fields; none where they are gone."""
        holding = self._holdings.get(key)
        return [(name, _open_again(file)) for name, file in holding.files] if holding else []

    def drop(self, key: str) -> None:
        """Closes the files of a holding, if there is one."""
        holding = self._holdings.pop(key, None)
        if holding is None:
            return
        if holding.timer is not None:
            holding.timer.cancel()
        for _field, file in holding.files:
            file.close()

    async def _close(self) -> None:
        for key in list(self._holdings):
            self.drop(key)


def _open_again(file: FileStorage) -> FileStorage:
    """Returns the same file, which stays when the one that is given is closed."""
    stream = os.fdopen(os.dup(file.fileno()), "rb", buffering=0)
    stream.seek(0)
    return FileStorage(stream, file.filename, file.name, headers=file.headers)


def reserve_for_request() -> Holding | None:
    """Returns a holding for the files of this request; None where they are not held, and then they are not kept at all.

    To be called before the form is read. Raises TooManyRequests where too much is under way from the address.
    """
    if request.mimetype != "multipart/form-data" or not isinstance(request, PageRequest):
        return None
    address = client_network(context.client_address())
    if not request.is_read and (body := body_of(request.scope)) is not None:
        body.accept_upload(address)
    held = context.current_node().component(HeldFiles)
    holding = held.reserve(address, request.content_length or 0)
    request.keeps_files = holding is not None
    return holding


async def hold_of_request(holding: Holding) -> str:
    """Holds the files of this request and returns their key; '' where it has none."""
    held = context.current_node().component(HeldFiles)
    files = list((await request.files).items(multi=True))
    if not any(file.filename for _name, file in files):
        held.drop(holding.key)
        return ""
    held.fill(holding, files)
    return holding.key


async def add_to_request() -> None:
    """Adds the files to this request that its form has the key of."""
    if request.mimetype != "multipart/form-data" or not (key := (await request.form).get(FIELD)):
        return
    g.held_key = key
    files = await request.files
    for name, file in context.current_node().component(HeldFiles).find(key):
        files.setlistdefault(name).append(file)


def drop_sent(status: int) -> None:
    """Drops the files that were added to this request, unless its answer says that it failed."""
    if (key := getattr(g, "held_key", "")) and status < 400:
        context.current_node().component(HeldFiles).drop(key)
