"""Languages: the catalogues of `locale/`, which one a request gets, and `_` for the sentences of pages.

The source language is English. A catalogue is `locale/<language>/LC_MESSAGES/messages.po`, read as it is
when its language is first asked for, so there is nothing to compile.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from contextvars import ContextVar
from gettext import NullTranslations
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "locale"
SOURCE = "en"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi", "ckb", "dv", "ps"})

_language: ContextVar[str] = ContextVar("language", default=SOURCE)


class Catalogue(NullTranslations):
    """The sentences of one language; what it lacks stays English."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._words: dict[str, tuple[str, ...]] = {}
        self._plural = "n != 1"
        file = FOLDER / language / "LC_MESSAGES" / "messages.po"
        if language != SOURCE and file.exists():
            self._read(file)

    def _read(self, file: Path) -> None:
        from gettext import c2py

        from babel.messages.pofile import read_po

        with file.open("rb") as source:
            catalogue = read_po(source)
        self._index = c2py(catalogue.plural_expr)
        for message in catalogue:
            if not message.id or not message.string or message.fuzzy:
                continue
            key = message.id if isinstance(message.id, str) else message.id[0]
            said = message.string
            self._words[key] = (said,) if isinstance(said, str) else tuple(said)

    def gettext(self, message: str) -> str:
        found = self._words.get(message)
        return found[0] if found else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        found = self._words.get(msgid1)
        if found:
            chosen = found[min(self._index(n), len(found) - 1)]
            if chosen:
                return chosen
        return msgid1 if n == 1 else msgid2


@functools.cache
def catalogue(language: str) -> Catalogue:
    return Catalogue(language)


@functools.cache
def languages() -> tuple[str, ...]:
    """The languages there are catalogues for, English first."""
    found = sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/messages.po"))
    return (SOURCE, *(name for name in found if name != SOURCE))


def choose(wanted: str, accepted: Iterable[str]) -> str:
    """The language of a request: what the person has set, else the first their browser names that we have."""
    for name in (wanted, *accepted):
        for form in (name.lower(), name.lower().partition("-")[0]):
            if form in languages():
                return form
    return SOURCE


def speak(language: str) -> None:
    """Answer this request in a language."""
    _language.set(language)


def spoken() -> str:
    return _language.get()


def direction(language: str) -> str:
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def gettext(message: str, **values: object) -> str:
    """A sentence in the language of this request, `%(name)s` filled in."""
    said = catalogue(_language.get()).gettext(message)
    return said % values if values else said


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    return catalogue(_language.get()).ngettext(one, many, n) % {"num": n, **values}


_ = gettext


def N_(message: str) -> str:
    """Marks a sentence that is put into the reader's language where it is shown."""
    return message
