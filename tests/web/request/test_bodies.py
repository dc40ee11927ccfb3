"""A body costs no more than its bytes are worth: one of very many small pieces is refused."""

from __future__ import annotations

from typing import Any

import pytest

from node.node import Node
from web.request.bodies import Bodies, Body, BodyOverLimit


def body_in(node: Node, size: int, pieces: int) -> tuple[Body, list[int]]:
    """A body of so many pieces of one size, and a list of those that were taken."""
    taken: list[int] = []

    async def receive() -> dict[str, Any]:
        taken.append(size)
        return {"type": "http.request", "body": b"a" * size, "more_body": len(taken) < pieces}

    scope = {"headers": [], "client": ("203.0.113.7", 40000)}
    return node.component(Bodies).open(scope, receive), taken


async def read(body: Body) -> None:
    while (await body.receive())["more_body"]:
        pass


@pytest.mark.parametrize("size", [0, 1, 64])
async def test_a_body_in_very_many_small_pieces_is_refused(size: int, node: Node) -> None:
    body, taken = body_in(node, size, 40_000)

    with pytest.raises(BodyOverLimit):
        await read(body)

    assert len(taken) < 150
    body.close()


@pytest.mark.parametrize(("size", "pieces"), [(1, 120), (512, 20_000), (1400, 5_000)])
async def test_few_small_pieces_and_many_of_the_size_of_a_packet_are_read(
    size: int, pieces: int, node: Node
) -> None:
    body, taken = body_in(node, size, pieces)

    await read(body)

    assert len(taken) == pieces
    body.close()
