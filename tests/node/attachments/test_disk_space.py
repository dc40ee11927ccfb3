"""The space left on the disk: below what is kept for the database, nothing large is accepted."""

from __future__ import annotations

import pytest

from node.attachments import disk_space
from node.attachments.disk_space import DiskSpace
from node.errors import DiskFull
from node.node import Node


def test_there_is_room_on_a_usual_disk(node: Node) -> None:
    DiskSpace(node).check()


def test_below_what_is_kept_nothing_large_is_accepted_and_the_log_says_so_once(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(disk_space, "KEPT_BYTES", 1 << 60)
    monkeypatch.setattr(disk_space, "KEPT_SHARE", 1.0)
    space = DiskSpace(node)

    for _ in range(3):
        with pytest.raises(DiskFull, match="disk is full"):
            space.check()

    assert [record.levelname for record in caplog.records] == ["ERROR"]
