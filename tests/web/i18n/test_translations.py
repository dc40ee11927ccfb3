"""Every message goes through gettext, and a language that has a catalogue is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from node.node import Node
from tests.support.visitors import Visitor
from web.html.templates import TEMPLATE_FOLDER, Templates
from web.i18n import translations

ALLOWED = {"ALT"}


@pytest.mark.parametrize(
    "template",
    sorted(path.relative_to(TEMPLATE_FOLDER).as_posix() for path in TEMPLATE_FOLDER.rglob("*.html")),
)
def test_a_template_has_no_text_that_cannot_be_translated(template: str) -> None:
    bare = _without_markup((TEMPLATE_FOLDER / template).read_text())
    untranslated = set(re.findall(r"[A-Za-z]{3,}", bare)) - ALLOWED
    assert not untranslated, f"{template} has {sorted(untranslated)}"


def _without_markup(source: str) -> str:
    for pattern in (
        r"\{#.*?#\}",
        r"\{% block (?:width|body_class) %\}.*?\{% endblock %\}",
        r"\{% trans.*?%\}.*?\{% endtrans %\}",
        r"\{%.*?%\}",
        r"\{\{.*?\}\}",
        r"<!--.*?-->",
        r"<style>.*?</style>",
        r"<[^>]*>",
        r"&\w+;",
        r"/[\w?=/-]+",
    ):
        source = re.sub(pattern, " ", source, flags=re.DOTALL)
    return source


def test_the_language_is_the_first_that_has_a_catalogue() -> None:
    assert translations.choose_language("", ["xx", "en-GB"]) == "en"
    assert translations.choose_language("", []) == "en"
    assert translations.text_direction("ar") == "rtl"
    assert translations.text_direction("en") == "ltr"


def test_a_catalogue_needs_no_compilation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(
        'msgid ""\nmsgstr "Language: de\\nContent-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "Home"\nmsgstr "Start"\n\nmsgid "one like"\nmsgid_plural "%(num)s likes"\nmsgstr[0] "ein Herz"\nmsgstr[1] "%(num)s Herzen"\n'
    )
    monkeypatch.setattr(translations, "LOCALE_FOLDER", tmp_path)
    german = translations.Catalogue("de")
    assert german.gettext("Home") == "Start"
    assert german.gettext("Explore") == "Explore"
    assert german.ngettext("one like", "%(num)s likes", 1) == "ein Herz"
    assert german.ngettext("one like", "%(num)s likes", 3) == "%(num)s Herzen"


async def test_every_template_escapes(node: Node, anybody: Visitor) -> None:
    env = node.component(Templates).environment("en")
    assert env.autoescape is True
    assert env.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"


def test_a_request_keeps_its_language_and_fills_in_values() -> None:
    assert translations.gettext("Sign in to do that.") == "Sign in to do that."
    assert translations.gettext("Hello %(name)s", name="Alice") == "Hello Alice"
    assert translations.gettext("100 %") == "100 %"
    assert translations.ngettext("%(num)s like", "%(num)s likes", 2) == "2 likes"

    before = translations.current_language()
    translations.set_language("de")
    assert translations.current_language() == "de"
    translations.set_language(before)


def test_a_fuzzy_or_empty_translation_stays_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        '#, fuzzy\nmsgid "Home"\nmsgstr "Vielleicht"\n\nmsgid "Search"\nmsgstr ""\n'
    )
    monkeypatch.setattr(translations, "LOCALE_FOLDER", tmp_path)

    german = translations.Catalogue("de")

    assert (german.gettext("Home"), german.gettext("Search")) == ("Home", "Search")
