"""What a remote post has besides text and photos: kept whole, and counted as its author's server counts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from node.models.post_extras import (
    EMPTY,
    FILE_KINDS,
    Poll,
    PollOption,
    PostExtras,
    RemoteFile,
    dump,
    is_recount,
    load,
)

TEXT = st.text(max_size=20)
OPTIONS = st.builds(PollOption, TEXT, st.none() | st.integers(0, 10**9))
POLLS = st.builds(
    Poll,
    options=st.lists(OPTIONS, min_size=1, max_size=5).map(tuple),
    is_multiple=st.booleans(),
    ends_at=st.none() | st.integers(0, 10**13),
    closed_at=st.none() | st.integers(0, 10**13),
    voters=st.none() | st.integers(0, 10**9),
    more_options=st.integers(0, 100),
    more_votes=st.integers(0, 10**9),
)
FILES = st.builds(
    RemoteFile, kind=st.sampled_from(FILE_KINDS), url=TEXT, alt=TEXT, width=st.integers(0, 65_535)
)
EXTRAS = st.builds(PostExtras, files=st.lists(FILES, max_size=3).map(tuple), poll=st.none() | POLLS)


@given(EXTRAS)
def test_extras_are_read_as_they_were_written(extras: PostExtras) -> None:
    assert load(dump(extras)) == extras
    assert bool(dump(extras)) == bool(extras)


def test_a_post_without_extras_costs_nothing() -> None:
    assert dump(EMPTY) == ""
    assert load("") is EMPTY


@given(EXTRAS)
def test_only_descriptions_stay_where_media_are_rejected(extras: PostExtras) -> None:
    shown = extras.without_urls()

    assert [file.url for file in shown.files] == [""] * len(extras.files)
    assert [file.alt for file in shown.files] == [file.alt for file in extras.files]
    assert shown.poll == extras.poll


@given(POLLS, st.integers(0, 10**9))
def test_new_counts_are_a_recount_and_new_words_are_not(poll: Poll, votes: int) -> None:
    before = PostExtras(poll=poll)
    counted = replace(poll, options=tuple(replace(one, votes=votes) for one in poll.options), voters=votes)
    renamed = replace(poll, options=(*poll.options, PollOption("another")))
    longer = replace(poll, more_options=poll.more_options + 1)

    assert is_recount(before, PostExtras(poll=counted))
    assert not is_recount(before, PostExtras(poll=renamed))
    assert not is_recount(before, PostExtras(poll=longer))
    assert not is_recount(before, EMPTY)
    assert not is_recount(EMPTY, PostExtras(files=(RemoteFile(kind="video", url="x"),)))


@given(POLLS)
def test_no_option_has_more_than_all_of_it(poll: Poll) -> None:
    assert all(0 <= poll.share(option) <= 100 for option in poll.options)


def test_shares_are_of_the_people_where_several_answers_can_be_chosen() -> None:
    options = (PollOption("a", 3), PollOption("b", 4), PollOption("c"))

    assert [Poll(options=options).share(one) for one in options] == [43, 57, 0]
    assert [Poll(options=options, is_multiple=True, voters=4).share(one) for one in options] == [75, 100, 0]


def test_a_poll_ends_at_the_earlier_of_both_times() -> None:
    options = (PollOption("a"),)

    assert Poll(options=options).end is None
    assert Poll(options=options, ends_at=5, closed_at=3).end == 3
    assert Poll(options=options, ends_at=5).end == 5
