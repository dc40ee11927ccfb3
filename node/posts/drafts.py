"""Drafts: what someone wants to publish, made clean and checked before it becomes a post.

The limits of a post written here are the constants of this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from node.attachments import photo_metadata
from node.attachments.photo_metadata import Shared
from node.errors import Invalid
from node.models.audience import VISIBILITIES
from node.models.interaction_policy import DEFAULT, InteractionPolicy
from node.text.formatting import clean_text

MOST_PHOTOS = 20
MOST_CAPTION = 5_000
MOST_WARNING = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """A post as its author wants it. `photo_ids` are in order; `alts` has a text for those that get a new one.

    Publishing and editing take the same draft: an edit says anew all that the post shall be.
    `visibility` and `parent_id` are chosen once; an edit keeps those of the post. `shared` is what is told
    about the photos; None tells nothing of a new post, and leaves an edited one as it is. `quote_id` is a post
    that is quoted, chosen once as well.
    """

    caption: str = ""
    photo_ids: Sequence[int] = ()
    alts: Mapping[int, str] = field(default_factory=dict)
    visibility: str = "public"
    warning: str = ""
    is_sensitive: bool = False
    language: str = ""
    parent_id: int | None = None
    policy: InteractionPolicy = DEFAULT
    shared: Shared | None = None
    quote_id: int | None = None


def checked(draft: Draft) -> Draft:
    """The draft without invisible characters; raises Invalid, with a sentence, for what cannot be a post."""
    caption = clean_text(draft.caption, MOST_CAPTION * 2)
    warning = " ".join(clean_text(draft.warning, MOST_WARNING * 2).split())
    photo_ids = list(draft.photo_ids)
    if len(caption) > MOST_CAPTION:
        raise Invalid(f"The caption is too long: {MOST_CAPTION} characters at most.", field="caption")
    if len(warning) > MOST_WARNING:
        raise Invalid(f"The warning is too long: {MOST_WARNING} characters at most.", field="warning")
    if draft.visibility not in VISIBILITIES:
        raise Invalid("A post is public, unlisted, for followers, or direct.", field="visibility")
    if len(photo_ids) > MOST_PHOTOS:
        raise Invalid(f"A post holds up to {MOST_PHOTOS} photos.", field="photos")
    if len(set(photo_ids)) != len(photo_ids):
        raise Invalid("The same photo cannot be in a post twice.", field="photos")
    shared = None if draft.shared is None else photo_metadata.checked(draft.shared)
    if not photo_ids and shared is not None and (shared.place or shared.licence):
        raise Invalid("A location and a licence need a photo. Please add one, or remove them.", field="place")
    if not photo_ids and not caption:
        raise Invalid("A post needs a photo or text.", field="caption")
    return replace(
        draft,
        caption=caption,
        warning=warning,
        photo_ids=photo_ids,
        alts={photo_id: photo_metadata.checked_alt(alt) for photo_id, alt in draft.alts.items()},
        is_sensitive=draft.is_sensitive or bool(warning),
        language=clean_text(draft.language, 35),
        shared=shared,
    )
