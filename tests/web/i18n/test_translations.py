"""Every sentence goes through gettext, and a language that is there is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from node.node import Node
from tests.support.visitors import Visitor
from web.html import helpers
from web.html.templates import FOLDER, Pages
from web.i18n import translations

ALLOWED = {"ALT"}


@pytest.mark.parametrize(
    "template", sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
)
def test_a_template_says_nothing_that_cannot_be_translated(template: str) -> None:
    bare = _without_markup((FOLDER / template).read_text())
    said = set(re.findall(r"[A-Za-z]{3,}", bare)) - ALLOWED
    assert not said, f"{template} says {sorted(said)}"


def _without_markup(source: str) -> str:
    for pattern in (
        r"\{#.*?#\}",
        r"\{% block width %\}.*?\{% endblock %\}",
        r"\{% trans.*?%\}.*?\{% endtrans %\}",
        r"\{%.*?%\}",
        r"\{\{.*?\}\}",
        r"<!--.*?-->",
        r"<[^>]*>",
        r"&\w+;",
        r"/[\w?=/-]+",
    ):
        source = re.sub(pattern, " ", source, flags=re.DOTALL)
    return source


def test_numbers_are_short() -> None:
    wanted = {0: "0", 999: "999", 1000: "1k", 1200: "1.2k", 34_567: "35k", 2_500_000: "2.5M"}
    assert {n: helpers.short(n) for n in wanted} == wanted


def test_the_language_is_the_first_that_is_there() -> None:
    assert translations.choose("", ["xx", "en-GB"]) == "en"
    assert translations.choose("", []) == "en"
    assert translations.direction("ar") == "rtl"
    assert translations.direction("en") == "ltr"


def test_a_catalogue_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(
        'msgid ""\nmsgstr "Language: de\\nContent-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "Home"\nmsgstr "Start"\n\nmsgid "one like"\nmsgid_plural "%(num)s likes"\nmsgstr[0] "ein Herz"\nmsgstr[1] "%(num)s Herzen"\n'
    )
    monkeypatch.setattr(translations, "FOLDER", tmp_path)
    german = translations.Catalogue("de")
    assert german.gettext("Home") == "Start"
    assert german.gettext("Explore") == "Explore"
    assert german.ngettext("one like", "%(num)s likes", 1) == "ein Herz"
    assert german.ngettext("one like", "%(num)s likes", 3) == "%(num)s Herzen"


async def test_every_template_escapes(node: Node, anybody: Visitor) -> None:
    env = node.part(Pages).environment("en")
    assert env.autoescape is True
    assert env.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"
