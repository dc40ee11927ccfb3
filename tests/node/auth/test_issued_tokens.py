"""Tokens are told from made-up ones, and those of sessions from those of apps, without the database."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.auth import access_tokens, issued_tokens, sessions, users
from node.auth.issued_tokens import TokenKind
from node.database import Database, Site, Writer
from node.models.account import Account

SITE = Site("https", "tintype.test", b"a secret that only the tests know")


@pytest.mark.parametrize("kind", TokenKind)
async def test_a_token_names_its_account_to_the_node_that_issued_it(alice: Account, kind: TokenKind) -> None:
    token = issued_tokens.issue(SITE, kind, alice)
    other_kind = next(one for one in TokenKind if one is not kind)
    other_node = dataclasses.replace(SITE, secret=b"another secret")

    assert issued_tokens.account_id(SITE, kind, token) == alice.id
    assert issued_tokens.account_id(SITE, other_kind, token) is None
    assert issued_tokens.account_id(other_node, kind, token) is None
    assert issued_tokens.issue(SITE, kind, alice) != token


async def test_a_token_with_another_character_is_made_up(alice: Account) -> None:
    token = issued_tokens.issue(SITE, TokenKind.SESSION, alice)

    for n, character in enumerate(token):
        changed = token[:n] + ("1" if character != "1" else "2") + token[n + 1 :]
        assert issued_tokens.account_id(SITE, TokenKind.SESSION, changed) is None
    for made_up in (token[1:], token[:-1], token + "0", token + ".", "." + token, token.upper(), token + "ä"):
        assert issued_tokens.account_id(SITE, TokenKind.SESSION, made_up) is None


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_made_up(text: str) -> None:
    assert issued_tokens.account_id(SITE, TokenKind.SESSION, text) is None


async def test_what_was_not_issued_is_unknown_even_where_a_table_holds_its_hash(
    db: Database, alice: Account
) -> None:
    """As tokens of before there were MACs."""
    session = await db.write(_with_user, alice)
    access_token = await db.write(access_tokens.create, alice, {"read"}, "Camera")

    def make_old(tx: Writer) -> None:
        tx.run("UPDATE sessions SET hash = :hash", hash=issued_tokens.hash_of("old"))
        tx.run("UPDATE tokens SET hash = :hash", hash=issued_tokens.hash_of("old"))

    assert await db.read(sessions.by_token, session) is not None
    assert await db.read(access_tokens.by_token, access_token) is not None
    await db.write(make_old)
    for token in ("old", session, access_token):
        assert await db.read(sessions.by_token, token) is None
        assert await db.read(access_tokens.by_token, token) is None
        assert await db.read(access_tokens.version, token) is None


def _with_user(tx: Writer, account: Account) -> str:
    users.create(tx, account, email="alice@tintype.test", password_hash="-")
    return sessions.start(tx, account, "")
