"""Block list files: which formats are parsed, which lines are refused, and that an export can be imported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import Invalid
from node.moderation import block_list_csv
from node.moderation.block_list_csv import ParsedEntry, parse
from node.moderation.domain_rules import DomainAllow, DomainBlock

OWN = ["photos.tintype.test:8443"]
MASTODON = '''#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
loud.example,silence,true,false,"Loud, and ""proud""",false
bad.example,suspend,TRUE,True,,TRUE
plain.example,noop,1,0,,
'''


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_export_of_mastodon_is_parsed(ending: str, encoding: str) -> None:
    parsed = parse(MASTODON.replace("\n", ending).encode(encoding), OWN)

    assert parsed.invalid_lines == []
    assert parsed.entries == [
        ParsedEntry("loud.example", "limit", True, False, False, 'Loud, and "proud"'),
        ParsedEntry("bad.example", "suspend", True, True, True, ""),
        ParsedEntry("plain.example", "none", True, False, False, ""),
    ]


def test_columns_may_be_missing_or_in_another_order() -> None:
    parsed = parse(b"domain,public_comment,severity\nloud.example,Loud,silence\nbad.example\n", OWN)

    assert parsed.entries == [
        ParsedEntry("loud.example", "limit", public_comment="Loud"),
        ParsedEntry("bad.example", "suspend"),
    ]
    assert parse(b"#domain\na.example\n", OWN, strength="limit").entries == [
        ParsedEntry("a.example", "limit")
    ]


def test_a_plain_list_of_names_is_parsed() -> None:
    text = "# Servers we do not like\n\nLoud.Example\n  *.bad.example  # for good reason\nl\u00f6ud.example:443\n"

    assert [entry.domain for entry in parse(text.encode(), OWN).entries] == [
        "loud.example",
        "bad.example",
        "xn--lud-sna.example",
    ]


def test_an_unusable_line_is_reported_and_the_others_are_accepted() -> None:
    lines = ["lo*d.example", "https://x.example/", "com", "tintype.test", "a b.example", "ok.example,shout"]
    text = "#domain,#severity\n" + "\n".join([*lines, "good.example,suspend", "GOOD.example,silence"])
    parsed = parse(text.encode(), OWN)

    assert parsed.entries == [ParsedEntry("good.example", "suspend")]
    assert [(problem.line, problem.text) for problem in parsed.invalid_lines] == [
        (n, line.partition(",")[0]) for n, line in enumerate(lines, 2)
    ]
    reasons = ["hidden", "not the name", "top-level", "this server", "not the name", "severity"]
    assert all(part in problem.reason for part, problem in zip(reasons, parsed.invalid_lines, strict=True))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# nothing\n",
        b"<!doctype html><p>gone",
        b'[{"domain": "a.example"}]',
        b"\xff\xfa\x00",
        b"a" * (block_list_csv.MAX_BYTES + 1),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_a_message(data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        parse(data, OWN)
    assert refused.value.message.endswith(".")


def test_a_list_is_cut_at_the_maximum_of_entries() -> None:
    text = "\n".join(f"a{n}.example" for n in range(block_list_csv.MAX_ENTRIES + 50))
    parsed = parse(text.encode(), OWN)

    assert len(parsed.entries) == block_list_csv.MAX_ENTRIES
    assert len(parsed.invalid_lines) == 1


def test_an_endless_quoted_field_loses_only_what_follows_it() -> None:
    text = '#domain,#public_comment\na.example,fine\nb.example,"never' + "x" * 200_000
    parsed = parse(text.encode(), OWN)

    assert [entry.domain for entry in parsed.entries] == ["a.example"]
    assert len(parsed.invalid_lines) == 1


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_input_is_parsed_or_refused(data: bytes) -> None:
    try:
        parse(b"#domain,#severity\n" + data, OWN)
    except Invalid:
        return


def test_an_export_can_be_imported_again() -> None:
    rules = [
        DomainBlock("a.example", "suspend", True, True, True, 'Said: "no", twice\nand more', "private", 7, 1),
        DomainBlock("b.example", "limit", False, True, False, "=SUM(A1)", "", None, 1),
        DomainBlock("c.b.example", "none", False, False, False, "", "", None, 1),
    ]
    text = block_list_csv.format_blocks(rules)

    assert (
        text.splitlines()[0] == "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate"
    )
    assert "private" not in text
    assert [
        (one.domain, one.strength, one.rejects_media, one.rejects_reports, one.is_obfuscated)
        for one in parse(text.encode(), OWN).entries
    ] == [
        (one.domain, one.strength, one.rejects_media, one.rejects_reports, one.is_obfuscated) for one in rules
    ]
    allows = block_list_csv.format_allows([DomainAllow("a.example", "", 1), DomainAllow("b.example", "", 1)])
    assert [one.domain for one in parse(allows.encode(), OWN).entries] == ["a.example", "b.example"]


def test_a_quotation_mark_that_is_not_closed_is_reported() -> None:
    text = '#domain,#public_comment\na.example,"two\nlines"\nb.example,"one\nc.example,\n'
    parsed = parse(text.encode(), OWN)

    assert [entry.domain for entry in parsed.entries] == ["a.example", "b.example"]
    assert not parsed.is_complete
    assert 4 in [problem.line for problem in parsed.invalid_lines]
    assert parse(MASTODON.encode(), OWN).is_complete
