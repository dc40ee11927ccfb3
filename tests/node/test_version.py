"""The version: one number, the same in the package and on the wire."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from node.node import Node
from node.version import VERSION
from tests.support.asgi import Client
from web.app import create_app

ROOT = Path(__file__).parents[2]


def test_the_version_has_three_numbers() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_the_package_has_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project.get("version", VERSION) == VERSION
    assert "version" in project or "version" in project["dynamic"]


async def test_crawlers_are_given_the_version(node: Node) -> None:
    reply = await Client(create_app(node)).get("/nodeinfo/2.0")

    assert f'"version": "{VERSION}"'.replace(" ", "") in reply.body.decode().replace(" ", "")
