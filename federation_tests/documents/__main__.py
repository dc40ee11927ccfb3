"""What becomes of documents that other software emits, by software: `python -m federation_tests.documents [FOLDER]`.

*Understood*: an activity with a deed here, a post, a person, a list, a handle, a gravestone. *On purpose*: left
alone for the reason that is counted below the table. *Lost*: of a kind that is spoken here, whole, and still
refused. `test_fixtures` hands the same documents to a running node.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from activitypub import vocab
from activitypub.handlers.registry import HANDLERS
from activitypub.uris import Malformed

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
GRAVES = {"Tombstone"}
# Read where they are asked for, by their own rules: stamps of quotes and keys.
BESIDE = {"QuoteAuthorization", "Multikey", "DataIntegrityProof"}
POSTS = {"Note", "Article", "Page", "Image", "Video", "Event", "Question", "Document"}
PEOPLE = {"Person", "Service", "Application", "Group", "Organization"}


def documents(folder: Path) -> Iterator[tuple[Path, Any]]:
    for path in sorted(folder.rglob("*.json")):
        try:
            found = json.loads(path.read_bytes())
        except ValueError:
            yield path, None
            continue
        for one in found if isinstance(found, list) else [found]:
            yield path, one


def _kinds(document: dict[str, Any]) -> set[str]:
    said = document.get("type", document.get("@type"))
    return {one for one in (said if isinstance(said, list) else [said]) if isinstance(one, str)}


def judge(document: Any) -> tuple[str, str]:
    """("understood" | "on purpose" | "lost", what it is or why)."""
    if not isinstance(document, dict):
        return "on purpose", "not a JSON object"
    kinds = _kinds(document)
    if not kinds:
        if isinstance(document.get("subject"), str) and isinstance(document.get("links"), list):
            return "understood", "a handle (WebFinger)"
        return "on purpose", "not a document of ActivityPub: API answers, schemas, contexts, vectors"
    try:
        said = vocab.parse_activity(document)
    except Malformed as malformed:
        reason = str(malformed)
    else:
        known = said.type in HANDLERS
        return (
            ("understood", "an activity") if known else ("on purpose", "an activity that means nothing here")
        )
    for name, read in (
        ("a post", vocab.parse_note),
        ("a person", vocab.parse_actor),
        ("a list", vocab.parse_collection),
    ):
        try:
            read(document)
        except Malformed as malformed:
            if kinds & {"a post": POSTS, "a person": PEOPLE}.get(name, set()):
                reason = str(malformed)
        else:
            return "understood", name
    if kinds & GRAVES:
        return "understood", "a gravestone"
    if kinds & BESIDE:
        return "understood", "a stamp or key"
    return _left(document, kinds, reason)


def _left(document: dict[str, Any], kinds: set[str], reason: str) -> tuple[str, str]:
    if any(hole in json.dumps(document) for hole in ("{{", "` +")):
        return "on purpose", "a template with holes"
    spoken = set(HANDLERS) | POSTS | PEOPLE
    if not kinds & spoken:
        return "on purpose", "a kind that is not spoken here"
    id_ = document.get("id", document.get("@id"))
    is_whole = isinstance(id_, str) and id_.startswith(("https://", "http://"))
    owner = document.get("inbox") if kinds & PEOPLE else document.get("actor", document.get("attributedTo"))
    if not is_whole or not owner:
        return "on purpose", "a fragment: without an address, an author or an inbox"
    return "lost", reason


def main(folder: Path) -> None:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    why: Counter[str] = Counter()
    lost = []
    for software in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path, document in documents(software):
            verdict, reason = judge(document)
            table[software.name][verdict] += 1
            why[f"{verdict}: {reason}"] += 1
            if verdict == "lost":
                lost.append(f"{path.relative_to(folder)}: {reason}")
    total: Counter[str] = Counter()
    print("| software | understood | on purpose | lost |\n|---|---|---|---|")
    for name, counts in table.items():
        total += counts
        print(f"| {name} | {counts['understood']} | {counts['on purpose']} | {counts['lost']} |")
    print(f"| **all** | {total['understood']} | {total['on purpose']} | {total['lost']} |\n")
    for line, times in why.most_common():
        print(f"{times:5} {line}")
    print("\n".join(["", *lost]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES)
