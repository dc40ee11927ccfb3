"""What the README promises is there: commands, make targets, pictures, files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from node.__main__ import _parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "FEDERATION.md", "CHANGELOG.md")


def commands(parser: argparse.ArgumentParser, name: str = "tintype") -> Iterator[str]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield name
    for action in below:
        for word, parser_below in action.choices.items():
            yield from commands(parser_below, f"{name} {word}")


def test_every_command_is_in_the_readme() -> None:
    missing = [command for command in commands(_parser()) if f"`{command}" not in README]

    assert not missing


def test_every_make_target_that_is_named_exists() -> None:
    named = {
        word
        for document in DOCUMENTS
        for word in re.findall(r"\bmake ([a-z]+)\b", (ROOT / document).read_text())
    }
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {"run", "install", "test", "check", "bench"} <= targets
    assert named & {"run", "install", "test", "check", "bench", "lock"} <= targets


def test_what_the_documents_link_to_is_there() -> None:
    missing = [
        (document, target)
        for document in DOCUMENTS
        for target in re.findall(r"(?:\]\(|src=\"|srcset=\")([^)\"#]+)", (ROOT / document).read_text())
        if "://" not in target and not (ROOT / target).exists()
    ]

    assert not missing


def test_the_paths_in_the_architecture_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`((?:node|web|activitypub|media|tests|federation_tests)/[a-z_./]*)`", text)
    missing = [path for path in named if not (ROOT / path).exists()]

    assert named
    assert not missing
