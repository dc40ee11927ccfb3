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
from node.moderation.domain_policy import LONGEST_COMMENT, DomainAllow, DomainBlock
from node.text import hostnames

MOST_BYTES = 2 * 1024 * 1024
MOST_ENTRIES = 20_000
MOST_PROBLEMS = 200
LONGEST_SHOWN = 80

COLUMNS = ("#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate")
SEVERITIES = {
    "suspend": "suspend",
    "silence": "limit",
    "limit": "limit",
    "noop": "none",
    "none": "none",
}
_WRITTEN = {"suspend": "suspend", "limit": "silence", "none": "noop"}
_FIRST = frozenset({"domain", "instance", "host"})
_NOT_CSV = "From here on, the file is not CSV."
_NOT_CLOSED = "A quotation mark is not closed, so that what follows was read as part of this line."
_CUT_OFF = frozenset({_NOT_CSV, _NOT_CLOSED})
_YES = frozenset({"true", "t", "1", "yes", "y"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that can be used; `domain` is normal."""

    domain: str
    strength: str
    rejects_media: bool = False
    rejects_reports: bool = False
    is_obfuscated: bool = False
    public_comment: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One line that cannot be used, and why, in a sentence."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """`is_whole`: nothing shows that servers are missing which the file means to name."""

    entries: list[Entry]
    problems: list[Problem]
    is_whole: bool = True


def parse(data: bytes, own_domains: Iterable[str], *, strength: str = "suspend") -> Parsed:
    """Read a file. Raises Invalid when it is none of the kinds that are understood.

    `strength` is what a bare name asks for.
    """
    text = _text(data)
    found: dict[str, Entry] = {}
    problems: list[Problem] = []
    is_whole = True
    own = [hostnames.normal(domain) for domain in own_domains]
    for line, cells in _rows(text, problems):
        if len(found) >= MOST_ENTRIES:
            problems.append(
                Problem(line, "", f"A list may have {MOST_ENTRIES} servers; the rest is left out.")
            )
            is_whole = False
            break
        name = hostnames.normal(cells["domain"])
        why = _unusable(cells["domain"], name, own)
        severity = cells.get("severity", "").strip().lower()
        if not why and severity and severity not in SEVERITIES:
            why = f"“{severity[:LONGEST_SHOWN]}” is not a severity."
            is_whole = False
        if why:
            problems.append(Problem(line, cells["domain"][:LONGEST_SHOWN], why))
            continue
        found.setdefault(
            name,
            Entry(
                name,
                SEVERITIES.get(severity, strength),
                _is_yes(cells.get("reject_media", "")),
                _is_yes(cells.get("reject_reports", "")),
                _is_yes(cells.get("obfuscate", "")),
                " ".join(cells.get("public_comment", "").split())[:LONGEST_COMMENT],
            ),
        )
    if not found and not problems:
        raise Invalid("There is no server in that list.", field="file")
    is_whole = is_whole and not any(problem.why in _CUT_OFF for problem in problems)
    return Parsed(list(found.values()), problems[:MOST_PROBLEMS], is_whole)


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise Invalid(
            f"That list is too large: up to {MOST_BYTES // 1024 // 1024} MB are accepted.", field="file"
        )
    is_wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text.", field="file") from error
    if text.lstrip()[:1] in ("<", "{", "["):
        raise Invalid("The file is not a list of servers.", field="file")
    return text.replace("\0", "")


def _rows(text: str, problems: list[Problem]) -> Iterator[tuple[int, dict[str, str]]]:
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
            problems.append(Problem(reader.line_num, "", _NOT_CSV))
            return
        if reader.line_num > before + 1 and not quotes_match:
            problems.append(Problem(before + 1, row[0][:LONGEST_SHOWN], _NOT_CLOSED))
        cells = [cell.strip() for cell in row]
        if not cells or not any(cells):
            continue
        if columns is None:
            names = [cell.lstrip("#").strip().lower() for cell in cells]
            if names[0] in _FIRST:
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


def _unusable(written: str, name: str, own: Iterable[str]) -> str:
    if "*" in written.removeprefix("*."):
        return "Letters of the name are hidden."
    if not name:
        return "That is not the name of a server."
    if "." not in name and not name.startswith("["):
        return "That would cover a whole top-level domain; decide about it by hand if you mean it."
    if any(hostnames.covers(name, one) for one in own):
        return "The rule would apply to this server itself."
    return ""


def _is_yes(cell: str) -> bool:
    return cell.strip().lower() in _YES


def written(rules: Iterable[DomainBlock]) -> str:
    """Rules as the CSV that other servers import. Private comments are not in it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        (
            rule.domain,
            _WRITTEN[rule.strength],
            _yes(rule.rejects_media),
            _yes(rule.rejects_reports),
            rule.public_comment,
            _yes(rule.is_obfuscated),
        )
        for rule in rules
    )
    return out.getvalue()


def written_allows(allows: Iterable[DomainAllow]) -> str:
    """The allow list as the CSV that other servers import."""
    return "".join(["#domain\n", *(f"{one.domain}\n" for one in allows)])


def _yes(value: bool) -> str:
    return "true" if value else "false"
