"""What a profile may hold: ours checked and rendered, others' cleaned. Called by `accounts`, which keeps it.

Owns no table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from node.accounts import accounts, mention_links
from node.database import Reader, Writer
from node.errors import Invalid
from node.federation import outbox
from node.models.account import Account
from node.text import display_names, hostnames

MOST_FIELDS = 4
LONGEST_BIO = 1000
LONGEST_FIELD = 255
MOST_SITES = 20


def own(
    tx: Reader, who: Account, *, display_name: str, bio: str, fields: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Columns of one of ours, from what they typed. Raises Invalid with the field."""
    shown = display_names.shown(display_name, display_names.LONGEST_LABEL + 1)
    if len(shown) > display_names.LONGEST_LABEL:
        raise Invalid(f"The name can have {display_names.LONGEST_LABEL} characters.", field="display_name")
    bio = bio.replace("\r\n", "\n").strip()
    if len(bio) > LONGEST_BIO:
        raise Invalid(f"The text about you can have {LONGEST_BIO} characters.", field="bio")
    lines = [(display_names.shown(name, LONGEST_FIELD), " ".join(value.split())) for name, value in fields]
    lines = [(name, value) for name, value in lines if name and value]
    if len(lines) > MOST_FIELDS:
        raise Invalid(f"There is room for {MOST_FIELDS} lines.", field="fields")
    if any(len(value) > LONGEST_FIELD for _, value in lines):
        raise Invalid(f"A line can have {LONGEST_FIELD} characters.", field="fields")
    html = [
        [name, _one_line(mention_links.render(tx, value, author=who).html), value] for name, value in lines
    ]
    return {
        "display_name": shown,
        "bio": mention_links.render(tx, bio, author=who).html if bio else "",
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
                f"“{display_names.shown(text, 60)}” is not the name of a website.",
                field="attribution_domains",
            )
        found[name] = None
    if len(found) > MOST_SITES:
        raise Invalid(f"There is room for {MOST_SITES} websites.", field="attribution_domains")
    return list(found)


def _one_line(html: str) -> str:
    return html.removeprefix("<p>").removesuffix("</p>") if html.count("<p>") == 1 else html


def update_profile(
    tx: Writer,
    who: Account,
    *,
    display_name: str,
    bio: str,
    fields: Sequence[tuple[str, str]] = (),
    is_locked: bool,
    is_discoverable: bool,
    is_indexable: bool,
    hides_follows: bool | None = None,
    attribution_domains: Sequence[str] | None = None,
) -> Account:
    """What one of our own says about themselves. Raises Invalid. Other servers hear of it.

    Unlocking lets nobody in by itself: who has asked already still waits for an answer. The last two stay as they
    are where they are not given: whether who follows whom is kept from others, and the sites that may name
    this person as an author.
    """
    values = own(tx, who, display_name=display_name, bio=bio, fields=fields)
    if hides_follows is not None:
        values["hides_follows"] = hides_follows
    if attribution_domains is not None:
        values["attribution_domains"] = json.dumps(sites(attribution_domains))
    values |= {"is_locked": is_locked, "is_discoverable": is_discoverable, "is_indexable": is_indexable}
    changed = accounts.update_local(tx, who.id, values)
    outbox.record(tx, changed, "Update", changed.uri)
    return changed
