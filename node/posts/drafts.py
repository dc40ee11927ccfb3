"""Drafts: the content of a local post, cleaned and checked before it is published. Owns no table.

The limits of local posts are the constants of this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from node.attachments import photo_metadata
from node.attachments.photo_metadata import SharedMetadata
from node.attachments.photo_rows import Photo
from node.errors import Invalid
from node.models.audience import VISIBILITIES
from node.models.interaction_policy import DEFAULT_POLICY, InteractionPolicy
from node.models.post import Post
from node.text.formatting import clean_text, tokens

MAX_PHOTOS = 20
MAX_CAPTION_LENGTH = 5_000  # as `caption_length` counts
MAX_WRITTEN_LENGTH = 20_000  # of the same caption, in characters
LINK_LENGTH = 23
MAX_WARNING_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """A post as its author wants it. `photo_ids` are in order; `alts` has the alt texts that change, by photo id, and
    `focuses` the focal points (x, y: -1…1 each).

    Publishing and editing take the same draft: an edit gives the whole content of the post again.
    `visibility`, `parent_id` and `quote_id` (the quoted post) are chosen once; an edit keeps those of the post.
    `shared_metadata` is what is published about the photos; with None a new post publishes nothing, and an edited
    one keeps what it has.
    """

    caption: str = ""
    photo_ids: Sequence[int] = ()
    alts: Mapping[int, str] = field(default_factory=dict)
    visibility: str = "public"
    warning: str = ""
    is_sensitive: bool = False
    language: str = ""
    parent_id: int | None = None
    policy: InteractionPolicy = DEFAULT_POLICY
    shared_metadata: SharedMetadata | None = None
    quote_id: int | None = None
    focuses: Mapping[int, tuple[float, float]] = field(default_factory=dict)


def from_post(post: Post, post_photos: Sequence[Photo]) -> Draft:
    """Returns the content of a local post as the draft that it was, for an edit or a new post."""
    return Draft(
        caption=post.source,
        photo_ids=[photo.id for photo in post_photos],
        visibility=post.visibility,
        warning=post.warning,
        is_sensitive=post.is_sensitive,
        language=post.language,
        policy=post.interaction_policy,
        shared_metadata=photo_metadata.from_photos(post_photos),
    )


def caption_length(caption: str) -> int:
    """Returns how many characters a caption counts as: a link at most `LINK_LENGTH`, and of a mention only the name,
    without the domain. So apps count, and what has room in them is not refused."""
    if len(caption) <= MAX_CAPTION_LENGTH:
        return len(caption)
    length = 0
    for token in tokens(caption):
        match token.kind:
            case "url":
                length += min(len(token.text), LINK_LENGTH)
            case "mention":
                length += 1 + len(token.value.partition("@")[0])
            case _:
                length += len(token.text)
    return length


def validate(draft: Draft) -> Draft:
    """Returns the draft without control characters. Raises Invalid, with the field, for what cannot be a post."""
    caption = clean_text(draft.caption, MAX_WRITTEN_LENGTH * 2)
    warning = " ".join(clean_text(draft.warning, MAX_WARNING_LENGTH * 2).split())
    photo_ids = list(draft.photo_ids)
    if len(caption) > MAX_WRITTEN_LENGTH or caption_length(caption) > MAX_CAPTION_LENGTH:
        raise Invalid(f"The caption is too long: {MAX_CAPTION_LENGTH} characters at most.", field="caption")
    if len(warning) > MAX_WARNING_LENGTH:
        raise Invalid(f"The warning is too long: {MAX_WARNING_LENGTH} characters at most.", field="warning")
    if draft.visibility not in VISIBILITIES:
        raise Invalid("A post is public, unlisted, for followers, or direct.", field="visibility")
    if len(photo_ids) > MAX_PHOTOS:
        raise Invalid(f"A post holds up to {MAX_PHOTOS} photos.", field="photos")
    if len(set(photo_ids)) != len(photo_ids):
        raise Invalid("The same photo cannot be in a post twice.", field="photos")
    shared = None if draft.shared_metadata is None else photo_metadata.validate(draft.shared_metadata)
    if not photo_ids and shared is not None:
        if shared.place:
            raise Invalid("A location needs a photo. Please add one, or remove the location.", field="place")
        shared = replace(shared, licence="")  # it is that of photos, and may be the author's default
    if not photo_ids and not caption:
        raise Invalid("A post needs a photo or text.", field="caption")
    return replace(
        draft,
        caption=caption,
        warning=warning,
        photo_ids=photo_ids,
        alts={photo_id: photo_metadata.validate_alt(alt) for photo_id, alt in draft.alts.items()},
        is_sensitive=draft.is_sensitive or bool(warning),
        language=clean_text(draft.language, 35),
        shared_metadata=shared,
    )
