"""What a profile may hold: ours checked and rendered, others' cleaned. Called by `accounts`, which keeps it.

Owns no table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from node import captions, emoji, hostnames, names
from node.accounts import KINDS, Account
from node.errors import Invalid

if TYPE_CHECKING:
    from node.accounts import RemoteActor
    from node.database import Reader, Writer

MOST_FIELDS = 4
LONGEST_BIO = 1000
LONGEST_FIELD = 255
MOST_SITES = 20

FOREIGN_BIO = 20 * 1024
FOREIGN_FIELDS = 50
FOREIGN_FIELD = 2047
FOREIGN_ALIASES = 256
FOREIGN_LABEL = 2048
LONGEST_ALT = 1500
LONGEST_URI = 2048


def foreign(tx: Writer, actor: RemoteActor) -> dict[str, Any]:
    """Columns of someone elsewhere. Raises Invalid when they cannot be understood as a person at all.

    The emoji they use are known here afterwards.
    """
    name = names.foreign(actor.name)
    if not name or not _usable(actor.uri) or not _usable(actor.inbox):
        raise Invalid("This profile could not be read from its server.", detail=actor.uri)
    fields = [
        [names.shown(label, FOREIGN_FIELD), captions.clean_html(value[:FOREIGN_FIELD])]
        for label, value in list(actor.fields)[:FOREIGN_FIELDS]
    ]
    aliases = [uri for uri in list(actor.also_known_as)[:FOREIGN_ALIASES] if _usable(uri)]
    values: dict[str, Any] = {
        "url": actor.url if _usable(actor.url) else actor.uri,
        "name": name,
        "domain": actor.domain.lower().rstrip("."),
        "host": hostnames.place(actor.uri),
        "kind": actor.kind if actor.kind in KINDS else "Person",
        "display_name": names.shown(actor.display_name, FOREIGN_LABEL),
        "bio": captions.clean_html(actor.bio[:FOREIGN_BIO]),
        "fields": json.dumps(fields),
        "also_known_as": json.dumps(aliases),
        "avatar_alt": names.shown(actor.avatar_alt, LONGEST_ALT),
        "header_alt": names.shown(actor.header_alt, LONGEST_ALT),
        "is_locked": actor.is_locked,
        "is_discoverable": actor.is_discoverable,
        "is_indexable": actor.is_indexable,
        "inbox": actor.inbox,
        "hides_from_web": actor.hides_from_web,
    }
    for part in (
        "shared_inbox",
        "outbox",
        "followers_uri",
        "following_uri",
        "featured_uri",
        "avatar_url",
        "header_url",
        "moved_to",
    ):
        uri = getattr(actor, part)
        values[part] = uri if _usable(uri) else ""
    values["emoji"] = emoji.take_in(
        tx,
        hostnames.of(actor.uri),
        actor.emoji,
        values["display_name"],
        values["bio"],
        *(part for line in fields for part in line),
    )
    return values


def own(
    tx: Reader, who: Account, *, display_name: str, bio: str, fields: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Columns of one of ours, from what they typed. Raises Invalid with the field."""
    shown = names.shown(display_name, names.LONGEST_LABEL + 1)
    if len(shown) > names.LONGEST_LABEL:
        raise Invalid(f"The name can have {names.LONGEST_LABEL} characters.", field="display_name")
    bio = bio.replace("\r\n", "\n").strip()
    if len(bio) > LONGEST_BIO:
        raise Invalid(f"The text about you can have {LONGEST_BIO} characters.", field="bio")
    lines = [(names.shown(name, LONGEST_FIELD), " ".join(value.split())) for name, value in fields]
    lines = [(name, value) for name, value in lines if name and value]
    if len(lines) > MOST_FIELDS:
        raise Invalid(f"There is room for {MOST_FIELDS} lines.", field="fields")
    if any(len(value) > LONGEST_FIELD for _, value in lines):
        raise Invalid(f"A line can have {LONGEST_FIELD} characters.", field="fields")
    html = [[name, _one_line(captions.render(tx, value, author=who).html), value] for name, value in lines]
    return {
        "display_name": shown,
        "bio": captions.render(tx, bio, author=who).html if bio else "",
        "bio_source": bio,
        "fields": json.dumps(html),
    }


def sites(lines: Sequence[str]) -> list[str]:
    """The names of websites that somebody typed or pasted the addresses of, each once. Raises Invalid."""
    found: dict[str, None] = {}
    for line in lines:
        text = line.strip()
        if not text:
            continue
        name = hostnames.normal(re.sub(r"\Ahttps?://", "", text, flags=re.IGNORECASE).partition("/")[0])
        if "." not in name:
            raise Invalid(
                f"“{names.shown(text, 60)}” is not the name of a website.", field="attribution_domains"
            )
        found[name] = None
    if len(found) > MOST_SITES:
        raise Invalid(f"There is room for {MOST_SITES} websites.", field="attribution_domains")
    return list(found)


def _one_line(html: str) -> str:
    return html.removeprefix("<p>").removesuffix("</p>") if html.count("<p>") == 1 else html


def _usable(uri: str) -> bool:
    return uri.startswith(("https://", "http://")) and len(uri) <= LONGEST_URI
