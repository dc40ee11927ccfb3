"""`config.toml` is the reference of the options: all of them, with type and default, and it is valid."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from node import config
from node.config import Config

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "config.toml").read_text()
OPTIONS = [
    (section, field) for section, kind in get_type_hints(Config).items() for field in dataclasses.fields(kind)
]


def test_the_documented_values_are_the_defaults() -> None:
    assert config.parse(TEXT) == Config()


@pytest.mark.parametrize(
    ("section", "field"), OPTIONS, ids=[f"{section}.{field.name}" for section, field in OPTIONS]
)
def test_every_option_is_documented_with_its_type_and_default(
    section: str, field: dataclasses.Field[Any]
) -> None:
    part = re.split(r"^\[(\w+)\]$", TEXT, flags=re.MULTILINE)
    body = part[part.index(section) + 1]
    # The lines before the option up to the blank one, across a pair that shares its comment.
    match = re.search(rf"((?:^#.*\n)+)(?:^\w+ = .*\n)?^{field.name} = ", body, re.MULTILINE)

    assert match, f"[{section}] {field.name} is not documented in config.toml"
    comment = match[1]
    assert re.search(r"String|Strings|Boolean|List|Whole number|\"\w+\" or|\"open\"", comment), (
        "without a type"
    )
    assert "Default:" in comment.replace("\n# ", " "), "without a default"
    if field.metadata.get("secret"):
        assert "secret" in comment


@pytest.mark.parametrize(
    ("section", "field"), OPTIONS, ids=[f"{section}.{field.name}" for section, field in OPTIONS]
)
def test_every_option_is_used(section: str, field: dataclasses.Field[Any]) -> None:
    use = re.compile(rf"\b{section}\.{field.name}\b")
    code = [path for package in ("node", "activitypub", "web") for path in (ROOT / package).rglob("*.py")]

    assert any(use.search(path.read_text()) for path in code), f"nothing reads [{section}] {field.name}"
