"""What becomes of an entry of a block list: the rules, written once more in plain words."""

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
EARLIER = st.none() | st.builds(
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
    of: BlockList, said: ParsedEntry, before: BlockListEntry | None, rule: DomainBlock | None
) -> str:
    is_new = before is None
    is_file = of.url == ""
    asks_for_what_is = rule is not None and (
        rule.strength == said.strength
        and rule.rejects_media == said.rejects_media
        and rule.rejects_reports == said.rejects_reports
    )
    if (is_file or is_new) and rule is None:
        return "draft"  # somebody decides
    if is_file:
        return "held" if asks_for_what_is else "changed"  # a file was asked for, so it is heard out
    if is_new:
        return "held"  # whoever made the rule there is, a list that comes later does not change it
    if rule is None and before is not None:
        was_unanswered = before.state == "draft"
        return "draft" if was_unanswered else "declined"  # an admin said no, or has lifted the rule
    assert rule is not None
    if rule.list_id != of.id:
        return "held"  # an admin's own, or another list's
    return "applied" if asks_for_what_is else "changed"


@given(LISTS, ENTRIES, EARLIER, RULES)
def test_an_entry_becomes_what_the_rules_say(
    of: BlockList, said: ParsedEntry, before: BlockListEntry | None, rule: DomainBlock | None
) -> None:
    assert block_list_entries.next_state(of, said, before, rule) == expected(of, said, before, rule)


def test_every_case_of_the_rules_is_known() -> None:
    """Each source, earlier state and rule once: no combination is without an answer."""
    said = ParsedEntry("bad.example", "suspend")
    equal = DomainBlock("bad.example", "suspend", False, False, False, "", "", THIS, 0)
    same = [replace(equal, list_id=whose) for whose in (THIS, ANOTHER, ADMIN)]
    rules = [None, *same, *(replace(rule, strength="limit") for rule in same)]
    states = [
        None,
        *(BlockListEntry(THIS, "bad.example", "suspend", False, False, False, "", name) for name in STATES),
    ]
    for of in (FOLLOWED, FILE):
        for before in states:
            for rule in rules:
                assert block_list_entries.next_state(of, said, before, rule) == expected(
                    of, said, before, rule
                )
