"""Renders what a local person typed as HTML in which mentions link to the accounts they name.

Owns no table.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from node.accounts import accounts
from node.database import Reader
from node.models.account import Account
from node.models.visibility import no_block
from node.text import formatting


@dataclass(frozen=True, slots=True)
class Caption:
    """Typed words as they are shown, and what they name. `hashtags` are as written, without '#'."""

    html: str
    mentions: list[Account]
    unknown_mentions: list[str]
    hashtags: list[str]


def render(tx: Reader, text: str, *, author: Account) -> Caption:
    """Safe HTML of what `author` typed.

    People who are not known here stay plain words, and so do those between whom and the author there is a
    block: words reach nobody who does not want to be reached.
    """
    people: dict[str, Account | None] = {}
    hashtags: dict[str, str] = {}
    unknown: dict[str, None] = {}
    html = []
    for piece in formatting.parse(text):
        shown = escape(piece.text, quote=False)
        if piece.kind == "mention":
            person = _person(tx, piece.value, author, people)
            if person is None:
                if "@" in piece.value:
                    unknown[piece.value] = None
            else:
                shown = _mention(person)
        elif piece.kind == "hashtag" and (
            piece.value in hashtags or len(hashtags) < formatting.MOST_HASHTAGS
        ):
            hashtags.setdefault(piece.value, piece.text[1:])
            href = escape(tx.site.uri("/tags/" + quote(piece.value, safe="")))
            word = escape(piece.text[1:], quote=False)
            shown = f'<a href="{href}" class="mention hashtag" rel="tag">#<span>{word}</span></a>'
        elif piece.kind == "url":
            shown = formatting.link(piece.text)
        html.append(shown)
    mentions = {person.id: person for person in people.values() if person is not None}
    return Caption(
        formatting.paragraphs("".join(html)), list(mentions.values()), list(unknown), list(hashtags.values())
    )


def _person(tx: Reader, handle: str, author: Account, people: dict[str, Account | None]) -> Account | None:
    key = handle.lower()
    if key not in people:
        person = accounts.by_handle(tx, handle) if len(people) < formatting.MOST_MENTIONS else None
        is_reachable = person is not None and not person.is_gone and _may_meet(tx, author, person)
        people[key] = person if is_reachable else None
    return people[key]


def _may_meet(tx: Reader, author: Account, person: Account) -> bool:
    return bool(tx.value(f"SELECT {no_block('CAST(:person AS BIGINT)')}", viewer=author.id, person=person.id))


def _mention(person: Account) -> str:
    name = escape(person.name, quote=False)
    href = escape(person.url or person.uri)
    return f'<span class="h-card"><a href="{href}" class="u-url mention">@<span>{name}</span></a></span>'
