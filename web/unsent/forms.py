"""Reads a form that could not be sent, and carries its fields through signing in.

They are in the pages between, in one hidden field: a server keeps nothing of somebody who is not signed in. Whatever
comes back in that field may have been written by anybody, and is checked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from quart import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from activitypub.asgi import header
from node.errors import Invalid
from node.text import storable
from web.i18n.translations import _
from web.request.bodies import BodyOverLimit
from web.request.redirects import referring_path, safe_path

FIELD = "unsent"
"""The name of the hidden field."""
MAX_BYTES = 240_000
MAX_FIELDS = 500
MAX_NAME_LENGTH = 100

PASSWORDS = {"password", "current"}
NOT_CARRIED = {"csrf", "held", "code", "credential", FIELD, *PASSWORDS}
NOT_TYPED = {"back", "next", "once", "do", "id", "version", *NOT_CARRIED}
"""Fields that a form has without anybody having typed or chosen anything in it."""
FOR_WORDS = {"caption", "warning", "comment", "reason", "bio", "display_name", "alt", "title", "name"}
FOR_WORDS |= {"avatar_alt", "header_alt"}
NOT_KEPT = {
    *("sign_in", "second_step", "sign_in_passkeys", "lost_access", "consent", "remote_interaction"),
    *("two_step", "account_deletion", "uploads"),
}
"""Blueprints whose forms are not kept: visitors may send them, they are part of signing in, or scripts send them."""
POST_FORMS = {"compose.publish", "compose.save"}
SHARE = "drafts.receive_share"


class UnsentForm(msgspec.Struct, frozen=True):
    """What was to be sent to `path`, without its form token, passwords and the content of its files.

    `back` is the page that it was on. `files` has the field and the file name of each file, `passwords` the names of
    the fields that have to be typed again, `held` the key of the files that are held.
    """

    path: str
    back: str
    fields: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...] = ()
    passwords: tuple[str, ...] = ()
    held: str = ""

    @property
    def is_post(self) -> bool:
        """Whether it is the form of a post, which can be filled in again."""
        return endpoint_of(self.path) in POST_FORMS

    @property
    def is_shared(self) -> bool:
        """Whether it was shared with the installed app, to become a draft."""
        return endpoint_of(self.path) == SHARE

    @property
    def missing(self) -> list[str]:
        """The photos of a post: it is not made without them if they do not come with the form."""
        return (
            [name for field, name in self.files if field == "photos"]
            if self.is_post or self.is_shared
            else []
        )

    def value(self, name: str) -> str:
        return next((value for one, value in self.fields if one == name), "")

    def file_names(self) -> dict[str, list[str]]:
        """Returns the names of its files by the field in which they were chosen."""
        found: dict[str, list[str]] = {}
        for field, name in self.files:
            found.setdefault(field, []).append(name)
        return found


def is_from_own_page(scope: Any) -> bool:
    """Returns whether a page of this node, or the browser itself, sent a form: browsers say so, and other sites cannot."""
    if site := header(scope, b"sec-fetch-site"):
        return site in ("same-origin", "none")
    return (header(scope, b"origin") or "").partition("://")[2] == header(scope, b"host")


def takes_form() -> bool:
    """Returns whether this request is to a form that somebody has to be signed in for."""
    return bool(endpoint_of(request.path))


async def read() -> UnsentForm | None:
    """Returns the form of this request; None where nothing was typed or chosen in it.

    Raises BodyOverLimit where it is too long to be carried.
    """
    form = await request.form
    if FIELD in form:
        return decode(form[FIELD])
    files = [
        (name, file.filename or "") for name, file in (await request.files).items(multi=True) if file.filename
    ]
    path = request.full_path.rstrip("?")
    if not endpoint_of(path) or not (files or any(_typed(list(form.items(multi=True))))):
        return None
    unsent = UnsentForm(
        path=path,
        back=referring_path(),
        fields=tuple((name, value) for name, value in form.items(multi=True) if name not in NOT_CARRIED),
        files=tuple(files),
        passwords=tuple(name for name in dict.fromkeys(form) if name in PASSWORDS),
    )
    if len(encode(unsent).encode()) > MAX_BYTES or len(unsent.fields) + len(files) > MAX_FIELDS:
        raise BodyOverLimit(
            _(
                "You are signed out, and this is too long to be kept here. Go back and copy it before you sign in."
            )
        )
    return unsent


def with_held(unsent: UnsentForm, key: str, files: list[tuple[str, str]]) -> UnsentForm:
    """Returns the form with the files that are held for it, which its fields name as missing."""
    held = {("missing", name) for _field, name in files}
    fields = tuple(one for one in unsent.fields if one not in held)
    return msgspec.structs.replace(unsent, held=key, files=tuple(files), fields=fields)


def _typed(fields: list[tuple[str, str]]) -> Iterator[str]:
    """Yields what somebody wrote. A number is an id, but in a field for words."""
    return (
        value
        for name, value in fields
        if name not in NOT_TYPED and value.strip() and (name in FOR_WORDS or not value.isdecimal())
    )


def encode(unsent: UnsentForm) -> str:
    return msgspec.json.encode(unsent).decode()


def decode(text: str) -> UnsentForm | None:
    """Returns the form in a hidden field; None for anything that is not as `read` makes it."""
    if not text or len(text.encode()) > MAX_BYTES:
        return None
    try:
        unsent = msgspec.json.decode(text, type=UnsentForm)
        for pair in (*unsent.fields, *unsent.files):
            storable.check(pair, pair[0])
    except (msgspec.MsgspecError, UnicodeError, Invalid):
        return None
    names = [name for name, _value in (*unsent.fields, *unsent.files)]
    is_sound = (
        endpoint_of(unsent.path)
        and safe_path(unsent.back, "") == unsent.back
        and len(names) <= MAX_FIELDS
        and all(len(name) <= MAX_NAME_LENGTH for name in names)
        and not NOT_CARRIED & set(names)
        and PASSWORDS.issuperset(unsent.passwords)
    )
    return unsent if is_sound else None


def endpoint_of(path: str) -> str:
    """Returns which form a path takes, '' for none that somebody has to be signed in for."""
    if safe_path(path, "") != path:
        return ""
    try:
        endpoint, _values = current_app.url_map.bind("").match(path.partition("?")[0], method="POST")
    except (HTTPException, RequestRedirect):
        return ""
    name = str(endpoint)
    return "" if name.partition(".")[0] in NOT_KEPT else name
