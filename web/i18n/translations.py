"""Languages: the catalogues of `locale/`, which one a request gets, and `_` for the messages of pages.

The source language is English. A catalogue is `locale/<language>/LC_MESSAGES/messages.po`, parsed
when its language is first used, so there is nothing to compile.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from contextvars import ContextVar
from gettext import NullTranslations
from pathlib import Path

from babel.numbers import format_decimal

LOCALE_FOLDER = Path(__file__).parents[1] / "locale"
SOURCE_LANGUAGE = "en"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi", "ckb", "dv", "ps"})

_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


class Catalogue(NullTranslations):
    """The messages of one language; those it lacks stay English."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._messages: dict[str, tuple[str, ...]] = {}
        self._plural = "n != 1"
        file = LOCALE_FOLDER / language / "LC_MESSAGES" / "messages.po"
        if language != SOURCE_LANGUAGE and file.exists():
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
            forms = message.string
            self._messages[key] = (forms,) if isinstance(forms, str) else tuple(forms)

    def gettext(self, message: str) -> str:
        found = self._messages.get(message)
        return found[0] if found else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        found = self._messages.get(msgid1)
        if found:
            chosen = found[min(self._index(n), len(found) - 1)]
            if chosen:
                return chosen
        return msgid1 if n == 1 else msgid2


@functools.cache
def load_catalogue(language: str) -> Catalogue:
    return Catalogue(language)


@functools.cache
def available_languages() -> tuple[str, ...]:
    """Returns the languages that have a catalogue, English first."""
    found = sorted(path.parent.parent.name for path in LOCALE_FOLDER.glob("*/LC_MESSAGES/messages.po"))
    return (SOURCE_LANGUAGE, *(name for name in found if name != SOURCE_LANGUAGE))


def choose_language(wanted: str, accepted: Iterable[str]) -> str:
    """Returns the language of a request: the one the user has set,
    else the first of their browser that has a catalogue."""
    for name in (wanted, *accepted):
        for form in (name.lower(), name.lower().partition("-")[0]):
            if form in available_languages():
                return form
    return SOURCE_LANGUAGE


def set_language(language: str) -> None:
    """Sets the language of the current request."""
    _language.set(language)


def current_language() -> str:
    return _language.get()


def text_direction(language: str) -> str:
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def gettext(message: str, **values: object) -> str:
    """Translates a message into the language of the current request, `%(name)s` filled in."""
    translated = load_catalogue(_language.get()).gettext(message)
    return translated % values if values else translated


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    """Translates a message that has a number, `%(num)s`."""
    language = _language.get()
    number = format_decimal(n, locale=language) if n > 999 else n
    return load_catalogue(language).ngettext(one, many, n) % {"num": number, **values}


_ = gettext


def N_(message: str) -> str:
    """Marks a message that is translated later, where it is shown."""
    return message
