"""Why a request brought nothing: a name that does not exist is told from a server that does not answer."""

from __future__ import annotations

import socket

import pytest

from activitypub.client.failures import NO_SUCH_SERVER, NOT_ANSWERING, Unfetchable
from tests.support.http_server import opened


@pytest.mark.parametrize(
    ("code", "summary"), [(socket.EAI_NONAME, NO_SUCH_SERVER), (socket.EAI_AGAIN, NOT_ANSWERING)]
)
async def test_a_name_without_an_address_is_told_from_a_failed_look_up(code: int, summary: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(code, "as getaddrinfo says")

    async with opened(resolve=resolve) as client:
        with pytest.raises(Unfetchable) as failed:
            await client.get_json("http://nowhere.example/x", key=None)

    assert failed.value.summary == summary
    assert failed.value.temporary


async def test_a_server_that_refuses_connections_does_not_answer() -> None:
    async with opened() as client:
        with pytest.raises(Unfetchable) as failed:
            await client.get_json("http://far.example:1/x", key=None)

    assert failed.value.summary == NOT_ANSWERING
