"""A node that may fetch from this machine, and another server with one picture."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable

import pytest

from node.config import Config, FederationOptions
from tests.support.picture_server import PictureServer, serve_pictures


@pytest.fixture
def options(options: Config) -> Config:
    return dataclasses.replace(
        options, federation=FederationOptions(allow_private_addresses=True, allow_http=True)
    )


@pytest.fixture
async def picture_server(photo: Callable[..., bytes]) -> AsyncIterator[PictureServer]:
    async with serve_pictures(photo(900, 600)) as server:
        yield server
