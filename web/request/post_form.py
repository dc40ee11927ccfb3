"""The form of a post as it was submitted: its photos are uploaded, and none that was meant to be in it is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from quart import request
from quart.datastructures import FileStorage
from werkzeug.datastructures import MultiDict

from node.attachments import photo_rows, photos
from node.attachments.photo_metadata import SharedMetadata
from node.attachments.photo_rows import Photo
from node.database import Reader
from node.errors import Invalid, Refused
from node.ids import parse_id
from node.models.account import Account
from node.models.interaction_policy import EVERYONE, NOBODY, InteractionPolicy, InteractionRule, rule_for
from node.posts.drafts import MAX_PHOTOS, Draft
from node.text import display_names
from web.i18n import formats
from web.i18n.translations import N_, _, gettext, ngettext
from web.request import context

MAX_FILE_NAME_LENGTH = 100
MAX_KEY_LENGTH = 50
POST_ANYWAY = "post-anyway"
"""The value of the button that posts photos without descriptions."""
PHOTO_PAGES = {"edit-": "edit", "details-": "details"}
"""How the value of a button begins that leads to a page of a photo, whose id follows; and the name of that page."""
PHOTOS_CHOSEN = {"photo", "missing", "had_photos"}
"""Fields of a form in which photos were chosen."""

AUDIENCE_RULES: dict[str, InteractionRule] = {
    "everyone": EVERYONE,
    "followers": rule_for("followers"),
    "mentioned": rule_for("mentioned"),
    "nobody": NOBODY,
}


@dataclass(slots=True)
class SubmittedPost:
    """A submitted form: the draft, and a message for each photo that was refused.

    `missing` names the photos that were meant to be in the post and are not, without those that it is to be posted
    without. `draft_id`: the saved draft that it was. `publish_at`: when it is to be published, in milliseconds.
    `key` is what `read_key` returns. `asks_descriptions`: whether its page is still to ask about photos without one.
    `had_photos`: photos were chosen in the form, whatever became of them; `lacks_only_photos`: nothing is wrong but
    that photos are missing; `is_text_only`: its author said that the caption is to be posted without any; `replaced`: the
    photos that were put in the place of others, with their descriptions.
    """

    draft: Draft
    problems: list[str]
    missing: list[str] = field(default_factory=list)
    draft_id: int | None = None
    publish_at: int | None = None
    key: str = ""
    asks_descriptions: bool = True
    had_photos: bool = False
    lacks_only_photos: bool = False
    is_text_only: bool = False
    replaced: Sequence[int] = ()

    def lost_all_photos(self) -> bool:
        """Returns whether a post with photos would become one of words alone, and nobody said that it may."""
        is_text = bool(self.draft.caption.strip()) and not self.draft.photo_ids
        return is_text and self.had_photos and not self.is_text_only


async def read_key() -> str:
    """Returns what tells the submitted form from all others, and is the same where it was sent again.

    '' for one with files, which are not compared.
    """
    form, files = await request.form, await request.files
    if not (once := form.get("once", "")) or any(file.filename for file in files.values()):
        return ""
    return "\n".join((once[:MAX_KEY_LENGTH], form.get("caption", ""), *form.getlist("photo")))


def own_photos(tx: Reader, account: Account, ids: list[int], post_id: int | None) -> list[Photo]:
    """Returns those of the photos that this account may put in this post, in order."""
    post_photos = photo_rows.by_ids(tx, ids)
    return [
        post_photos[id_]
        for id_ in ids
        if id_ in post_photos
        and post_photos[id_].account_id == account.id
        and post_photos[id_].post_id in (None, post_id)
    ]


def clean_name(name: str | None) -> str:
    return display_names.clean_line(name or "", MAX_FILE_NAME_LENGTH)


@dataclass(slots=True)
class UploadedFiles:
    """The photos made of the files of a form with the names of their files; a message and a name for each refused one.

    `chosen_again`: the names of missing photos for which a file was chosen in their own field; `refused_again`: the
    names of those files that were refused.
    """

    photos: list[Photo] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    chosen_again: list[str] = field(default_factory=list)
    refused_again: list[str] = field(default_factory=list)


async def upload_files(account: Account, files: list[FileStorage], alts: list[str]) -> UploadedFiles:
    """Uploads the files of a form. One that is refused adds a message, and the others are kept."""
    uploaded = UploadedFiles()
    for n, file in enumerate(files):
        if not file.filename:
            continue
        try:
            alt = alts[n] if n < len(alts) else ""
            uploaded.photos.append(await photos.upload(context.current_node(), account, file.stream, alt=alt))
            uploaded.names.append(clean_name(file.filename))
        except Refused as refused:
            uploaded.problems.append(f"{file.filename}: {gettext(refused.message)}")
            uploaded.refused.append(clean_name(file.filename))
    return uploaded


async def _replace(account: Account, id_: int, alts: dict[int, str], uploaded: UploadedFiles) -> int:
    """Returns the photo to show instead of this one: that of the file which was chosen for it, with the same text.

    Without such a file, or if it is refused, that is the same photo.
    """
    file = (await request.files).get(f"replace-{id_}")
    if file is None or not file.filename:
        return id_
    new = await upload_files(account, [file], [alts.get(id_, "")])
    uploaded.names += new.names
    uploaded.problems += new.problems
    uploaded.refused += new.refused
    if not new.photos:
        return id_
    new_id = new.photos[0].id
    if id_ in alts:
        alts[new_id] = alts.pop(id_)
    return new_id


def undecided(form: MultiDict[str, str], uploaded: UploadedFiles) -> list[str]:
    """Returns the photos that were missing before and were neither chosen again nor are to be left out.

    One that was chosen again and refused again is among the refused, and not here.
    """
    left_out = [clean_name(name) for name in form.getlist("skip")]
    decided = Counter([*uploaded.names, *uploaded.refused, *uploaded.chosen_again, *left_out])
    found = []
    for name in (clean_name(name) for name in form.getlist("missing")):
        if decided[name]:
            decided[name] -= 1
        else:
            found.append(name)
    return found


async def _upload_again(account: Account, form: MultiDict[str, str], uploaded: UploadedFiles) -> None:
    """Uploads the files that were chosen in the fields of missing photos: each is that photo, whatever its name is."""
    files = await request.files
    for n in range(MAX_PHOTOS):
        file, name = files.get(f"again-{n}"), form.get(f"missing-{n}")
        if file is None or not file.filename or name is None:
            continue
        new = await upload_files(account, [file], [])
        uploaded.photos += new.photos
        uploaded.problems += new.problems
        uploaded.refused_again += new.refused
        uploaded.chosen_again.append(clean_name(name))


def _missing_message(missing: Sequence[str]) -> str:
    return ngettext(
        "%(num)s photo was not uploaded. Please select it again, or choose to post without it.",
        "%(num)s photos were not uploaded. Please select them again, or choose to post without them.",
        len(missing),
    )


def _sorted_by_position(ids: list[int], form: MultiDict[str, str]) -> list[int]:
    """Sorts photo ids by the numbers typed beside them; those without a number keep theirs.

    Of two with the same number, the one whose number was changed is where its author wanted it.
    """
    before = {parse_id(value): n for n, value in enumerate(dict.fromkeys(form.getlist("photo")), 1)}

    def position(id_: int) -> tuple[int, int]:
        old = before[id_]
        typed = form.get(f"place-{id_}", "")
        new = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else old
        return new, (new > old) - (new < old)

    return sorted(ids, key=position)


async def read_form(account: Account, post_id: int | None = None) -> SubmittedPost:
    form: MultiDict[str, str] = await request.form
    files = (await request.files).getlist("photos")
    removed = set(form.getlist("without"))
    wanted = [parse_id(value) for value in dict.fromkeys(form.getlist("photo")) if value not in removed]
    ids = [id_ for id_ in wanted if id_ is not None]
    own = {one.id for one in await context.read_signed_in(own_photos, ids, post_id)}
    gone = [_("Photo %(n)s", n=n) for n, id_ in enumerate(wanted, 1) if id_ not in own]
    ids = _sorted_by_position([id_ for id_ in ids if id_ in own], form)
    alts = {id_: form[f"alt-{id_}"] for id_ in ids if f"alt-{id_}" in form}
    uploaded = await upload_files(account, files, form.getlist("alt"))
    await _upload_again(account, form, uploaded)
    before, ids = ids, [await _replace(account, id_, alts, uploaded) for id_ in ids]
    problems, left = uploaded.problems, undecided(form, uploaded)
    if left:
        problems.append(_missing_message(left))
    if gone:
        problems.append(_("One of the photos no longer exists. Please add it again."))
    about_missing = len(problems)
    if len(ids) + len(uploaded.photos) > MAX_PHOTOS:
        problems.append(_("A post can have up to %(n)s photos.", n=MAX_PHOTOS))
    draft = Draft(
        caption=form.get("caption", ""),
        photo_ids=[*ids, *(one.id for one in uploaded.photos)],
        alts=alts,
        visibility=form.get("visibility", "public"),
        warning=form.get("warning", ""),
        is_sensitive="is_sensitive" in form,
        policy=_read_policy(form),
        quote_id=parse_id(form.get("quote", "")),
        shared_metadata=SharedMetadata(
            frozenset(form.getlist("share")), form.get("licence", ""), form.get("place", "")
        ),
    )
    try:
        publish_at = _parse_publish_at(form)
    except Invalid as invalid:
        publish_at = None
        problems.append(gettext(invalid.message))
    return SubmittedPost(
        draft,
        problems,
        [*left, *gone, *uploaded.refused, *uploaded.refused_again][:MAX_PHOTOS],
        parse_id(form.get("draft", "")),
        publish_at,
        await read_key(),
        asks_descriptions="asks_descriptions" in form and form.get("do") != POST_ANYWAY,
        had_photos=bool(PHOTOS_CHOSEN & set(form) or uploaded.refused),
        lacks_only_photos=len(problems) == about_missing,
        is_text_only="text_only" in form,
        replaced=[new for old, new in zip(before, ids, strict=True) if new != old],
    )


def _parse_publish_at(form: Mapping[str, str]) -> int | None:
    """Returns the time in the form, in milliseconds. It was typed in the zone that the form names, see `field_zone`."""
    if not (text := form.get("publish_at", "").strip()):
        return None
    try:
        return formats.parse_datetime_field(text, form.get("publish_zone", ""))
    except ValueError:
        raise Invalid(N_("That is not a date and time.")) from None


def _read_policy(form: Mapping[str, str]) -> InteractionPolicy:
    return InteractionPolicy(
        comment=AUDIENCE_RULES.get(form.get("comments", ""), EVERYONE),
        quote=AUDIENCE_RULES.get(form.get("quotes", ""), NOBODY),
    )


def leads_to_photo(action: str) -> bool:
    """Returns whether a button leads to a page of a photo."""
    return action.startswith(tuple(PHOTO_PAGES))


def find_photo_page(action: str, photo_ids: Sequence[int]) -> str | None:
    """Returns the path of the page to which a button leads, None if it leads to none, or to one of another photo.

    Its value is `edit-ID` or `details-ID`, or `details-ID.PART` for one part of the details.
    """
    for beginning, page in PHOTO_PAGES.items():
        if action.startswith(beginning):
            id_, _dot, part = action.removeprefix(beginning).partition(".")
            if (photo_id := parse_id(id_)) in photo_ids:
                return f"/photos/{photo_id}/{page}" + (f"?{urlencode({'part': part})}" if part else "")
    return None
