"""Counts by software how its documents are parsed: `python -m federation_tests.documents [FOLDER]`.

*Understood*: an activity with a handler, a post, an actor, a collection, a handle, a tombstone. *Ignored*: dropped
on purpose, for the reason that is counted below the table. *Lost*: complete, of a supported type, and still
refused. `test_fixtures` sends the same documents through the inbox of a running node.
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
TOMBSTONES = {"Tombstone"}
# Parsed where they are fetched, by their own rules: authorizations of quotes, and keys.
SEPARATE = {"QuoteAuthorization", "Multikey", "DataIntegrityProof"}
POSTS = {"Note", "Article", "Page", "Image", "Video", "Event", "Question", "Document"}
ACTORS = {"Person", "Service", "Application", "Group", "Organization"}


def documents(folder: Path) -> Iterator[tuple[Path, Any]]:
    """Every JSON document below a folder, with its file; a file may hold a list of them. None for invalid JSON."""
    for path in sorted(folder.rglob("*.json")):
        try:
            found = json.loads(path.read_bytes())
        except ValueError:
            yield path, None
            continue
        for one in found if isinstance(found, list) else [found]:
            yield path, one


def _kinds(document: dict[str, Any]) -> set[str]:
    types = document.get("type", document.get("@type"))
    return {one for one in (types if isinstance(types, list) else [types]) if isinstance(one, str)}


def judge(document: Any) -> tuple[str, str]:
    """("understood" | "ignored" | "lost", what it is or why)."""
    if not isinstance(document, dict):
        return "ignored", "not a JSON object"
    kinds = _kinds(document)
    if not kinds:
        if isinstance(document.get("subject"), str) and isinstance(document.get("links"), list):
            return "understood", "a handle (WebFinger)"
        return "ignored", "not an ActivityPub document: API responses, schemas, contexts, test vectors"
    try:
        activity = vocab.parse_activity(document)
    except Malformed as malformed:
        reason = str(malformed)
    else:
        is_handled = activity.type in HANDLERS
        return ("understood", "an activity") if is_handled else ("ignored", "an activity without a handler")
    for name, parse in (
        ("a post", vocab.parse_note),
        ("an actor", vocab.parse_actor),
        ("a collection", vocab.parse_collection),
    ):
        try:
            parse(document)
        except Malformed as malformed:
            if kinds & {"a post": POSTS, "an actor": ACTORS}.get(name, set()):
                reason = str(malformed)
        else:
            return "understood", name
    if kinds & TOMBSTONES:
        return "understood", "a tombstone"
    if kinds & SEPARATE:
        return "understood", "a quote authorization or key"
    return _judge_unparsed(document, kinds, reason)


def _judge_unparsed(document: dict[str, Any], kinds: set[str], reason: str) -> tuple[str, str]:
    if any(mark in json.dumps(document) for mark in ("{{", "` +")):
        return "ignored", "a template with placeholders"
    supported = set(HANDLERS) | POSTS | ACTORS
    if not kinds & supported:
        return "ignored", "an unsupported type"
    id_ = document.get("id", document.get("@id"))
    has_id = isinstance(id_, str) and id_.startswith(("https://", "http://"))
    owner = document.get("inbox") if kinds & ACTORS else document.get("actor", document.get("attributedTo"))
    if not has_id or not owner:
        return "ignored", "a fragment: without an id, an author or an inbox"
    return "lost", reason


def main(folder: Path) -> None:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: Counter[str] = Counter()
    lost = []
    for software in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path, document in documents(software):
            verdict, reason = judge(document)
            table[software.name][verdict] += 1
            reasons[f"{verdict}: {reason}"] += 1
            if verdict == "lost":
                lost.append(f"{path.relative_to(folder)}: {reason}")
    total: Counter[str] = Counter()
    print("| software | understood | ignored | lost |\n|---|---|---|---|")
    for name, counts in table.items():
        total += counts
        print(f"| {name} | {counts['understood']} | {counts['ignored']} | {counts['lost']} |")
    print(f"| **all** | {total['understood']} | {total['ignored']} | {total['lost']} |\n")
    for line, times in reasons.most_common():
        print(f"{times:5} {line}")
    print("\n".join(["", *lost]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES)
