"""The request class of the pages: its body is limited to what its path needs, and files go to the disk."""

from __future__ import annotations

import io
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from quart import current_app
from quart.datastructures import FileStorage
from quart.formparser import FormDataParser
from quart.wrappers import Request
from quart.wrappers.request import Body as QuartBody
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from node.node import Node
from node.text import storable
from web.request.bodies import BodyOverLimit, body_of
from web.request.cookies import parse_cookies
from web.request.multipart import read_form

MAX_URLENCODED_BYTES = 256 * 1024

Forms = tuple[MultiDict[str, str], MultiDict[str, FileStorage]]


class PageForm(FormDataParser):
    """Parses forms with the same reader as the client API. Refuses text that cannot be stored."""

    request: PageRequest

    async def parse(
        self,
        body: QuartBody,
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Forms:
        form, files = await self._parse(body, mimetype, options or {})
        for name, value in form.items(multi=True):
            storable.check((name, value), name)
        for name, file in files.items(multi=True):
            storable.check((name, file.filename or ""), name)
        return form, files

    async def _parse(self, body: QuartBody, mimetype: str, options: dict[str, str]) -> Forms:
        if mimetype == "multipart/form-data":
            return await self._read_files(body, options.get("boundary", ""))
        if mimetype == "application/x-www-form-urlencoded":
            text = bytearray()
            async for piece in body:
                text += piece
                if len(text) > MAX_URLENCODED_BYTES:
                    raise BodyOverLimit("That is larger than this server accepts.")
            return MultiDict(parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True)), MultiDict()
        return MultiDict(), MultiDict()

    async def _read_files(self, body: QuartBody, boundary: str) -> Forms:
        node: Node = current_app.config["NODE"]
        metered = body_of(self.request.scope)
        storage = node.storage
        keeps_files = self.request.keeps_files

        def open_file() -> Any:
            file: Any = storage.temporary_file() if keeps_files else NoFile()
            return file if metered is None else metered.add_file(file)

        form = await read_form(body, boundary, open_file, max_parts=self.max_form_parts or 1000)
        files = [
            (part.name, FileStorage(part.file, part.filename, part.name, headers=part.headers))
            for part in form.files
        ]
        return MultiDict(form.fields), MultiDict(files)


class NoFile(io.RawIOBase):
    """Takes what is written, and keeps nothing."""

    def write(self, data: Any) -> int:
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return 0


class PageRequest(Request):
    """A request to a page. What is wrong with its body is raised where its form is read.

    With `keeps_files` off, the files of its form have names and are empty.
    """

    keeps_files = True

    @property
    def is_read(self) -> bool:
        """Whether its form has been read."""
        return self._form is not None

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        return parse_cookies(self.headers.getlist("Cookie"))

    def make_form_data_parser(self) -> FormDataParser:
        parser = PageForm(
            max_content_length=self.max_content_length,
            max_form_memory_size=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
            silent=False,
        )
        parser.request = self
        return parser

    async def _load_form_data(self) -> None:
        metered = body_of(self.scope)
        try:
            await super()._load_form_data()
        finally:
            if metered is not None and metered.refusal is not None:
                raise metered.refusal
