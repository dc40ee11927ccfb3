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
class FormattedText:
    """Typed text as HTML, with the accounts and hashtags it names.

    `unknown_mentions` are handles with a domain that no account here has; `hashtags` are as written, without '#'.
    """

    html: str
    mentions: list[Account]
    unknown_mentions: list[str]
    hashtags: list[str]


def render_html(tx: Reader, text: str, *, author: Account) -> FormattedText:
    """Renders what `author` typed as safe HTML.

    A mention of an unknown account stays plain text, and so does one of an account that is blocked by the author
    or has blocked them: a post must not notify somebody across a block.
    """
    accounts_by_handle: dict[str, Account | None] = {}
    hashtags: dict[str, str] = {}
    unknown: dict[str, None] = {}
    html = []
    for token in formatting.tokens(text):
        shown = escape(token.text, quote=False)
        if token.kind == "mention":
            account = _mentioned_account(tx, token.value, author, accounts_by_handle)
            if account is None:
                if "@" in token.value:
                    unknown[token.value] = None
            else:
                shown = _mention_link(account)
        elif token.kind == "hashtag" and (token.value in hashtags or len(hashtags) < formatting.MAX_HASHTAGS):
            hashtags.setdefault(token.value, token.text[1:])
            href = escape(tx.site.uri("/tags/" + quote(token.value, safe="")))
            written = escape(token.text[1:], quote=False)
            shown = f'<a href="{href}" class="mention hashtag" rel="tag">#<span>{written}</span></a>'
        elif token.kind == "url":
            shown = formatting.link(token.text)
        html.append(shown)
    mentions = {account.id: account for account in accounts_by_handle.values() if account is not None}
    return FormattedText(
        formatting.paragraphs("".join(html)), list(mentions.values()), list(unknown), list(hashtags.values())
    )


def _mentioned_account(
    tx: Reader, handle: str, author: Account, accounts_by_handle: dict[str, Account | None]
) -> Account | None:
    key = handle.lower()
    if key not in accounts_by_handle:
        is_within_limit = len(accounts_by_handle) < formatting.MAX_MENTIONS
        account = accounts.by_handle(tx, handle) if is_within_limit else None
        is_reachable = account is not None and not account.is_inactive and _has_no_block(tx, author, account)
        accounts_by_handle[key] = account if is_reachable else None
    return accounts_by_handle[key]


def _has_no_block(tx: Reader, author: Account, account: Account) -> bool:
    return bool(
        tx.value(f"SELECT {no_block('CAST(:account AS BIGINT)')}", viewer=author.id, account=account.id)
    )


def _mention_link(account: Account) -> str:
    name = escape(account.name, quote=False)
    href = escape(account.url or account.uri)
    return f'<span class="h-card"><a href="{href}" class="u-url mention">@<span>{name}</span></a></span>'
