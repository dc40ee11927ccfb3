"""Lists of servers as files: the CSV that Mastodon writes and reads, and plain lists of names. Owns no table.

Files come from strangers: they are bounded, and a line that cannot be used is named with the reason while the
others are taken.
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
    """One line that can be used; `domain` is normal."""

    domain: str
    strength: str
    rejects_media: bool = False
    rejects_reports: bool = False
    is_obfuscated: bool = False
    public_comment: str = ""


@dataclass(frozen=True, slots=True)
class InvalidLine:
    """One line that cannot be used, and why, in a sentence."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedList:
    """`is_complete`: nothing shows that servers are missing which the file means to name."""

    entries: list[ParsedEntry]
    invalid_lines: list[InvalidLine]
    is_complete: bool = True


def parse(data: bytes, own_domains: Iterable[str], *, strength: str = "suspend") -> ParsedList:
    """Read a file. Raises Invalid when it is none of the kinds that are understood.

    `strength` is what a bare name asks for.
    """
    text = _decode(data)
    found: dict[str, ParsedEntry] = {}
    problems: list[InvalidLine] = []
    is_whole = True
    own = [hostnames.normalize(domain) for domain in own_domains]
    for line, cells in _rows(text, problems):
        if len(found) >= MAX_ENTRIES:
            problems.append(
                InvalidLine(line, "", f"A list may have {MAX_ENTRIES} servers; the rest is left out.")
            )
            is_whole = False
            break
        name = hostnames.normalize(cells["domain"])
        why = _invalid_reason(cells["domain"], name, own)
        severity = cells.get("severity", "").strip().lower()
        if not why and severity and severity not in SEVERITIES:
            why = f"“{severity[:MAX_SHOWN_LENGTH]}” is not a severity."
            is_whole = False
        if why:
            problems.append(InvalidLine(line, cells["domain"][:MAX_SHOWN_LENGTH], why))
            continue
        found.setdefault(
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
    if not found and not problems:
        raise Invalid("There is no server in that list.", field="file")
    is_whole = is_whole and not any(problem.reason in _TRUNCATION_REASONS for problem in problems)
    return ParsedList(list(found.values()), problems[:MAX_INVALID_LINES], is_whole)


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
    """(line, cells by column) of everything that is not empty and not a remark."""
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
        # Without a first line that names the columns, only a second word that is a severity means something.
        found = {"domain": cells[0].partition("#")[0].strip()}
        if len(cells) > 1 and cells[1].lower() in SEVERITIES:
            found["severity"] = cells[1]
        yield reader.line_num, found


def _invalid_reason(written: str, name: str, own: Iterable[str]) -> str:
    if "*" in written.removeprefix("*."):
        return "Letters of the name are hidden."
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
    """Rules as the CSV that other servers import. Private comments are not in it."""
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
    """The allow list as the CSV that other servers import."""
    return "".join(["#domain\n", *(f"{one.domain}\n" for one in allows)])


def _format_bool(value: bool) -> str:
    return "true" if value else "false"
