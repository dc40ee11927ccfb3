"""Code, comments, tests, templates and documents say things in common technical words, not in words of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("node", "activitypub", "web", "media", "templates", "tests", "federation_tests", "docs")
SUFFIXES = {".py", ".html", ".css", ".js", ".sql", ".md", ".toml"}

# What was once said in the code, and what it is called instead.
PRIVATE_WORDS = {
    r"letters?": "request, activity or delivery; of a name: character",
    r"sentences?": "outgoing activity",
    r"deeds?": "action, or the verb itself",
    r"knock(s|ed|ing)?": "probe",
    r"glances?": "post summary",
    r"gatherings?": "batcher",
    r"desks?": "batch lookups",
    r"elsewhere": "remote",
    r"heard|unheard": "received, not seen before",
    r"severances?": "severed follow",
    r"ledgers?": "delivery report",
    r"asleep|awake": "unavailable, available",
    r"stumble[sd]?": "record a failure",
    r"wide pictures?": "header",
}
_WORD = re.compile(rf"(?<![a-z])({'|'.join(PRIVATE_WORDS)})(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Permitted:
    """A phrase in which such a word may stand, in every file below a path."""

    path: str
    phrase: str
    reason: str


_PAGE = "the URL of a page, which people have bookmarked"
_PAYLOAD = "a key in the payload of stored jobs"
_COLUMN = "a column"
_PLAIN = "plain English, in a text for people"
_ICON = "the name of an icon, an envelope"
EXCEPTIONS = (
    Permitted("node/database/migrations/0002_domain_policy.sql", "deed TEXT", _COLUMN),
    Permitted("node/moderation/audit_log.py", "by_id, deed, target", _COLUMN),
    Permitted("node/moderation/audit_log.py", ":deed,", "a value, named as its column"),
    Permitted("node/moderation/audit_log.py", "deed=action", "a value, named as its column"),
    Permitted("node/moderation/audit_log.py", "l.deed", _COLUMN),
    Permitted("node/moderation/audit_log.py", 'row["deed"]', _COLUMN),
    Permitted("tests/support/crowd.py", "by_id, deed, target", _COLUMN),
    Permitted("node/federation/deliveries.py", '"sentence"', _PAYLOAD),
    Permitted("tests/node/federation/test_deliver", '"sentence"', _PAYLOAD),
    Permitted("web/pages/delivery_reports.py", "/ledger", _PAGE),
    Permitted("web/pages/delivery_reports.py", '"ledger {account.id}"', "the stored key of a rate limit"),
    Permitted("templates/", "/ledger", _PAGE),
    Permitted("federation_tests/stories/test_delivery_reports.py", "/ledger", _PAGE),
    Permitted("docs/screenshots.py", "ledger", _PAGE),
    Permitted("templates/", '"letter"', _ICON),
    Permitted("web/static/css/", "letter-spacing", "CSS"),
    Permitted("templates/sign_in/sign_up.html", "Letters, numbers and underscores", _PLAIN),
    Permitted("tests/browser/test_two_nodes.py", "a short sentence is good", "a password"),
    Permitted("docs/demo.py", "to stay awake", _PLAIN),
    Permitted("config.toml", "A sentence or two", _PLAIN),
    Permitted("CONTRIBUTING.md", "Its name is a sentence", _PLAIN),
    Permitted("CONTRIBUTING.md", "one sentence that says why", _PLAIN),
    Permitted("activitypub/client/signature_style.py", "double-knocking", "the field's own word for it"),
    Permitted("federation_tests/peers/", "double-knocking", "the field's own word for it"),
    Permitted("federation_tests/peers/", "firstKnock", "an option of Fedify"),
)


def texts() -> dict[str, str]:
    """The text of every file that people read, by its path; this one lists the words and is left out."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")] + list(ROOT.glob("*"))
    return {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for path in sorted(paths)
        if path.suffix in SUFFIXES and "node_modules" not in path.parts and path != Path(__file__)
    }


def private_words(text: str) -> Iterator[tuple[int, str]]:
    """(line, word) of each private word, alone or as a part of a name."""
    for number, line in enumerate(text.splitlines(), 1):
        apart = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", line)
        yield from ((number, match[0]) for match in _WORD.finditer(apart))


def test_no_private_word_is_used() -> None:
    found = []
    for path, text in texts().items():
        for exception in EXCEPTIONS:
            if path.startswith(exception.path):
                text = text.replace(exception.phrase, "")
        found += [f"{path}:{number}: {word}" for number, word in private_words(text)]

    assert not found, "\n".join(["see PRIVATE_WORDS for what to write instead:", *found])


def test_every_exception_stands_for_something_and_says_why() -> None:
    read = texts()
    for exception in EXCEPTIONS:
        assert exception.reason
        assert any(
            path.startswith(exception.path) and exception.phrase in text for path, text in read.items()
        ), exception
        assert list(private_words(exception.phrase)), exception


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("# a letter for bob", "letter"),
        ("def read_letters(): ...", "letters"),
        ("class LetterBox: ...", "Letter"),
        ("const firstKnock = 1", "Knock"),
        ("people elsewhere.", "elsewhere"),
        ("wide_picture = 1", "wide picture"),
        ("MOST_GLANCES = 3", "GLANCES"),
    ],
)
def test_a_private_word_is_found_alone_and_inside_a_name(text: str, word: str) -> None:
    assert list(private_words(f"\n{text}")) == [(2, word)]


@pytest.mark.parametrize(
    "text", ["a desktop", "in an indeed", "newsletter", "heardle", "overheard", "knockout"]
)
def test_a_word_that_only_contains_one_is_not_found(text: str) -> None:
    assert not list(private_words(text))
