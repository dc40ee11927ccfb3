"""The state of an entry of a block list: the tables compared with the same rules as plain conditions."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from node.models.domain_policy import STRENGTHS
from node.moderation import block_list_entries
from node.moderation.block_list_csv import ParsedEntry
from node.moderation.block_list_entries import BlockList, BlockListEntry
from node.moderation.domain_rules import DomainBlock

THIS, ANOTHER, ADMIN = 1, 2, None
FOLLOWED = BlockList(
    THIS, "", "https://lists.example/block.csv", False, "suspend", "", "", None, None, "", "", 0
)
FILE = replace(FOLLOWED, url="")

LISTS = st.builds(replace, st.sampled_from((FOLLOWED, FILE)), is_automatic=st.booleans())
ENTRIES = st.builds(
    ParsedEntry, st.just("bad.example"), st.sampled_from(STRENGTHS), st.booleans(), st.booleans()
)
STATES = ("draft", "changed", "dropped", "applied", "held", "declined")
BEFORE = st.none() | st.builds(
    BlockListEntry,
    list_id=st.just(THIS),
    domain=st.just("bad.example"),
    strength=st.sampled_from(STRENGTHS),
    rejects_media=st.booleans(),
    rejects_reports=st.booleans(),
    is_obfuscated=st.booleans(),
    public_comment=st.just(""),
    state=st.sampled_from(STATES),
)
RULES = st.none() | st.builds(
    DomainBlock,
    domain=st.just("bad.example"),
    strength=st.sampled_from(STRENGTHS),
    rejects_media=st.booleans(),
    rejects_reports=st.booleans(),
    is_obfuscated=st.booleans(),
    public_comment=st.just(""),
    private_comment=st.just(""),
    list_id=st.sampled_from((THIS, ANOTHER, ADMIN)),
    created_at=st.just(0),
)


def expected(
    block_list: BlockList, parsed: ParsedEntry, before: BlockListEntry | None, rule: DomainBlock | None
) -> str:
    is_new = before is None
    is_file = block_list.url == ""
    equals_rule = rule is not None and (
        rule.strength == parsed.strength
        and rule.rejects_media == parsed.rejects_media
        and rule.rejects_reports == parsed.rejects_reports
    )
    if (is_file or is_new) and rule is None:
        return "draft"  # an admin decides
    if is_file:
        return "held" if equals_rule else "changed"  # an admin chose the file, so differences are proposed
    if is_new:
        return "held"  # a list that comes later does not change a rule, whoever made it
    if rule is None and before is not None:
        was_undecided = before.state == "draft"
        return "draft" if was_undecided else "declined"  # an admin said no, or has lifted the rule
    assert rule is not None
    if rule.list_id != block_list.id:
        return "held"  # an admin's own, or another list's
    return "applied" if equals_rule else "changed"


@given(LISTS, ENTRIES, BEFORE, RULES)
def test_an_entry_gets_the_state_that_the_rules_give(
    block_list: BlockList, parsed: ParsedEntry, before: BlockListEntry | None, rule: DomainBlock | None
) -> None:
    assert block_list_entries.next_state(block_list, parsed, before, rule) == expected(
        block_list, parsed, before, rule
    )


def test_every_combination_of_the_rules_has_a_state() -> None:
    """Each kind of list, earlier state and rule once."""
    parsed = ParsedEntry("bad.example", "suspend")
    equal = DomainBlock("bad.example", "suspend", False, False, False, "", "", THIS, 0)
    same = [replace(equal, list_id=whose) for whose in (THIS, ANOTHER, ADMIN)]
    rules = [None, *same, *(replace(rule, strength="limit") for rule in same)]
    states = [
        None,
        *(BlockListEntry(THIS, "bad.example", "suspend", False, False, False, "", name) for name in STATES),
    ]
    for block_list in (FOLLOWED, FILE):
        for before in states:
            for rule in rules:
                assert block_list_entries.next_state(block_list, parsed, before, rule) == expected(
                    block_list, parsed, before, rule
                )
