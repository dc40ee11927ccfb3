"""Commands as an admin types them, and as a serving node gets them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from node.__main__ import main
from node.accounts import keys
from node.cli import commands
from node.database import Database

PASSWORD = "a lake in the morning\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD * 5))


def create(name: str = "alice", *more: str) -> int:
    return main(["account", "create", name, "--email", f"{name}@a.test", "--password-stdin", *more])


async def perform(db: Database, command: str, /, **values: Any) -> Any:
    """As over the control socket: parameters and result pass through JSON."""
    result = await commands.perform(db, command, json.loads(json.dumps(values)))
    return json.loads(json.dumps(result))


async def create_on(db: Database, name: str, pair: keys.KeyPair, role: str = "user") -> str:
    values = {"name": name, "email": f"{name}@a.test", "password_hash": "hash", "role": role}
    handle: str = await perform(db, "account create", pair=commands.pack_keys(pair), **values)
    return handle
