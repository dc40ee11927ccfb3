"""Checks and renders the profiles of local accounts. Owns no table: `accounts` writes the columns.

Called by the settings pages and the client API. Profiles of remote accounts: `remote_accounts`.
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
from node.text import display_names, hostnames, line_breaks

MAX_FIELDS = 4
MAX_BIO_LENGTH = 1000
MAX_FIELD_LENGTH = 255
MAX_ATTRIBUTION_DOMAINS = 20


def columns_from_form(
    tx: Reader, account: Account, *, display_name: str, bio: str, fields: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Returns the columns of a local account from what was typed: rendered HTML and the source. Raises Invalid with the field."""
    shown = display_names.clean_line(display_name, display_names.MAX_DISPLAY_NAME_LENGTH + 1)
    if len(shown) > display_names.MAX_DISPLAY_NAME_LENGTH:
        raise Invalid(
            f"The name can have {display_names.MAX_DISPLAY_NAME_LENGTH} characters.", field="display_name"
        )
    bio = line_breaks.normalize(bio).strip()
    if len(bio) > MAX_BIO_LENGTH:
        raise Invalid(f"The text about you can have {MAX_BIO_LENGTH} characters.", field="bio")
    lines = [
        (display_names.clean_line(name, MAX_FIELD_LENGTH + 1), " ".join(value.split()))
        for name, value in fields
    ]
    lines = [(name, value) for name, value in lines if name and value]
    if len(lines) > MAX_FIELDS:
        raise Invalid(f"There is room for {MAX_FIELDS} lines.", field="fields")
    if any(len(text) > MAX_FIELD_LENGTH for line in lines for text in line):
        raise Invalid(f"A line can have {MAX_FIELD_LENGTH} characters.", field="fields")
    html = [
        [name, _one_line(mention_links.render_html(tx, value, author=account).html), value]
        for name, value in lines
    ]
    return {
        "display_name": shown,
        "bio": mention_links.render_html(tx, bio, author=account).html if bio else "",
        "bio_source": bio,
        "fields": json.dumps(html),
    }


def parse_attribution_domains(lines: Sequence[str]) -> list[str]:
    """Returns the domains of websites given by name or URL, each once. Raises Invalid, field `attribution_domains`."""
    found: dict[str, None] = {}
    for line in lines:
        text = line.strip()
        if not text:
            continue
        name = hostnames.normalize(re.sub(r"\Ahttps?://", "", text, flags=re.IGNORECASE).partition("/")[0])
        if "." not in name:
            raise Invalid(
                f"“{display_names.clean_line(text, 60)}” is not the name of a website.",
                field="attribution_domains",
            )
        found[name] = None
    if len(found) > MAX_ATTRIBUTION_DOMAINS:
        raise Invalid(f"There is room for {MAX_ATTRIBUTION_DOMAINS} websites.", field="attribution_domains")
    return list(found)


def _one_line(html: str) -> str:
    return html.removeprefix("<p>").removesuffix("</p>") if html.count("<p>") == 1 else html


def update_profile(
    tx: Writer,
    account: Account,
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
    """Updates the profile of a local account, and sends an Update if that changes anything. Raises Invalid with the field.

    Unlocking accepts nobody by itself: earlier follow requests still wait for an answer. `hides_follows` and
    `attribution_domains` (the websites that may name this account as an author) stay as they are where not given.
    """
    values = columns_from_form(tx, account, display_name=display_name, bio=bio, fields=fields)
    if hides_follows is not None:
        values["hides_follows"] = hides_follows
    if attribution_domains is not None:
        values["attribution_domains"] = json.dumps(parse_attribution_domains(attribution_domains))
    values |= {"is_locked": is_locked, "is_discoverable": is_discoverable, "is_indexable": is_indexable}
    current = accounts.get(tx, account.id)
    if all(getattr(current, name) == value for name, value in values.items()):
        return current
    changed = accounts.update_local(tx, account.id, values)
    outbox.record(tx, changed, "Update", changed.uri)
    return changed
