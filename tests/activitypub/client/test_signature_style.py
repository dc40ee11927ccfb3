"""The signature style per host: what counts as a rejection, and what is remembered."""

from __future__ import annotations

import pytest

from activitypub.client import signature_style
from node.node import Node


@pytest.mark.parametrize(
    ("status", "headers", "body", "is_rejection"),
    [
        (401, {}, "", True),
        (403, {}, "", True),
        (400, {}, "Invalid SIGNATURE", True),
        (400, {}, "only rfc9421 is accepted", True),
        (400, {"Accept-Signature": "sig1=()"}, "", True),
        (400, {}, "the object is not a post", False),
        (404, {}, "signature", False),
        (500, {"Accept-Signature": "sig1=()"}, "signature", False),
        (202, {}, "", False),
        (None, {}, "signature", False),
    ],
)
def test_status_headers_and_body_decide_about_a_rejection(
    status: int | None, headers: dict[str, str], body: str, is_rejection: bool
) -> None:
    assert signature_style.is_rejection(status, headers, body) is is_rejection


def test_each_style_has_another_and_an_unknown_one_falls_back_to_cavage() -> None:
    assert signature_style.other("cavage") == "rfc9421"
    assert signature_style.other("rfc9421") == "cavage"
    assert signature_style.other("") == "cavage"


async def test_a_host_gets_cavage_until_another_style_is_remembered(node: Node) -> None:
    assert await signature_style.by_host(node, "b.example") == "cavage"

    await signature_style.remember(node, "b.example", "rfc9421")
    assert await signature_style.by_host(node, "b.example") == "rfc9421"
    assert await signature_style.by_host(node, "c.example") == "cavage"

    await signature_style.remember(node, "b.example", "cavage")
    assert await signature_style.by_host(node, "b.example") == "cavage"
