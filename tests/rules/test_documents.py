"""What the README promises is there: commands, make targets, pictures, files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.__main__ import _parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "FEDERATION.md",
    "CHANGELOG.md",
    "docs/README.md",
    ".github/PULL_REQUEST_TEMPLATE.md",
)


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
        for word in re.findall(r"(?:^ {4}|`|&& )make ([a-z]+)\b", (ROOT / document).read_text(), re.MULTILINE)
    }
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named
    assert targets >= named | {"run", "install", "test", "check", "bench"}


def test_what_the_documents_link_to_is_there() -> None:
    missing = [
        (document, target)
        for document in DOCUMENTS
        for target in re.findall(r"(?:\]\(|src=\"|srcset=\")([^)\"#]+)", (ROOT / document).read_text())
        if "://" not in target and not (ROOT / document).parent.joinpath(target).exists()
    ]

    assert not missing


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_paths_in_a_document_are_there(document: str) -> None:
    text = (ROOT / document).read_text()
    named = re.findall(
        r"((?<![\w/.])(?:node|web|activitypub|media|templates|tests|federation_tests)/[a-z0-9_./]*[a-z0-9_/])",
        text,
    )
    missing = [path for path in named if not (ROOT / path).exists()]

    assert named
    assert not missing


def test_the_code_in_contributing_is_that_of_the_file_it_names() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    excerpts = re.findall(r"^```\w+\n(?:#|--) (\S+/\S+)\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)
    stale = [path for path, code in excerpts if code not in (ROOT / path).read_text()]

    assert excerpts
    assert not stale
