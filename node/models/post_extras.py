"""What a remote post has besides text and photos: files that are only linked, and a poll. Owns no table.

`posts.extras` holds it as JSON; '' for a post that has nothing of it, as nearly all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

MAX_FILES, MAX_OPTIONS, MAX_OPTION_LENGTH, MAX_URL_LENGTH = 20, 20, 500, 2048

FILE_KINDS = ("video", "audio", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of another server that is shown as a link: `kind` is one of `FILE_KINDS`. `url` is '' if it is withheld."""

    kind: str
    url: str
    alt: str = ""
    mime: str = ""
    width: int = 0
    height: int = 0
    blurhash: str = ""


@dataclass(frozen=True, slots=True)
class PollOption:
    """One answer; `votes` is None while the author's server does not tell."""

    title: str
    votes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A poll as its author's server counts it. Times are milliseconds; `closed_at` is set once it ended early.

    `more_options` is how many it has beyond `options`, `more_votes` the votes for them.
    """

    options: tuple[PollOption, ...]
    is_multiple: bool = False
    ends_at: int | None = None
    closed_at: int | None = None
    voters: int | None = None
    more_options: int = 0
    more_votes: int = 0

    @property
    def votes(self) -> int:
        return sum(option.votes or 0 for option in self.options) + self.more_votes

    @property
    def end(self) -> int | None:
        """When it ends or has ended; None for a poll that stays open."""
        times = [time for time in (self.ends_at, self.closed_at) if time is not None]
        return min(times) if times else None

    def share(self, option: PollOption) -> int:
        """Returns the percentage of the people, or else of the votes, that chose an option."""
        whole = max(self.voters or 0, option.votes or 0) if self.is_multiple and self.voters else self.votes
        return round(100 * (option.votes or 0) / whole) if whole else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostExtras:
    """The files and the poll of a post."""

    files: tuple[RemoteFile, ...] = ()
    poll: Poll | None = None

    def __bool__(self) -> bool:
        return bool(self.files) or self.poll is not None

    def without_urls(self) -> PostExtras:
        """Returns it as it is shown where media of the server are rejected: only the descriptions stay."""
        return replace(self, files=tuple(replace(file, url="", blurhash="") for file in self.files))


EMPTY = PostExtras()
_decoder = msgspec.json.Decoder(PostExtras)


def dump(extras: PostExtras) -> str:
    """Encodes the extras for the database; '' when there are none."""
    return msgspec.json.encode(extras).decode() if extras else ""


def load(text: str) -> PostExtras:
    """Decodes what `dump` has encoded."""
    return _decoder.decode(text) if text else EMPTY


def is_recount(before: PostExtras, after: PostExtras) -> bool:
    """Returns whether the two say the same except for the votes and the end of a poll."""
    return _without_votes(before) == _without_votes(after)


def _without_votes(extras: PostExtras) -> PostExtras:
    if extras.poll is None:
        return extras
    options = tuple(PollOption(option.title) for option in extras.poll.options)
    poll = Poll(options=options, is_multiple=extras.poll.is_multiple, more_options=extras.poll.more_options)
    return replace(extras, poll=poll)
