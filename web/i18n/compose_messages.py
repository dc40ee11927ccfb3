"""Texts that the scripts of the page on which a post is written show, sent with that page alone."""

from __future__ import annotations

from collections.abc import Callable


def collect_upload_messages(_: Callable[[str], str]) -> dict[str, str]:
    """Returns the texts of uploads that go on while the page of a photo is open."""
    return {
        "uploads": _("Uploads"),
        "uploading": _("Photos of the post still uploading: {n}"),
        "continues": _("Waiting for the connection. The upload continues by itself."),
        "uploaded": _("All photos of the post are uploaded."),
        "notUploaded": _("A photo was not uploaded. You can try again in the post."),
    }


def collect(_: Callable[[str], str]) -> dict[str, str]:
    """Returns the texts that the modules in `static/js/compose` know as `texts`, by key; {n} is filled in there."""
    return {
        "again": _("Try again"),
        "remove": _("Remove"),
        "show": _("Show"),
        "undo": _("Undo"),
        "signIn": _("Sign in"),
        "seeVersion": _("See that version"),
        "failed": _("Something went wrong. Please try again."),
        "offline": _("The connection was lost."),
        "uploading": _("Uploading"),
        "continues": _("Waiting for the connection. The upload continues by itself."),
        "preparing": _("Processing photo"),
        "queued": _("Waiting to be uploaded"),
        "waiting": _("Posting when all photos are uploaded"),
        "savingLater": _("Saving when all photos are uploaded"),
        "sending": _("Posting"),
        "saving": _("Saving"),
        "metadata": _("In the file, shown only if you choose it:"),
        "surplus": _("A post can have up to 20 photos. Not added: {n}."),
        "lost": _("This photo was not uploaded. Please select it again, or remove it."),
        "keepFormer": _("Keep the photo that was there"),
        "oneMissing": _("1 photo was not uploaded."),
        "manyMissing": _("{n} of {total} photos were not uploaded."),
        "uploadingOne": _("Uploading 1 photo"),
        "uploadingMany": _("Uploading {n} of {total} photos"),
        "missingOne": _("1 photo was not uploaded, so nothing has been posted yet."),
        "missingMany": _("{n} photos were not uploaded, so nothing has been posted yet."),
        "dropOne": _("Remove this photo"),
        "dropMany": _("Remove these photos"),
        "undescribedOne": _("1 photo has no description."),
        "undescribedMany": _("{n} photos have no description."),
        "describeOne": _("Describe it"),
        "describeMany": _("Describe them"),
        "postAnyway": _("Post anyway"),
        "saveAnyway": _("Save anyway"),
        "scheduleAnyway": _("Schedule anyway"),
        "noPhoto": _("There is no photo in this post any more."),
        "textOnly": _("Post the caption without a photo"),
        "addPhotos": _("Add photos"),
        "removed": _("Photo removed"),
        "restored": _("Draft restored"),
        "restoredChanges": _("Your changes that were not saved are here again."),
        "discard": _("Discard them"),
        "draftSaved": _("Draft saved"),
        "draftNotSaved": _("Not saved on the server yet"),
        "signedOut": _("You are signed out. What you wrote is kept here; sign in and try again."),
        "notPosted": _("There is no connection. What you wrote is kept here; nothing has been posted yet."),
        "otherTab": _("This draft is open in another tab, so nothing is saved from this one."),
        "useThisTab": _("Use this tab instead"),
        "postLater": _("At least 5 minutes from now, in this zone: {zone}. Leave empty to post now."),
        "post": _("Post"),
        "schedule": _("Schedule"),
        "scheduling": _("Scheduling"),
        "describe": _("Describe photo {n} of {total}"),
        "place": _("{n} / {total}"),
        "count": _("{n} / {most}"),
        "tooMany": _("{n} too many"),
        "tooLong": _("{name}: {n} characters too many. Nothing is cut; please shorten it."),
        "thumb": _("Photo {n} of {total}"),
        "described": _("described"),
        "undescribed": _("without description"),
        "thumbFailed": _("not uploaded"),
        "leftEdit": _("Your last edit of this photo has not been applied."),
        "goOnEditing": _("Go on editing"),
        "discardEdit": _("Discard the edit"),
        "usePlace": _("Use the photo's location"),
        "stillFits": _("Does the description still fit?"),
        "moved": _("Photo moved to position {n}"),
    }
