"""E5: every document of other software goes through every parser, as it is and mutated; only Malformed is raised.

The documents are read from the folder beside the project when it exists.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activitypub import vocab
from activitypub.uris import same_origin

FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures"
DOCUMENTS = sorted(FIXTURES.rglob("*.json")) + sorted(FIXTURES.rglob("*.jsonld"))
READERS: list[Callable[[dict[str, Any]], object]] = [
    vocab.parse_activity,
    vocab.parse_note,
    vocab.parse_actor,
    vocab.parse_keys,
    vocab.parse_collection,
]
NONSENSE: list[Any] = [
    None, True, False, 0, -1, 10**30, 1e308, 0.5, "", "x", "\u202e", "https://[", "http://a:99999/", "x" * 5000,
    [], {}, [[]], [{}], [None], {"@value": []}, {"@list": {}}, {"id": []}, {"type": [{}]}, {"href": [{"href": {}}]},
    ["https://a.example/1", {"id": "https://a.example/2"}], {"@list": [1, "2", None]}, {"en": "x", "": []},
]  # fmt: skip


def read(document: dict[str, Any]) -> None:
    for reader in READERS:
        try:
            reader(document)
        except vocab.Malformed:
            continue
    for value in document.values():
        same_origin(value, document.get("id"))


def mutated(value: Any, chance: random.Random) -> Any:
    """A copy with some members dropped, doubled, nested or replaced by random values, at any depth."""
    match chance.randrange(40):
        case 0 | 1:
            return chance.choice(NONSENSE)
        case 2:
            return [value]
        case 3:
            return {"id": value}
        case 4:
            return {"@value": value, "type": value}
    if isinstance(value, dict):
        return {key: mutated(member, chance) for key, member in value.items() if chance.random() > 0.03}
    if isinstance(value, list):
        return [mutated(member, chance) for member in value]
    return value


def objects_in(value: Any) -> list[dict[str, Any]]:
    """The documents in a file: some hold a list of them, or a case with several."""
    if isinstance(value, list):
        return [found for item in value for found in objects_in(item)]
    if isinstance(value, dict):
        inner = [found for item in value.values() for found in objects_in(item)]
        return [value, *inner]
    return []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(FIXTURES)))
def test_a_document_by_other_software_is_read(path: Path) -> None:
    try:
        whole = json.loads(path.read_bytes())
    except ValueError:
        with pytest.raises(vocab.Malformed):
            vocab.parse_json(path.read_bytes())
        return
    if isinstance(whole, dict):
        assert vocab.parse_json(path.read_bytes()) == whole
    else:
        with pytest.raises(vocab.Malformed):
            vocab.parse_json(path.read_bytes())
    chance = random.Random(path.name)
    for document in objects_in(whole)[:200]:
        read(document)
    if isinstance(whole, dict):
        for _ in range(12):
            broken = mutated(whole, chance)
            if isinstance(broken, dict):
                read(broken)


def _is_person(document: dict[str, Any]) -> bool:
    return (
        document.get("type") == "Person"
        and all(vocab.values.is_web_url(document.get(name)) for name in ("id", "inbox"))
        and str(document.get("preferredUsername", "@")).isidentifier()
    )


def _is_post(document: dict[str, Any]) -> bool:
    return document.get("type") == "Note" and all(
        vocab.values.is_web_url(document.get(name)) for name in ("id", "attributedTo")
    )


def _understands(reader: Callable[[dict[str, Any]], object], document: dict[str, Any]) -> bool:
    try:
        reader(document)
    except vocab.Malformed:
        return False
    return True


@pytest.mark.parametrize(
    "software", ["mastodon", "pixelfed", "vernissage", "gotosocial", "pleroma", "misskey", "lemmy", "peertube", "wordpress"]
    if DOCUMENTS else [],
)  # fmt: skip
def test_actors_and_posts_of_the_large_servers_are_parsed(software: str) -> None:
    documents = [
        document
        for path in sorted((FIXTURES / software).rglob("*.json"))
        for document in objects_in(json.loads(path.read_bytes()))
    ]
    people = [document for document in documents if _is_person(document)]
    posts = [document for document in documents if _is_post(document)]
    assert people or posts
    assert [document["id"] for document in people if not _understands(vocab.parse_actor, document)] == []
    assert [document["id"] for document in posts if not _understands(vocab.parse_note, document)] == []
