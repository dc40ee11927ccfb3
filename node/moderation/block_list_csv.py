"""Parses and formats block lists: the CSV that Mastodon exports and imports, and plain lists of names. Owns no table.

`block_lists` calls it for what it fetches and the admin pages for what is uploaded. The input is untrusted: its size
is bounded, and a line that cannot be used is reported with the reason while the other lines are accepted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from node.errors import Invalid
from node.moderation.domain_rules import MAX_COMMENT_LENGTH, DomainAllow, DomainBlock
from node.text import hostnames

MAX_BYTES = 2 * 1024 * 1024
MAX_ENTRIES = 20_000
MAX_INVALID_LINES = 200
MAX_SHOWN_LENGTH = 80

COLUMNS = ("#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate")
SEVERITIES = {
    "suspend": "suspend",
    "silence": "limit",
    "limit": "limit",
    "noop": "none",
    "none": "none",
}
_CSV_SEVERITIES = {"suspend": "suspend", "limit": "silence", "none": "noop"}
_HEADER_NAMES = frozenset({"domain", "instance", "host"})
_NOT_CSV = "From here on, the file is not CSV."
_UNCLOSED_QUOTE = "A quotation mark is not closed, so that what follows was read as part of this line."
_TRUNCATION_REASONS = frozenset({_NOT_CSV, _UNCLOSED_QUOTE})
_TRUE_VALUES = frozenset({"true", "t", "1", "yes", "y"})


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """One usable line; `domain` is in its normal spelling."""

    domain: str
    strength: str
    rejects_media: bool = False
    rejects_reports: bool = False
    is_obfuscated: bool = False
    public_comment: str = ""


@dataclass(frozen=True, slots=True)
class InvalidLine:
    """One unusable line: its number (from 1), its text, shortened, and the reason as a text for admins."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedList:
    """What a file holds. `is_complete` is False when it may name servers that could not be parsed."""

    entries: list[ParsedEntry]
    invalid_lines: list[InvalidLine]
    is_complete: bool = True


def parse(data: bytes, own_domains: Iterable[str], *, strength: str = "suspend") -> ParsedList:
    """Parses a file. Raises Invalid for one that is too large, not text, of another format, or empty.

    `strength` is that of a line with no severity. Of several lines for one domain the first counts.
    """
    text = _decode(data)
    entries: dict[str, ParsedEntry] = {}
    problems: list[InvalidLine] = []
    is_complete = True
    own = [hostnames.normalize(domain) for domain in own_domains]
    for line, cells in _rows(text, problems):
        if len(entries) >= MAX_ENTRIES:
            problems.append(
                InvalidLine(line, "", f"A list may have {MAX_ENTRIES} servers; the rest is left out.")
            )
            is_complete = False
            break
        name = hostnames.normalize(cells["domain"])
        reason = _invalid_reason(cells["domain"], name, own)
        severity = cells.get("severity", "").strip().lower()
        if not reason and severity and severity not in SEVERITIES:
            reason = f"“{severity[:MAX_SHOWN_LENGTH]}” is not a severity."
            is_complete = False
        if reason:
            problems.append(InvalidLine(line, cells["domain"][:MAX_SHOWN_LENGTH], reason))
            continue
        entries.setdefault(
            name,
            ParsedEntry(
                name,
                SEVERITIES.get(severity, strength),
                _is_true(cells.get("reject_media", "")),
                _is_true(cells.get("reject_reports", "")),
                _is_true(cells.get("obfuscate", "")),
                " ".join(cells.get("public_comment", "").split())[:MAX_COMMENT_LENGTH],
            ),
        )
    if not entries and not problems:
        raise Invalid("There is no server in that list.", field="file")
    is_complete = is_complete and not any(problem.reason in _TRUNCATION_REASONS for problem in problems)
    return ParsedList(list(entries.values()), problems[:MAX_INVALID_LINES], is_complete)


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise Invalid(
            f"That list is too large: up to {MAX_BYTES // 1024 // 1024} MB are accepted.", field="file"
        )
    is_wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text.", field="file") from error
    if text.lstrip()[:1] in ("<", "{", "["):
        raise Invalid("The file is not a list of servers.", field="file")
    return text.replace("\0", "")


def _rows(text: str, problems: list[InvalidLine]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields (line number, cells by column) of every line that is neither empty nor a comment."""
    reader = csv.reader(io.StringIO(text, newline=""))
    columns: list[str] | None = None
    quotes_match = text.count('"') % 2 == 0
    while True:
        before = reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problems.append(InvalidLine(reader.line_num, "", _NOT_CSV))
            return
        if reader.line_num > before + 1 and not quotes_match:
            problems.append(InvalidLine(before + 1, row[0][:MAX_SHOWN_LENGTH], _UNCLOSED_QUOTE))
        cells = [cell.strip() for cell in row]
        if not cells or not any(cells):
            continue
        if columns is None:
            names = [cell.lstrip("#").strip().lower() for cell in cells]
            if names[0] in _HEADER_NAMES:
                columns = ["domain", *names[1:]]
                continue
            columns = []
        if cells[0].startswith("#"):
            continue
        if columns:
            yield reader.line_num, dict(zip(columns, cells, strict=False))
            continue
        # Without a header line, a second cell is used only when it is a severity.
        named = {"domain": cells[0].partition("#")[0].strip()}
        if len(cells) > 1 and cells[1].lower() in SEVERITIES:
            named["severity"] = cells[1]
        yield reader.line_num, named


def _invalid_reason(raw: str, name: str, own: Iterable[str]) -> str:
    if "*" in raw.removeprefix("*."):
        return "Characters of the name are hidden."
    if not name:
        return "That is not the name of a server."
    if "." not in name and not name.startswith("["):
        return "That would cover a whole top-level domain; decide about it by hand if you mean it."
    if any(hostnames.covers(name, one) for one in own):
        return "The rule would apply to this server itself."
    return ""


def _is_true(cell: str) -> bool:
    return cell.strip().lower() in _TRUE_VALUES


def format_blocks(rules: Iterable[DomainBlock]) -> str:
    """Formats rules as the CSV that Mastodon and others import. Private comments are left out."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        (
            rule.domain,
            _CSV_SEVERITIES[rule.strength],
            _format_bool(rule.rejects_media),
            _format_bool(rule.rejects_reports),
            rule.public_comment,
            _format_bool(rule.is_obfuscated),
        )
        for rule in rules
    )
    return out.getvalue()


def format_allows(allows: Iterable[DomainAllow]) -> str:
    """Formats the allow list as the CSV that Mastodon and others import."""
    return "".join(["#domain\n", *(f"{one.domain}\n" for one in allows)])


def _format_bool(value: bool) -> str:
    return "true" if value else "false"
